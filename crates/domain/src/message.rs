//! The messages between the steps of the journey. They carry ids, never bodies.

use crate::admission::LaneKey;
use crate::id::{EnforcementId, EventId, ExecutionId, InquiryId};
use crate::reference::ComponentRef;
use serde::{Deserialize, Serialize};

/// Version of the message format that this code writes.
pub const VERSION: u8 = 1;

/// One announcement: what happened, and what caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Format version; an unknown one goes to the dead letters.
    pub v: u8,
    /// What happened.
    #[serde(flatten)]
    pub step: Step,
    /// What the step will read.
    #[serde(default, skip_serializing_if = "Reads::is_empty")]
    pub reads: Reads,
}

/// Names of definitions that a step will read, as far as whoever announces it knows them: so that a step
/// for which every read is a request can read them together with its record. Hints, no promises: the step
/// reads what it needs, whether it was named or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// The event's trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<ComponentRef>,
    /// The rule that matched, or the only one that may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<ComponentRef>,
    /// What is to be executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ComponentRef>,
    /// The lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<LaneKey>,
    /// The execution whose run takes note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<ExecutionId>,
}

impl Reads {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step")]
pub enum Step {
    /// An event was stored: match it.
    #[serde(rename = "event.created")]
    EventCreated {
        /// Which.
        event: EventId,
    },
    /// A rule matched: admit its execution.
    #[serde(rename = "enforcement.created")]
    EnforcementCreated {
        /// Which.
        enforcement: EnforcementId,
        /// Its event.
        event: EventId,
    },
    /// Somebody asked for an execution: admit it.
    #[serde(rename = "execution.requested")]
    ExecutionRequested {
        /// Which.
        execution: ExecutionId,
    },
    /// An execution has its slot: run it.
    #[serde(rename = "execution.scheduled")]
    ExecutionScheduled {
        /// Which.
        execution: ExecutionId,
        /// For which attempt; an older one is stale.
        attempt: u32,
    },
    /// An execution is over: free its slot, tell its parent.
    #[serde(rename = "execution.completed")]
    ExecutionCompleted {
        /// Which.
        execution: ExecutionId,
    },
    /// Somebody of this lane may go now.
    #[serde(rename = "lane.wake")]
    LaneWake {
        /// Which lane.
        lane: LaneKey,
    },
    /// The deadline of an inquiry has come.
    #[serde(rename = "inquiry.due")]
    InquiryDue {
        /// Which.
        inquiry: InquiryId,
    },
}

impl From<Step> for Message {
    fn from(step: Step) -> Self {
        Self { v: VERSION, step, reads: Reads::default() }
    }
}

impl Step {
    /// Name of the step and the record it is about: the start of a deduplication id.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::EventCreated { event } => format!("event.created:{event}"),
            Self::EnforcementCreated { enforcement, .. } => {
                format!("enforcement.created:{enforcement}")
            }
            Self::ExecutionRequested { execution } => format!("execution.requested:{execution}"),
            Self::ExecutionScheduled { execution, attempt } => {
                format!("execution.scheduled:{execution}:{attempt}")
            }
            Self::ExecutionCompleted { execution } => format!("execution.completed:{execution}"),
            Self::LaneWake { lane } => format!("lane.wake:{lane}"),
            Self::InquiryDue { inquiry } => format!("inquiry.due:{inquiry}"),
        }
    }
}
