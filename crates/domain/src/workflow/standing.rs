//! How the tasks of a run stand, as people are told.

use super::run::{Outcome, Phase, Run, Thread, Working};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was not begun.
    Pending,
    /// It was begun and has not ended.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It ran out of time.
    TimedOut,
    /// Its condition did not hold.
    Skipped,
    /// It was stopped on request.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Skipped,
        Self::Cancelled,
    ];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Outcome> for Status {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded => Self::Succeeded,
            Outcome::Failed => Self::Failed,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Skipped => Self::Skipped,
            Outcome::Cancelled => Self::Cancelled,
        }
    }
}

/// How far a task with several executions has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Executions in all.
    pub total: u32,
    /// How many ended well.
    pub succeeded: u32,
    /// How many ended badly in the latest try.
    pub failed: u32,
    /// How many were stopped in the latest try.
    pub cancelled: u32,
    /// How many have not ended.
    pub running: u32,
}

impl From<&Working> for Progress {
    fn from(working: &Working) -> Self {
        Self {
            total: working.total,
            succeeded: working.succeeded,
            failed: working.failed,
            cancelled: working.cancelled,
            running: working.in_flight,
        }
    }
}

impl Run {
    /// Where a task stands.
    #[must_use]
    pub fn standing(&self, task: &str) -> Status {
        if let Some(outcome) = self.tasks.get(task).and_then(|state| state.outcome) {
            return outcome.into();
        }
        let begun = |thread: &Thread| !matches!(thread.phase, Phase::Arrived);
        match self.threads_at(task).any(begun) {
            true => Status::Running,
            false => Status::Pending,
        }
    }

    /// Where a branch of a parallel task stands; it has ended when the whole task has.
    #[must_use]
    pub fn standing_of_branch(&self, task: &str, branch: &str) -> Status {
        match self.standing(task) {
            Status::Running => Status::Running,
            _ => self.standing(branch),
        }
    }

    /// How far a task has come that has several executions.
    #[must_use]
    pub fn progress(&self, task: &str) -> Option<Progress> {
        let at_work = self.threads_at(task).filter_map(|thread| match &thread.phase {
            Phase::Working(working) | Phase::Retrying { working, .. } => Some(working),
            _ => None,
        });
        let left = || self.tasks.get(task)?.left.as_ref();
        let working = at_work.last().or_else(left)?;
        working.gathered.is_some().then(|| working.into())
    }

    /// The threads that are at a task, the oldest first.
    pub fn threads_at<'r>(&'r self, task: &'r str) -> impl Iterator<Item = &'r Thread> {
        self.threads.values().filter(move |thread| thread.task == task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::id::ExecutionId;
    use crate::reference::ComponentRef;
    use crate::workflow::run::TaskState;

    fn run() -> Run {
        let workflow = ComponentRef::parse("a.b").unwrap();
        Run::new(ExecutionId::new(1), workflow, String::new(), Timestamp::default())
    }

    #[test]
    fn a_task_stands_where_its_threads_and_its_end_say() {
        let items =
            Working { gathered: Some("x".into()), total: 9, in_flight: 2, ..Working::default() };
        let until = Timestamp::default();
        for (why, phase, outcome, status, total) in [
            ("nobody was there", None, None, Status::Pending, None),
            ("somebody is about to begin", Some(Phase::Arrived), None, Status::Pending, None),
            (
                "it waits before it begins",
                Some(Phase::Delayed { until }),
                None,
                Status::Running,
                None,
            ),
            ("it works", Some(Phase::Working(items.clone())), None, Status::Running, Some(9)),
            (
                "it waits before it tries again",
                Some(Phase::Retrying { until, working: items.clone() }),
                None,
                Status::Running,
                Some(9),
            ),
            (
                "it has one execution",
                Some(Phase::Working(Working::default())),
                None,
                Status::Running,
                None,
            ),
            ("it is over", None, Some(Outcome::TimedOut), Status::TimedOut, None),
            (
                "somebody comes for another time",
                Some(Phase::Arrived),
                Some(Outcome::Succeeded),
                Status::Succeeded,
                None,
            ),
        ] {
            let mut run = run();
            if let Some(phase) = phase {
                let thread = run.spawn("t".into(), Default::default());
                run.threads.get_mut(&thread).unwrap().phase = phase;
            }
            run.tasks.insert("t".into(), TaskState { outcome, ..TaskState::default() });
            assert_eq!(run.standing("t"), status, "{why}");
            assert_eq!(run.progress("t").map(|progress| progress.total), total, "{why}");
        }
    }

    #[test]
    fn words_are_those_of_the_wire() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
