//! Dead letters: messages of the journey that were delivered too often.

use attune_ports::queues::{DeadLetter, Queue};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A message that was given up.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetterResponse {
    /// Names it among the dead letters of its queue.
    pub id: String,
    /// The queue it died in.
    #[schema(value_type = String)]
    pub queue: &'static str,
    /// Its text: which step, and ids only.
    #[schema(value_type = Object)]
    pub body: Value,
    /// Its group.
    pub group: String,
    /// How often it was delivered.
    pub receives: u32,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
    /// What went wrong last, as far as known.
    pub reason: Option<String>,
}

impl DeadLetterResponse {
    /// A dead letter of a queue.
    #[must_use]
    pub fn new(queue: Queue, letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            queue: queue.as_str(),
            body: letter.body,
            group: letter.group,
            receives: letter.receives,
            sent_at: letter.sent_at,
            died_at: letter.died_at,
            reason: letter.reason,
        }
    }
}

/// Which dead letters to send again.
#[derive(Default, Deserialize, ToSchema)]
pub struct RedriveRequest {
    /// This one; all of the queue where missing.
    #[serde(default)]
    pub id: Option<String>,
}

/// How many were sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct RedriveResponse {
    /// So many.
    pub redriven: u64,
}
