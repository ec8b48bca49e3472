//! `attune workflow`.

mod control;
mod files;
mod graph;
mod rehearse;
mod watch;
mod window;

use super::execution::wait;
use super::{Context, action, filter};
use crate::args::Paging;
use crate::output::{TASKS, WORKFLOWS};
use attune_domain::workflow::drawing::Format;
use clap::Subcommand;
use serde_json::{Value, json};
use std::process::ExitCode;

/// What to do with workflows.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List workflows
    List {
        /// Only workflows of this pack
        #[arg(long, value_name = "REF")]
        pack: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one workflow, with its graph
    Show {
        /// Reference of the workflow, as in `pack.name`
        #[arg(value_name = "REF")]
        workflow: String,
    },
    /// Look for mistakes in a file of this machine, without a server, or in a workflow of the server
    Validate {
        /// File, or reference of the workflow
        #[arg(value_name = "FILE|REF")]
        workflow: String,
    },
    /// Run a workflow
    Run(action::Execute),
    /// Draw a workflow, or how an execution of one stands
    Graph {
        /// Reference of the workflow, or number of the execution
        #[arg(value_name = "REF|EXECUTION")]
        subject: String,
        /// How to draw
        #[arg(long, default_value = "text", value_name = "text|mermaid|dot|svg|json")]
        format: Format,
    },
    /// Follow an execution of a workflow until it ends
    Watch {
        /// Number of the execution
        execution: u64,
    },
    /// List the tasks of an execution of a workflow
    Tasks {
        /// Number of the execution
        execution: u64,
    },
    /// Pause an execution: what runs ends, nothing new begins
    Pause {
        /// Number of the execution
        execution: u64,
    },
    /// Have a paused execution go on
    Resume {
        /// Number of the execution
        execution: u64,
    },
    /// Cancel an execution
    Cancel {
        /// Number of the execution
        execution: u64,
    },
    /// Do again what failed of an execution that is over, or all from one task on
    Retry(control::Retry),
    /// Run a workflow's file with scripted results, without a server; of a pack's folder, all its rehearsals
    Rehearse(rehearse::Rehearse),
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses, or a file cannot be read.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { pack, paging } => {
            let mut query = paging.query();
            filter(&mut query, "pack_ref", pack);
            context.show_list(&WORKFLOWS, &["workflows"], &query).await?;
        }
        Command::Show { workflow } => context.show(&["workflows", &workflow]).await?,
        Command::Validate { workflow } => return files::validate(&workflow, context).await,
        Command::Run(run) => return start(run, context).await,
        Command::Graph { subject, format } => graph::draw(&subject, format, context).await?,
        Command::Watch { execution } => return watch::follow(execution, context).await,
        Command::Tasks { execution } => {
            let path = ["workflow-executions", &execution.to_string(), "tasks"];
            let mut page = context.client.list(&path, &[]).await?;
            page.items.iter_mut().for_each(add_progress);
            context.output.list(&TASKS, &page)?;
        }
        Command::Pause { execution } => control::tell(execution, "pause", context).await?,
        Command::Resume { execution } => control::tell(execution, "resume", context).await?,
        Command::Cancel { execution } => control::tell(execution, "cancel", context).await?,
        Command::Retry(retry) => control::retry(retry, context).await?,
        Command::Rehearse(rehearse) => return rehearse::run(rehearse, context),
    }
    Ok(ExitCode::SUCCESS)
}

async fn start(run: action::Execute, context: &Context) -> anyhow::Result<ExitCode> {
    let body = json!({"parameters": action::parameters(&run, &context.client).await?});
    let path = ["workflows", &run.action, "execute"];
    let execution = context.client.post(&path, Some(&body)).await?;
    if !run.wait {
        context.output.object(&execution)?;
        return Ok(ExitCode::SUCCESS);
    }
    let execution = wait::with_spinner(&context.client, execution).await?;
    context.output.object(&execution)?;
    Ok(wait::exit_code(&execution))
}

/// Adds to a task with several executions how far it has come, for people.
fn add_progress(task: &mut Value) {
    let items = &task["items"];
    if let (Some(done), Some(total)) = (items["succeeded"].as_u64(), items["total"].as_u64()) {
        task["progress"] = format!("{done}/{total}").into();
    }
}
