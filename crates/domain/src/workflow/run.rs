//! Where a run of a workflow stands.
//!
//! One record holds it, and its size depends on the definition, not on how many items a task has or how often a
//! loop goes round: results of tasks, lists of items and what became of each item lie in records of their own.

use crate::Timestamp;
use crate::id::ExecutionId;
use crate::payload::Payload;
use crate::reference::ComponentRef;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A run: the state of one execution of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The execution.
    pub execution: ExecutionId,
    /// Which workflow.
    pub workflow: ComponentRef,
    /// Digest of the definition it started with, whatever becomes of the file.
    pub definition: String,
    /// Where it stands.
    pub status: Status,
    /// Its variables.
    pub vars: Payload,
    /// What became of its tasks, by name; a task that was not entered is not here.
    pub tasks: BTreeMap<String, TaskState>,
    /// The threads that are not over.
    pub threads: BTreeMap<u32, Thread>,
    /// Number of the next thread.
    pub next_thread: u32,
    /// Tasks entered so far, each visit counted.
    pub steps: u64,
    /// Tasks that failed without anything that follows dealing with it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failed: BTreeSet<String>,
    /// Why it has failed whatever its tasks say: a join that cannot be met, the limit on steps, an order to fail.
    /// Nothing new begins then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// When it began.
    pub started: Timestamp,
}

impl Run {
    /// A run that has not begun.
    #[must_use]
    pub fn new(
        execution: ExecutionId,
        workflow: ComponentRef,
        definition: String,
        now: Timestamp,
    ) -> Self {
        Self {
            execution,
            workflow,
            definition,
            status: Status::Running,
            vars: Payload::Inline(serde_json::json!({})),
            tasks: BTreeMap::new(),
            threads: BTreeMap::new(),
            next_thread: 0,
            steps: 0,
            failed: BTreeSet::new(),
            fault: None,
            started: now,
        }
    }

    /// The state of a task.
    pub(super) fn task(&mut self, name: &str) -> &mut TaskState {
        self.tasks.entry(name.to_owned()).or_default()
    }

    /// Another thread, that arrives at a task.
    pub(super) fn spawn(&mut self, task: String, path: Path) -> u32 {
        let number = self.next_thread;
        self.next_thread += 1;
        self.threads.insert(number, Thread::arriving(task, path));
        number
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It goes on.
    Running,
    /// What runs ends; nothing new begins.
    Paused,
    /// What runs ends, as the policy of cancellation says; nothing new begins, and then it is over.
    Canceling,
    /// It is over.
    Over,
}

/// What became of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskState {
    /// How often it was entered.
    pub visits: u32,
    /// How its latest visit ended; `None` while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Whether its failure was dealt with by what follows it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub handled: bool,
    /// Where the result of its latest visit is.
    #[serde(default, skip_serializing_if = "Source::is_nothing")]
    pub result: Source,
    /// Tasks from which a join was reached that does not have enough yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub arrivals: BTreeSet<String>,
    /// The paths of the arrivals, merged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub path: Path,
    /// The path by which it was entered for its latest visit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub came: Path,
    /// When its latest visit began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When its latest visit ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Tries of its latest visit beyond the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// How far its latest visit came, where it had several children and is over: to be shown, and where it did not
    /// end well, so that somebody may have the rest done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Working>,
    /// The transitions that were followed on any visit, by their place in the task.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub followed: BTreeSet<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Where the result of a task is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// There is none.
    #[default]
    Nothing,
    /// It is that of an execution.
    Execution(ExecutionId),
    /// It was a list of no items.
    NoItems,
    /// It was gathered from several, under this name.
    Gathered(String),
    /// Nothing was executed, for this reason.
    Error(String),
}

impl Source {
    const fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

/// How a task, or one of its children, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Well.
    Succeeded,
    /// Badly.
    Failed,
    /// Out of time: also counts as failed.
    TimedOut,
    /// Not begun, since its condition did not hold: also counts as succeeded.
    Skipped,
    /// Stopped on request.
    Cancelled,
}

impl Outcome {
    /// In Orquesta's words.
    #[must_use]
    pub const fn as_word(self) -> &'static str {
        match self {
            Self::Succeeded | Self::Skipped => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "expired",
            Self::Cancelled => "canceled",
        }
    }

    /// Whether what follows a success follows.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Skipped)
    }

    /// Whether what follows a failure follows.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut)
    }
}

/// Tasks on circles that a thread has come through, with the number of the visit. It tells whether whoever comes to a
/// task for another time has been round a circle since, or is late in the same round.
pub type Path = BTreeMap<String, u32>;

/// One of the ways on which a run is at the same time. It is at one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Where it is.
    pub task: String,
    /// What it does there.
    pub phase: Phase,
    /// Where it came through.
    #[serde(default)]
    pub path: Path,
    /// Whether it enters its task although the run fails: cleaning up was ordered together with the failure.
    #[serde(default, skip_serializing_if = "is_false")]
    pub last: bool,
    /// Counts its steps: a step that was taken is not taken again.
    pub sequence: u64,
    /// Counts the orchestrator's executions of it: what an earlier one says does not count.
    #[serde(default)]
    pub hop: u32,
    /// Steps taken since the hop.
    #[serde(default)]
    pub steps_of_hop: u32,
    /// Where the orchestrator waits to be told to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<String>,
}

impl Thread {
    fn arriving(task: String, path: Path) -> Self {
        Self {
            task,
            phase: Phase::Arrived,
            path,
            last: false,
            sequence: 0,
            hop: 0,
            steps_of_hop: 0,
            parked: None,
        }
    }

    /// Until when it waits, where it waits for time.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match &self.phase {
            Phase::Delayed { until } | Phase::Retrying { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// What it is working on, if it is.
    #[must_use]
    pub const fn working(&self) -> Option<&Working> {
        match &self.phase {
            Phase::Working(working) => Some(working),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(super) const fn working_mut(&mut self) -> Option<&mut Working> {
        match &mut self.phase {
            Phase::Working(working) => Some(working),
            _ => None,
        }
    }

    /// How many of its children run.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.working().map_or(0, |working| working.in_flight)
    }
}

/// What a thread does at its task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is about to enter the task.
    Arrived,
    /// It has entered, and waits before it begins.
    Delayed {
        /// Until then.
        until: Timestamp,
    },
    /// Its children are made and run.
    Working(Working),
    /// It waits before it tries again.
    Retrying {
        /// Until then.
        until: Timestamp,
        /// What was done so far.
        working: Working,
    },
    /// The task has ended; what follows it is to be decided.
    Ended {
        /// How.
        outcome: Outcome,
        /// Where its result is.
        #[serde(default)]
        result: Source,
    },
}

/// How far the children of a task are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Working {
    /// Under which name results are gathered, where there are items or branches; `None`, there is one child, and
    /// its result is the task's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gathered: Option<String>,
    /// How many children there are to be.
    pub total: u32,
    /// Where the items lie, and what became of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<List>,
    /// The next one to be made; on a retry, the next one to be looked at.
    pub next: u32,
    /// How many run.
    pub in_flight: u32,
    /// How many may run at the same time; 0, all.
    pub window: u32,
    /// How many ended well, over all tries.
    pub succeeded: u32,
    /// How many ended badly in this try.
    pub failed: u32,
    /// How many of those ran out of time.
    pub timed_out: u32,
    /// How many were cancelled in this try.
    pub cancelled: u32,
    /// Tries before this one.
    pub tries: u32,
    /// Seconds that each child may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<f64>,
    /// The only child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<ExecutionId>,
    /// The first try of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<ExecutionId>,
}

/// A list of items, in parts that each fit into a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// Tells it from one that was kept for a step that did not happen.
    pub id: i64,
    /// Items in each part.
    pub part: u32,
}

impl Working {
    /// Whether children are still to be made, and one may be made now.
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.next < self.total && (self.window == 0 || self.in_flight < self.window)
    }

    /// Whether all children have been made and have ended.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.next >= self.total && self.in_flight == 0
    }

    /// The same, for another try of what did not end well.
    #[must_use]
    pub(super) fn once_more(self) -> Self {
        Self {
            next: 0,
            in_flight: 0,
            failed: 0,
            timed_out: 0,
            cancelled: 0,
            tries: self.tries + 1,
            original: self.original.or(self.child),
            child: None,
            ..self
        }
    }

    /// How it ended, taken together.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        if self.failed > self.timed_out {
            Outcome::Failed
        } else if self.timed_out > 0 {
            Outcome::TimedOut
        } else if self.cancelled > 0 {
            Outcome::Cancelled
        } else {
            Outcome::Succeeded
        }
    }
}
