//! One line for each execution that ends: id, action, status, duration.

use attune_domain::execution::Execution;
use attune_ports::records::Kind;
use attune_ports::{Change, Feed};
use serde::Deserialize;
use std::io::{BufWriter, Write};
use std::sync::Arc;

/// What the line needs of an execution before the change.
#[derive(Deserialize)]
struct Before {
    status: attune_domain::status::ExecutionStatus,
}

/// Prints until the feed ends. A reader who closed the pipe does not stop the server.
pub async fn run(feed: Arc<dyn Feed>) {
    let mut cursor = feed.head();
    loop {
        match feed.after(cursor).await {
            Ok(changes) => {
                let Some(last) = changes.last() else { return };
                cursor = last.cursor;
                if print(&changes).is_err() {
                    return;
                }
            }
            Err(attune_ports::Lagged) => {
                let head = feed.head();
                if head == cursor {
                    return;
                }
                tracing::warn!("executions ended faster than they could be printed");
                cursor = head;
            }
        }
    }
}

fn print(changes: &[Arc<Change>]) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for change in changes.iter().filter(|change| change.kind == Kind::Execution) {
        if let Some(execution) = ended(change) {
            let from = execution.started_at.unwrap_or(execution.created);
            let millis = (execution.updated - from).num_milliseconds().max(0);
            writeln!(
                out,
                "{}  {}  {}  {}.{:03} s",
                execution.id,
                execution.action_ref,
                execution.status,
                millis / 1000,
                millis % 1000
            )?;
        }
    }
    out.flush()
}

/// The execution, if this change ended it.
fn ended(change: &Change) -> Option<Execution> {
    let after: Execution = serde_json::from_slice(change.new.as_ref()?).ok()?;
    let before = change.old.as_ref().and_then(|old| serde_json::from_slice::<Before>(old).ok());
    let was_over = before.is_some_and(|before| before.status.is_terminal());
    (after.status.is_terminal() && !was_over).then_some(after)
}
