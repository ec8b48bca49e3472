//! Enforcements.

use attune_domain::enforcement::Enforcement;
use attune_ports::records::{Record, Unreadable};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// How conditions are joined; always `all`, since nesting says the rest.
const CONDITION: &str = "all";

/// Where an enforcement stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum EnforcementStatus {
    /// The rule matched; no execution yet.
    Created,
    /// Its execution exists.
    Processed,
    /// It will have none.
    Disabled,
}

/// How conditions are joined.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum EnforcementCondition {
    /// One is enough.
    Any,
    /// All must hold.
    All,
}

/// An enforcement.
#[derive(Debug, Serialize, ToSchema)]
pub struct EnforcementResponse {
    /// Wire id.
    pub id: i64,
    /// The rule.
    pub rule: Option<i64>,
    /// The rule's ref.
    pub rule_ref: String,
    /// The trigger's ref.
    pub trigger_ref: String,
    /// The event.
    pub event: Option<i64>,
    /// Rendered parameters, secrets marked.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Value>,
    /// The event's payload, if it was an object.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// Always `all`.
    #[schema(value_type = EnforcementCondition)]
    pub condition: &'static str,
    /// The rule's conditions at the time.
    #[schema(value_type = Object)]
    pub conditions: Value,
    /// Where it stands.
    #[schema(value_type = EnforcementStatus)]
    pub status: attune_domain::status::EnforcementStatus,
    /// When the rule matched.
    pub created: DateTime<Utc>,
    /// When it left `created`.
    pub resolved_at: Option<DateTime<Utc>>,
}

impl EnforcementResponse {
    /// An enforcement with its parameters and payload, wherever those lay.
    #[must_use]
    pub fn new(enforcement: Enforcement, config: Option<Value>, payload: Option<Value>) -> Self {
        Self {
            id: enforcement.id.get(),
            rule: enforcement.rule.map(|id| id.get()),
            rule_ref: enforcement.rule_ref.to_string(),
            trigger_ref: enforcement.trigger_ref.to_string(),
            event: Some(enforcement.event.get()),
            config,
            payload: payload.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
            condition: CONDITION,
            conditions: enforcement.conditions,
            status: enforcement.status,
            created: enforcement.created,
            resolved_at: enforcement.resolved_at,
        }
    }
}

/// An enforcement in a list, copied from its record's text.
#[derive(Serialize, ToSchema)]
pub struct EnforcementSummary<'a> {
    /// Wire id.
    #[schema(value_type = i64)]
    id: &'a RawValue,
    /// The rule.
    #[schema(value_type = Option<i64>)]
    rule: Option<&'a RawValue>,
    /// The rule's ref.
    #[schema(value_type = String)]
    rule_ref: &'a RawValue,
    /// The trigger's ref.
    #[schema(value_type = String)]
    trigger_ref: &'a RawValue,
    /// The event.
    #[schema(value_type = Option<i64>)]
    event: Option<&'a RawValue>,
    /// Always `all`.
    #[schema(value_type = EnforcementCondition)]
    condition: &'static str,
    /// Where it stands.
    #[schema(value_type = EnforcementStatus)]
    status: &'a RawValue,
    /// When the rule matched.
    #[schema(value_type = DateTime<Utc>)]
    created: &'a RawValue,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(default, borrow)]
    rule: Option<&'a RawValue>,
    #[serde(borrow)]
    rule_ref: &'a RawValue,
    #[serde(borrow)]
    trigger_ref: &'a RawValue,
    #[serde(default, borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    status: &'a RawValue,
    #[serde(borrow)]
    created: &'a RawValue,
}

impl<'a> EnforcementSummary<'a> {
    /// Reads the fields out of a record.
    ///
    /// # Errors
    /// [`Unreadable`] where the record holds no enforcement.
    pub fn of(record: &'a Record) -> Result<Self, Unreadable> {
        let row: Row<'a> = serde_json::from_slice(&record.body)
            .map_err(|source| Unreadable { key: record.key.clone(), source })?;
        Ok(Self {
            id: row.id,
            rule: row.rule,
            rule_ref: row.rule_ref,
            trigger_ref: row.trigger_ref,
            event: row.event,
            condition: CONDITION,
            status: row.status,
            created: row.created,
        })
    }
}
