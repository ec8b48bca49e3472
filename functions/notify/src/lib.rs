//! Follows the table's stream: adds up what changed in the counts that listings tell.
//!
//! This is the one place that hears of every change; whoever subscribes to changes is told from here.

mod change;

pub use change::Unreadable;

use attune_aws::tally::Change;
use attune_ports::Unavailable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A batch of the stream, all of one shard, in its order.
#[derive(Clone, Debug, Deserialize)]
pub struct StreamEvent {
    /// The records, each read on its own: one that cannot be read does not stop the others.
    #[serde(rename = "Records")]
    pub records: Vec<Value>,
}

/// From where the batch is to come again, where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamResponse {
    /// None, or the first record: what is booked is booked as a whole.
    pub batch_item_failures: Vec<Failure>,
}

/// A record from which on the batch is to come again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Its sequence number.
    pub item_identifier: String,
}

/// Books a batch by `book`. A record that cannot be read is set aside: it is logged, and what comes after it
/// goes on. Where booking fails, the batch comes again as it is.
pub async fn handle(
    event: StreamEvent,
    book: impl AsyncFnOnce(&[Change]) -> Result<(), Unavailable>,
) -> StreamResponse {
    let mut changes = Vec::with_capacity(event.records.len());
    for record in event.records {
        match change::read(record) {
            Ok(change) => changes.push(change),
            Err(Unreadable { id, source }) => {
                let id = id.as_deref().unwrap_or("-");
                tracing::error!(id, error = %source, "a record of the stream is set aside");
            }
        }
    }
    let Some(first) = changes.first().map(|change| change.sequence.clone()) else {
        return StreamResponse::default();
    };
    match book(&changes).await {
        Ok(()) => StreamResponse::default(),
        Err(error) => {
            tracing::warn!(%error, from = first, "a batch of the stream comes again");
            StreamResponse { batch_item_failures: vec![Failure { item_identifier: first }] }
        }
    }
}
