//! `attune dead-letter`.

use super::{Context, filter};
use crate::args::Paging;
use crate::exit::Usage;
use crate::output::{DEAD_LETTERS, note};
use attune_ports::Queue;
use clap::Subcommand;
use serde_json::json;

/// What to do with messages that were delivered too often.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List dead letters, oldest first, queue by queue
    List {
        /// Only those of this queue
        #[arg(long)]
        queue: Option<Queue>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one dead letter
    Show {
        /// Queue in which it died
        queue: Queue,
        /// Its id
        id: String,
    },
    /// Send dead letters again
    Redrive {
        /// Queue in which they died
        queue: Queue,
        /// Id of the one to send [default: all of the queue]
        id: Option<String>,
    },
    /// Forget dead letters; what they were about is left as it is
    Purge {
        /// Queue in which they died
        queue: Queue,
        /// Id of the one to forget [default: all of the queue, which needs --yes]
        id: Option<String>,
        /// Do forget all of the queue
        #[arg(long, conflicts_with = "id")]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    let client = &context.client;
    match command {
        Command::List { queue, paging } => {
            let mut query = paging.query();
            filter(&mut query, "queue", queue);
            context.show_list(&DEAD_LETTERS, &["dead-letters"], &query).await
        }
        Command::Show { queue, id } => context.show(&["dead-letters", queue.as_str(), &id]).await,
        Command::Redrive { queue, id } => {
            let body = id.map(|id| json!({"id": id}));
            let path = ["dead-letters", queue.as_str(), "redrive"];
            Ok(context.output.object(&client.post(&path, body.as_ref()).await?)?)
        }
        Command::Purge { queue, id: None, yes: false } => {
            let text = format!("this forgets all dead letters of '{queue}': add --yes, or an id");
            Err(Usage(text).into())
        }
        Command::Purge { queue, id, yes: _ } => {
            let mut path = vec!["dead-letters", queue.as_str()];
            path.extend(id.as_deref());
            let answer = client.delete(&path).await?;
            Ok(note(answer["message"].as_str().unwrap_or("done"))?)
        }
    }
}
