//! How an action's line stands.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// How the lines of an action stand, under the policies that held it.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueStatsResponse {
    /// The action's id.
    pub action_id: i64,
    /// The action.
    pub action_ref: String,
    /// How many wait.
    pub queue_length: u64,
    /// How many hold a slot.
    pub active_count: u64,
    /// How many may hold one; 0 where only the rate is limited.
    pub max_concurrent: u32,
    /// Since when the first in line waits.
    pub oldest_enqueued_at: Option<DateTime<Utc>>,
    /// How many ever came.
    pub total_enqueued: u64,
    /// How many ever went.
    pub total_completed: u64,
    /// When that last changed.
    pub last_updated: DateTime<Utc>,
}
