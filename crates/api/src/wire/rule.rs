//! Rules.

use attune_catalogue::rules::RuleChange;

use attune_domain::catalogue::Rule;
use attune_domain::id::{ActionId, IdentityId, TriggerId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A rule to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateRuleRequest {
    /// `pack.name`.
    #[serde(rename = "ref")]
    #[schema(example = "core.on_alert")]
    pub reference: String,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// What it executes.
    pub action_ref: String,
    /// Which events it cares about.
    pub trigger_ref: String,
    /// Which of those events: a list of conditions, `{"expression": …}`, or nested `all`, `any`, `not`.
    #[schema(value_type = Option<Object>)]
    pub conditions: Option<Value>,
    /// Parameters with templates.
    #[schema(value_type = Option<Object>)]
    pub action_params: Option<Map<String, Value>>,
    /// Settings of the trigger, such as a timer's interval.
    #[schema(value_type = Option<Object>)]
    pub trigger_params: Option<Map<String, Value>>,
    /// Whether it fires; `true` if missing.
    pub enabled: Option<bool>,
    /// Permission sets of the executions' tokens; `null` inherits from the action.
    pub permission_set_refs: Option<Vec<String>>,
}

impl CreateRuleRequest {
    /// The conditions, none where none are given.
    #[must_use]
    pub fn conditions(&self) -> Value {
        self.conditions.clone().filter(|value| !value.is_null()).unwrap_or_else(|| json!({}))
    }
}

/// Changes of a rule; `null` or missing, unchanged.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct UpdateRuleRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// What it executes.
    pub action_ref: Option<String>,
    /// Which events it cares about.
    pub trigger_ref: Option<String>,
    /// Which of those events.
    #[schema(value_type = Option<Object>)]
    pub conditions: Option<Value>,
    /// Parameters with templates.
    #[schema(value_type = Option<Object>)]
    pub action_params: Option<Map<String, Value>>,
    /// Settings of the trigger.
    #[schema(value_type = Option<Object>)]
    pub trigger_params: Option<Map<String, Value>>,
    /// Whether it fires.
    pub enabled: Option<bool>,
    /// Permission sets of the executions' tokens; here `null` means: inherit from the action.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    pub permission_set_refs: Option<Option<Vec<String>>>,
}

/// Reads a field that may be `null`: `Some(None)`, told from a missing one.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Vec<String>>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl From<UpdateRuleRequest> for RuleChange {
    fn from(request: UpdateRuleRequest) -> Self {
        Self {
            label: request.label,
            description: request.description,
            trigger_ref: request.trigger_ref,
            trigger_params: request.trigger_params,
            action_ref: request.action_ref,
            action_params: request.action_params,
            conditions: request.conditions.filter(|value| !value.is_null()),
            enabled: request.enabled,
            permission_set_refs: request.permission_set_refs,
        }
    }
}

/// A rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleResponse {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Id of its pack.
    pub pack: i64,
    /// Its pack.
    pub pack_ref: String,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Id of the action; `null` while it is missing.
    pub action: Option<i64>,
    /// What it executes.
    pub action_ref: String,
    /// Id of the trigger; `null` while it is missing.
    pub trigger: Option<i64>,
    /// Which events it cares about.
    pub trigger_ref: String,
    /// Which of those events.
    #[schema(value_type = Object)]
    pub conditions: Value,
    /// Parameters with templates.
    #[schema(value_type = Object)]
    pub action_params: Map<String, Value>,
    /// Settings of the trigger.
    #[schema(value_type = Object)]
    pub trigger_params: Map<String, Value>,
    /// Whether it fires.
    pub enabled: bool,
    /// Permission sets of the executions' tokens; `null` inherits from the action.
    pub permission_set_refs: Option<Vec<String>>,
    /// Who made it.
    pub owner_identity: Option<i64>,
    /// Whether it came over the API.
    pub is_adhoc: bool,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Rule> for RuleResponse {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id.get(),
            reference: rule.reference.to_string(),
            pack: rule.pack.get(),
            pack_ref: rule.pack_ref.to_string(),
            label: rule.label,
            description: rule.description,
            action: rule.action.map(ActionId::get),
            action_ref: rule.action_ref.to_string(),
            trigger: rule.trigger.map(TriggerId::get),
            trigger_ref: rule.trigger_ref.to_string(),
            conditions: rule.conditions,
            action_params: rule.action_params,
            trigger_params: rule.trigger_params,
            enabled: rule.enabled,
            permission_set_refs: rule.permission_set_refs,
            owner_identity: rule.owner_identity.map(IdentityId::get),
            is_adhoc: rule.is_adhoc,
            created: rule.created,
            updated: rule.updated,
        }
    }
}

/// A rule in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleSummary {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its pack.
    pub pack_ref: String,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// What it executes.
    pub action_ref: String,
    /// Which events it cares about.
    pub trigger_ref: String,
    /// Parameters with templates.
    #[schema(value_type = Object)]
    pub action_params: Map<String, Value>,
    /// Settings of the trigger.
    #[schema(value_type = Object)]
    pub trigger_params: Map<String, Value>,
    /// Whether it fires.
    pub enabled: bool,
    /// Permission sets of the executions' tokens; `null` inherits from the action.
    pub permission_set_refs: Option<Vec<String>>,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Rule> for RuleSummary {
    fn from(rule: Rule) -> Self {
        Self {
            id: rule.id.get(),
            reference: rule.reference.to_string(),
            pack_ref: rule.pack_ref.to_string(),
            label: rule.label,
            description: rule.description,
            action_ref: rule.action_ref.to_string(),
            trigger_ref: rule.trigger_ref.to_string(),
            action_params: rule.action_params,
            trigger_params: rule.trigger_params,
            enabled: rule.enabled,
            permission_set_refs: rule.permission_set_refs,
            created: rule.created,
            updated: rule.updated,
        }
    }
}
