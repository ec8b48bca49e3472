//! One run of an action.

use crate::Timestamp;
use crate::admission::{LaneKey, Ticket};
use crate::catalogue::Placement;
use crate::id::{ActionId, EnforcementId, EventId, ExecutionId, IdentityId, InquiryId, RuleId};
use crate::keystore::Lookup;
use crate::payload::Payload;
use crate::reference::ComponentRef;
use crate::runtime::Runtime;
use crate::sealed::Sealed;
use crate::status::ExecutionStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An execution, from being asked for to its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Wire id.
    pub id: ExecutionId,
    /// The action's id at the time.
    pub action: Option<ActionId>,
    /// What runs.
    pub action_ref: ComponentRef,
    /// What it runs on, fixed at admission.
    pub runtime: Option<Runtime>,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Parameters as given, secrets replaced by a mark.
    pub config: Option<Payload>,
    /// The secrets taken out of `config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
    /// What of `config` the runner still has to look up in the keystore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keystore: Option<Lookup>,
    /// What came of it.
    pub result: Option<Payload>,
    /// What it printed, where that is little and the deployment keeps it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed: Option<Printed>,
    /// Stored and inherited by children, never exported to the process.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env_vars: BTreeMap<String, String>,
    /// Scope of the process's token; empty, no token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permission_set_refs: Vec<String>,
    /// In whose name it runs.
    pub executor: Option<IdentityId>,
    /// The cause, where a rule was.
    pub enforcement: Option<EnforcementId>,
    /// The cause's cause.
    pub event: Option<EventId>,
    /// The rule, where one was.
    pub rule: Option<RuleId>,
    /// The rule's ref.
    pub rule_ref: Option<ComponentRef>,
    /// The trigger's ref.
    pub trigger_ref: Option<ComponentRef>,
    /// The workflow execution it belongs to.
    pub parent: Option<ExecutionId>,
    /// The first attempt that this one repeats.
    pub original_execution: Option<ExecutionId>,
    /// Digest of the definition that it runs, where it is a workflow; fixed at admission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The thread of its parent's run that waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<u32>,
    /// Whether its parent has taken note of its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub noted: bool,
    /// The workflow task it belongs to, as the wire shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_task: Option<Value>,
    /// Retention and placement as asked for.
    #[serde(default)]
    pub placement: Placement,
    /// Urgency in a lane: 0 goes first, 9 last.
    #[serde(default = "default_priority")]
    pub priority: u8,
    /// The lane it was admitted through, if a policy was in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How many times it was given to a runner.
    #[serde(default)]
    pub attempt: u32,
    /// How many attempts its policy allows when runners die.
    #[serde(default = "one")]
    pub max_attempts: u32,
    /// The runner that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// The question that it asks people, or has asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Who got its slot, for telling them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handed_to: Vec<Handed>,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When a runner first claimed it.
    pub started_at: Option<Timestamp>,
}

/// A question that an execution asks people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Which.
    pub inquiry: InquiryId,
    /// Whether its end is the execution's, too; else the execution goes on by itself.
    pub ends: bool,
}

/// The two outputs of a run, secrets struck out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Printed {
    /// Standard output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stdout: String,
    /// Standard error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
}

/// An execution that was given a slot, and what it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// The execution.
    pub execution: ExecutionId,
    /// Its attempt.
    pub attempt: u32,
    /// Its runtime, which names its queue.
    pub runtime: Runtime,
}

/// Priority of an execution that nobody gave one.
#[must_use]
pub const fn default_priority() -> u8 {
    5
}

const fn one() -> u32 {
    1
}

/// An execution's place in a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The lane.
    pub lane: LaneKey,
    /// What it holds there.
    pub holds: Holds,
}

/// What an execution holds in its lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holds {
    /// A ticket: it waits.
    Ticket(Ticket),
    /// A slot, granted as the lane's n-th.
    Slot(u64),
    /// Nothing any more: the slot was given back.
    Nothing,
}

/// A runner's hold on an execution, stored before its process starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Name of the server process or function that runs it.
    pub worker: String,
    /// Which attempt; an outcome counts only for the attempt that holds the claim.
    pub attempt: u32,
    /// When the process is over for certain, whatever happened to the worker.
    pub deadline: Timestamp,
}

impl Execution {
    /// An execution of an action that somebody asks for now, of which nothing else is known yet.
    #[must_use]
    pub fn new(id: ExecutionId, action_ref: ComponentRef, now: Timestamp) -> Self {
        Self {
            id,
            action: None,
            action_ref,
            runtime: None,
            status: ExecutionStatus::Requested,
            config: None,
            secrets: None,
            keystore: None,
            result: None,
            printed: None,
            env_vars: BTreeMap::new(),
            permission_set_refs: vec![],
            executor: None,
            enforcement: None,
            event: None,
            rule: None,
            rule_ref: None,
            trigger_ref: None,
            parent: None,
            original_execution: None,
            workflow: None,
            thread: None,
            noted: false,
            workflow_task: None,
            asked: None,
            placement: Placement::default(),
            priority: default_priority(),
            place: None,
            attempt: 0,
            max_attempts: 1,
            claim: None,
            handed_to: vec![],
            created: now,
            updated: now,
            started_at: None,
        }
    }

    /// Moves to `next`, if that may follow.
    ///
    /// # Errors
    /// [`IllegalTransition`] where it may not; the execution is unchanged.
    pub fn become_(
        &mut self,
        next: ExecutionStatus,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        if !self.status.may_become(next) {
            return Err(IllegalTransition { id: self.id, from: self.status, to: next });
        }
        self.status = next;
        self.updated = now;
        Ok(())
    }

    /// The inquiry whose end it waits for, without a process and without a slot.
    #[must_use]
    pub fn waits_for(&self) -> Option<InquiryId> {
        let asked = self.asked.filter(|asked| asked.ends)?;
        (self.status == ExecutionStatus::Running).then_some(asked.inquiry)
    }

    /// Whether its end must be told to somebody: its lane, or its parent.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        (self.thread.is_some() && !self.noted)
            || matches!(&self.place, Some(Place { holds: Holds::Slot(_), .. }))
    }
}

/// A status cannot follow another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("execution {id} is {from} and cannot become {to}")]
pub struct IllegalTransition {
    /// Which execution.
    pub id: ExecutionId,
    /// Its status.
    pub from: ExecutionStatus,
    /// What it was to become.
    pub to: ExecutionStatus,
}
