//! `attune event`.

use super::{Context, filter};
use crate::args::Paging;
use crate::output::EVENTS;
use clap::Subcommand;

/// What to do with events.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List events, latest first
    List {
        /// Only events of this trigger; `*` stands for anything
        #[arg(long, value_name = "REF")]
        trigger: Option<String>,
        /// Only events bound to this rule; `*` stands for anything
        #[arg(long, value_name = "REF")]
        rule: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one event
    Get {
        /// Number of the event
        id: u64,
    },
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { trigger, rule, paging } => {
            let mut query = paging.query();
            filter(&mut query, "trigger_ref", trigger);
            filter(&mut query, "rule_ref", rule);
            context.show_list(&EVENTS, &["events"], &query).await
        }
        Command::Get { id } => context.show(&["events", &id.to_string()]).await,
    }
}
