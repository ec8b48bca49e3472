//! Triggers.

use super::patch::TriggerStringPatch;

use attune_domain::catalogue::Trigger;
use attune_domain::id::PackId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A trigger to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateTriggerRequest {
    /// `pack.name`.
    #[serde(rename = "ref")]
    #[schema(example = "core.door_opened")]
    pub reference: String,
    /// The pack it belongs to, if any.
    pub pack_ref: Option<String>,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether its timer ticks, or events of the cloud reach it; `true` if missing.
    pub enabled: Option<bool>,
    /// Schema of a rule's `trigger_params`.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Schema of the payload.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// A timer of its own: `{"type": "interval", "seconds": 10}`, `{"type": "cron", "expression": …}`,
    /// `{"type": "one_shot", "fire_at": …}`; or events of the cloud:
    /// `{"type": "cloud_event", "event_pattern": {"source": ["aws.s3"]}, "event_bus": …}`.
    #[serde(alias = "timer")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
}

/// Changes of a trigger; `null` or missing, unchanged.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct UpdateTriggerRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: Option<String>,
    /// For people.
    pub description: Option<TriggerStringPatch>,
    /// Whether its timer ticks.
    pub enabled: Option<bool>,
    /// Schema of a rule's `trigger_params`.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Schema of the payload.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// A timer of its own, or events of the cloud.
    #[serde(alias = "timer")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
}

/// A trigger.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriggerResponse {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Id of its pack.
    pub pack: Option<i64>,
    /// Its pack.
    pub pack_ref: Option<String>,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether its timer ticks.
    pub enabled: bool,
    /// Schema of a rule's `trigger_params`.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Schema of the payload.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// Whether its webhook is open.
    pub webhook_enabled: bool,
    /// The last part of the webhook's address, while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_key: Option<String>,
    /// The configuration of a trigger of events of the cloud; not there for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// Whether it came over the API.
    pub is_adhoc: bool,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Trigger> for TriggerResponse {
    fn from(trigger: Trigger) -> Self {
        Self {
            id: trigger.id.get(),
            reference: trigger.reference.to_string(),
            pack: trigger.pack.map(PackId::get),
            pack_ref: trigger.pack_ref.map(|pack| pack.to_string()),
            label: trigger.label,
            description: trigger.description,
            enabled: trigger.enabled,
            param_schema: trigger.param_schema,
            out_schema: trigger.out_schema,
            webhook_enabled: trigger.webhook.is_some(),
            webhook_key: trigger.webhook.map(|webhook| webhook.key),
            config: trigger.cloud_event.map(|source| source.config()),
            is_adhoc: trigger.is_adhoc,
            created: trigger.created,
            updated: trigger.updated,
        }
    }
}

/// A trigger in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TriggerSummary {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its pack.
    pub pack_ref: Option<String>,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether its timer ticks.
    pub enabled: bool,
    /// Whether its webhook is open.
    pub webhook_enabled: bool,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Trigger> for TriggerSummary {
    fn from(trigger: Trigger) -> Self {
        Self {
            id: trigger.id.get(),
            reference: trigger.reference.to_string(),
            pack_ref: trigger.pack_ref.map(|pack| pack.to_string()),
            label: trigger.label,
            description: trigger.description,
            enabled: trigger.enabled,
            webhook_enabled: trigger.webhook.is_some(),
            created: trigger.created,
            updated: trigger.updated,
        }
    }
}
