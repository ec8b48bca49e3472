//! `attune trigger`.

use super::Context;
use crate::args::Paging;
use crate::output::TRIGGERS;
use clap::Subcommand;

/// What to do with triggers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List triggers
    List {
        /// Only triggers of this pack
        #[arg(long, value_name = "REF", conflicts_with = "enabled")]
        pack: Option<String>,
        /// Only triggers that are enabled
        #[arg(long)]
        enabled: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one trigger
    Get {
        /// Reference of the trigger, as in `pack.name`
        #[arg(value_name = "REF")]
        trigger: String,
    },
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List { pack, enabled, paging } => {
            let path = match &pack {
                Some(pack) => vec!["packs", pack, "triggers"],
                None if enabled => vec!["triggers", "enabled"],
                None => vec!["triggers"],
            };
            context.show_list(&TRIGGERS, &path, &paging.query()).await
        }
        Command::Get { trigger } => context.show(&["triggers", &trigger]).await,
    }
}
