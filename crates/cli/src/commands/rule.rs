//! `attune rule`.

use super::Context;
use crate::args::Paging;
use crate::output::RULES;
use clap::{Args, Subcommand};

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List rules
    List(List),
    /// Show one rule
    Get {
        /// Reference of the rule, as in `pack.name`
        #[arg(value_name = "REF")]
        rule: String,
    },
    /// Let a rule answer its trigger
    Enable {
        /// Reference of the rule
        #[arg(value_name = "REF")]
        rule: String,
    },
    /// Keep a rule from answering its trigger
    Disable {
        /// Reference of the rule
        #[arg(value_name = "REF")]
        rule: String,
    },
}

/// Which rules to list: all, or those of one action, trigger or pack.
#[derive(Args, Debug)]
pub struct List {
    /// Only rules that run this action
    #[arg(long, value_name = "REF", group = "of")]
    pub action: Option<String>,
    /// Only rules that answer this trigger
    #[arg(long, value_name = "REF", group = "of")]
    pub trigger: Option<String>,
    /// Only rules of this pack
    #[arg(long, value_name = "REF", group = "of")]
    pub pack: Option<String>,
    /// Only rules that are enabled
    #[arg(long, group = "of")]
    pub enabled: bool,
    #[command(flatten)]
    pub paging: Paging,
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::List(list) => context.show_list(&RULES, &list.path(), &list.paging.query()).await,
        Command::Get { rule } => context.show(&["rules", &rule]).await,
        Command::Enable { rule } => switch(context, &rule, "enable").await,
        Command::Disable { rule } => switch(context, &rule, "disable").await,
    }
}

impl List {
    /// The API filters rules by path, one criterion at a time.
    fn path(&self) -> Vec<&str> {
        if let Some(action) = &self.action {
            vec!["actions", action, "rules"]
        } else if let Some(trigger) = &self.trigger {
            vec!["triggers", trigger, "rules"]
        } else if let Some(pack) = &self.pack {
            vec!["packs", pack, "rules"]
        } else if self.enabled {
            vec!["rules", "enabled"]
        } else {
            vec!["rules"]
        }
    }
}

async fn switch(context: &Context, rule: &str, verb: &str) -> anyhow::Result<()> {
    let rule = context.client.post(&["rules", rule, verb], None).await?;
    Ok(context.output.object(&rule)?)
}
