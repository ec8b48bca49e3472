//! One rule's decision to act on one event.

use crate::Timestamp;
use crate::id::{EnforcementId, EventId, ExecutionId, IdentityId, RuleId};
use crate::payload::Payload;
use crate::reference::ComponentRef;
use crate::sealed::Sealed;
use crate::status::EnforcementStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An enforcement: a snapshot of what the rule said when the event came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enforcement {
    /// Wire id.
    pub id: EnforcementId,
    /// The rule.
    pub rule: Option<RuleId>,
    /// The rule's ref.
    pub rule_ref: ComponentRef,
    /// The trigger's ref.
    pub trigger_ref: ComponentRef,
    /// What is to be executed.
    pub action_ref: ComponentRef,
    /// The event; its payload is read there.
    pub event: EventId,
    /// Rendered parameters, secrets replaced by a mark.
    pub config: Option<Payload>,
    /// The secrets taken out of `config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
    /// The rule's conditions.
    pub conditions: Value,
    /// Permission sets that the rule names.
    pub permission_set_refs: Option<Vec<String>>,
    /// In whose name the execution runs.
    pub executor: Option<IdentityId>,
    /// Where it stands.
    pub status: EnforcementStatus,
    /// Its execution, once admitted: "exists" means that admission is done.
    pub execution: Option<ExecutionId>,
    /// When the rule matched.
    pub created: Timestamp,
    /// When it left `created`.
    pub resolved_at: Option<Timestamp>,
}
