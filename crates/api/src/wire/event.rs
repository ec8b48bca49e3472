//! Events.

use attune_domain::event::Event;
use attune_ports::records::{Record, Unreadable};
use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Reports that something happened.
#[derive(Deserialize, ToSchema)]
pub struct CreateEventRequest {
    /// What kind of event.
    #[serde(alias = "trigger_type")]
    pub trigger_ref: String,
    /// What rules look at.
    #[serde(default)]
    pub payload: Option<Value>,
    /// Remarks; rules do not see them.
    #[serde(default)]
    pub config: Option<Value>,
    /// `rule_<id>` binds the event to that rule alone.
    #[serde(default)]
    pub trigger_instance_id: Option<String>,
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResponse {
    /// Wire id.
    pub id: i64,
    /// The trigger's id while it exists.
    pub trigger: Option<i64>,
    /// What kind of event.
    pub trigger_ref: String,
    /// What rules look at.
    #[schema(value_type = Object)]
    pub payload: Option<Value>,
    /// How it came.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// The sensor it came from.
    pub source: Option<i64>,
    /// Where it came from, in words.
    pub source_ref: Option<String>,
    /// The only rule it is meant for.
    pub rule: Option<i64>,
    /// That rule's ref.
    pub rule_ref: Option<String>,
    /// When it came.
    pub created: DateTime<Utc>,
}

impl EventResponse {
    /// An event with its payload, wherever that lay.
    #[must_use]
    pub fn new(event: Event, payload: Option<Value>) -> Self {
        Self {
            id: event.id.get(),
            trigger: event.trigger.map(|id| id.get()),
            trigger_ref: event.trigger_ref.to_string(),
            payload,
            config: event.config,
            source: event.source.map(|id| id.get()),
            source_ref: event.source_ref,
            rule: event.rule.map(|id| id.get()),
            rule_ref: event.rule_ref.map(|reference| reference.to_string()),
            created: event.created,
        }
    }
}

/// An event in a list, copied from its record's text.
#[derive(Serialize, ToSchema)]
pub struct EventSummary<'a> {
    /// Wire id.
    #[schema(value_type = i64)]
    id: &'a RawValue,
    /// The trigger's id while it exists.
    #[schema(value_type = Option<i64>)]
    trigger: Option<&'a RawValue>,
    /// What kind of event.
    #[schema(value_type = String)]
    trigger_ref: &'a RawValue,
    /// The sensor it came from.
    #[schema(value_type = Option<i64>)]
    source: Option<&'a RawValue>,
    /// Where it came from, in words.
    #[schema(value_type = Option<String>)]
    source_ref: Option<&'a RawValue>,
    /// The only rule it is meant for.
    #[schema(value_type = Option<i64>)]
    rule: Option<&'a RawValue>,
    /// That rule's ref.
    #[schema(value_type = Option<String>)]
    rule_ref: Option<&'a RawValue>,
    /// Whether it has a payload.
    has_payload: bool,
    /// When it came.
    #[schema(value_type = DateTime<Utc>)]
    created: &'a RawValue,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(default, borrow)]
    trigger: Option<&'a RawValue>,
    #[serde(borrow)]
    trigger_ref: &'a RawValue,
    #[serde(default, borrow)]
    source: Option<&'a RawValue>,
    #[serde(default, borrow)]
    source_ref: Option<&'a RawValue>,
    #[serde(default, borrow)]
    rule: Option<&'a RawValue>,
    #[serde(default, borrow)]
    rule_ref: Option<&'a RawValue>,
    #[serde(default)]
    payload: Option<IgnoredAny>,
    #[serde(borrow)]
    created: &'a RawValue,
}

impl<'a> EventSummary<'a> {
    /// Reads the fields out of a record.
    ///
    /// # Errors
    /// [`Unreadable`] where the record holds no event.
    pub fn of(record: &'a Record) -> Result<Self, Unreadable> {
        let row: Row<'a> = serde_json::from_slice(&record.body)
            .map_err(|source| Unreadable { key: record.key.clone(), source })?;
        Ok(Self {
            id: row.id,
            trigger: row.trigger,
            trigger_ref: row.trigger_ref,
            source: row.source,
            source_ref: row.source_ref,
            rule: row.rule,
            rule_ref: row.rule_ref,
            has_payload: row.payload.is_some(),
            created: row.created,
        })
    }
}
