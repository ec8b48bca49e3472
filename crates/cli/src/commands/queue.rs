//! `attune queue`.

use super::Context;
use clap::Subcommand;

/// What to do with the lines in front of actions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// How many executions of an action run and wait under its policy
    Stats {
        /// Reference of the action, as in `pack.name`
        #[arg(value_name = "ACTION")]
        action: String,
    },
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let Command::Stats { action } = command;
    context.show(&["actions", &action, "queue-stats"]).await
}
