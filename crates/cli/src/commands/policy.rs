//! `attune policy`.

use super::Context;
use crate::args::Paging;
use crate::output::POLICIES;
use clap::Subcommand;

/// What to do with policies.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List policies
    List {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one policy
    Get {
        /// Reference of the policy, as in `pack.name`
        #[arg(value_name = "REF")]
        policy: String,
    },
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { paging } => {
            context.show_list(&POLICIES, &["policies"], &paging.query()).await
        }
        Command::Get { policy } => context.show(&["policies", &policy]).await,
    }
}
