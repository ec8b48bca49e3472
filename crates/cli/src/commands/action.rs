//! `attune action`.

use super::Context;
use super::execution::{parameters, wait};
use crate::args::Paging;
use crate::client::Client;
use crate::output::ACTIONS;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// What to do with actions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List actions
    List {
        /// Only actions of this pack
        #[arg(long, value_name = "REF")]
        pack: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one action
    Get {
        /// Reference of the action, as in `pack.name`
        #[arg(value_name = "REF")]
        action: String,
    },
    /// Run an action
    Execute(Execute),
}

/// `attune action execute`.
#[derive(Args, Debug)]
pub struct Execute {
    /// Reference of the action, as in `pack.name`
    #[arg(value_name = "REF")]
    pub action: String,
    /// Parameters: text where the action's schema says text, else JSON if it is JSON
    #[arg(value_name = "KEY=VALUE")]
    pub assignments: Vec<parameters::Assignment>,
    /// All parameters as a JSON object, or `@FILE` (`@-` for stdin); KEY=VALUE goes over it
    #[arg(long, value_name = "JSON|@FILE")]
    pub params: Option<String>,
    /// Wait for the end; exit with 1 unless it completes
    #[arg(long)]
    pub wait: bool,
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { pack, paging } => {
            let path = match &pack {
                Some(pack) => vec!["packs", pack, "actions"],
                None => vec!["actions"],
            };
            context.show_list(&ACTIONS, &path, &paging.query()).await?;
        }
        Command::Get { action } => context.show(&["actions", &action]).await?,
        Command::Execute(execute) => return start(execute, context).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn start(execute: Execute, context: &Context) -> anyhow::Result<ExitCode> {
    let parameters = parameters(&execute, &context.client).await?;
    let body = json!({"action_ref": execute.action, "parameters": parameters});
    let execution = context.client.post(&["executions", "execute"], Some(&body)).await?;
    if execute.wait {
        let execution = wait::with_spinner(&context.client, execution).await?;
        context.output.object(&execution)?;
        return Ok(wait::exit_code(&execution));
    }
    context.output.object(&execution)?;
    Ok(ExitCode::SUCCESS)
}

/// The parameters that were given, with the types of the action's schema.
///
/// # Errors
/// When they cannot be read, or the server does not answer.
pub(super) async fn parameters(
    execute: &Execute,
    client: &Client,
) -> anyhow::Result<Map<String, Value>> {
    let mut all = match &execute.params {
        Some(text) => parameters::object(text)?,
        None => Map::new(),
    };
    // Only the schema can tell whether 007 is a text or a number.
    if !execute.assignments.is_empty() {
        let action = client.get(&["actions", &execute.action]).await?;
        all.extend(execute.assignments.iter().map(|one| one.typed(&action["param_schema"])));
    }
    Ok(all)
}
