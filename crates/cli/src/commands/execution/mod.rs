//! `attune execution`.

pub mod logs;
pub mod parameters;
pub mod wait;
pub mod watch;

use super::{Context, filter};
use crate::args::Paging;
use crate::output::EXECUTIONS;
use attune_domain::status::ExecutionStatus;
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// What to do with executions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List executions, latest first
    List(List),
    /// Show one execution
    Get {
        /// Number of the execution
        id: u64,
    },
    /// Print what an execution has written
    Logs {
        /// Number of the execution
        id: u64,
        /// Go on until the execution ends
        #[arg(long, short)]
        follow: bool,
        /// Only this stream [default: both, each to our own]
        #[arg(long, value_enum)]
        stream: Option<logs::Stream>,
    },
    /// Stop an execution
    Cancel {
        /// Number of the execution
        id: u64,
    },
    /// Show changes as they happen: of one execution until it ends, or of all
    Watch {
        /// Number of the execution [default: all]
        id: Option<u64>,
    },
}

/// Which executions to list.
#[derive(Args, Debug)]
pub struct List {
    /// Only executions in this state
    #[arg(long)]
    pub status: Option<ExecutionStatus>,
    /// Only executions of this action; `*` stands for anything
    #[arg(long, value_name = "REF")]
    pub action: Option<String>,
    /// Only executions that this rule has started; `*` stands for anything
    #[arg(long, value_name = "REF")]
    pub rule: Option<String>,
    /// Only executions that this trigger has caused; `*` stands for anything
    #[arg(long, value_name = "REF")]
    pub trigger: Option<String>,
    /// Only children of this execution
    #[arg(long, value_name = "ID")]
    pub parent: Option<u64>,
    #[command(flatten)]
    pub paging: Paging,
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(list) => {
            let mut query = list.paging.query();
            filter(&mut query, "status", list.status);
            filter(&mut query, "action_ref", list.action);
            filter(&mut query, "rule_ref", list.rule);
            filter(&mut query, "trigger_ref", list.trigger);
            filter(&mut query, "parent", list.parent);
            context.show_list(&EXECUTIONS, &["executions"], &query).await?;
        }
        Command::Get { id } => context.show(&["executions", &id.to_string()]).await?,
        Command::Logs { id, follow: false, stream } => {
            logs::print(&context.client, id, stream).await?;
        }
        Command::Logs { id, follow: true, stream } => {
            logs::follow(&context.client, id, stream).await?;
        }
        Command::Cancel { id } => {
            let path = ["executions", &id.to_string(), "cancel"];
            context.output.object(&context.client.post(&path, None).await?)?;
        }
        Command::Watch { id: Some(id) } => return watch::one(context, id).await,
        Command::Watch { id: None } => watch::all(context).await?,
    }
    Ok(ExitCode::SUCCESS)
}
