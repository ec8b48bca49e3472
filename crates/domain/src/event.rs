//! Something happened.

use crate::Timestamp;
use crate::id::{EnforcementId, EventId, RuleId, SensorId, TriggerId};
use crate::payload::Payload;
use crate::reference::ComponentRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event of a trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Wire id.
    pub id: EventId,
    /// The trigger's id while it exists.
    pub trigger: Option<TriggerId>,
    /// What kind of event.
    pub trigger_ref: ComponentRef,
    /// What rules look at.
    pub payload: Option<Payload>,
    /// How it came: request metadata of a webhook, a sensor's remarks. Rules do not see it.
    pub config: Option<Value>,
    /// The sensor it came from.
    pub source: Option<SensorId>,
    /// Where it came from, in words.
    pub source_ref: Option<String>,
    /// The only rule it is meant for, such as the rule of a timer.
    pub rule: Option<RuleId>,
    /// That rule's ref.
    pub rule_ref: Option<ComponentRef>,
    /// When it came.
    pub created: Timestamp,
    /// How far matching has come; guards against matching twice.
    #[serde(default)]
    pub matching: Matching,
}

/// How far an event has been matched against rules, in the order of rule ids.
///
/// It stands on the event so that the commit that stores enforcements can be conditional on it:
/// that is what makes one enforcement per event and rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Matching {
    /// The last rule whose enforcement is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upto: Option<RuleId>,
    /// Whether every rule was looked at.
    pub done: bool,
    /// The enforcements made, for announcing them again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enforcements: Vec<Matched>,
}

/// One enforcement that an event led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matched {
    /// The enforcement.
    pub enforcement: EnforcementId,
    /// The action it asks for: its place of order.
    pub action_ref: ComponentRef,
}
