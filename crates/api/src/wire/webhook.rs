//! Webhooks.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What a webhook's sender posts.
#[derive(Deserialize, ToSchema)]
pub struct WebhookReceiverRequest {
    /// Becomes the event's payload as it is. Required; may be `null`.
    pub payload: Value,
    /// Headers that the sender wants to be kept.
    #[serde(default)]
    pub headers: Option<Value>,
    /// Where it came from, as the sender knows it.
    #[serde(default)]
    pub source_ip: Option<String>,
    /// What sent it, as the sender knows it.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// The event that came of it.
#[derive(Serialize, ToSchema)]
pub struct WebhookReceiverResponse {
    /// Its id.
    pub event_id: i64,
    /// Its trigger.
    pub trigger_ref: String,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// For people.
    #[schema(value_type = String)]
    pub message: &'static str,
}
