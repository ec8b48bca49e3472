//! Announce: send the next step its message, and know when it must be sent again.

use attune_domain::Timestamp;
use attune_domain::admission::{Lane, LaneKey};
use attune_domain::enforcement::Enforcement;
use attune_domain::execution::{Execution, Handed, Holds, Place};
use attune_domain::id::EventId;
use attune_domain::message::Step;
use attune_ports::{Outgoing, Ports, Queue, Unavailable};
use chrono::TimeDelta;
use std::time::Duration;

/// How long a next step may take before the sweep announces it again.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);
/// The longest pause between two repairs of the same step.
const PAUSE: TimeDelta = TimeDelta::hours(1);
/// Wakes that are farther away than a message can be delayed are left to the sweep.
pub(crate) const FAR: TimeDelta = TimeDelta::minutes(15);
/// How long the marks of causes are kept: as long as a redelivery is possible.
pub(crate) const CAUSES_KEPT: TimeDelta = TimeDelta::days(8);

/// When a step announced now is overdue, for a record made at `since`: the older, the more patient.
pub(crate) fn overdue_at(since: Timestamp, now: Timestamp) -> Timestamp {
    now + (now - since).clamp(PATIENCE, PAUSE)
}

/// A message with its address.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    queue: Queue,
    group: String,
    step: Step,
    delay: Duration,
}

impl Announcement {
    fn now(queue: Queue, group: impl Into<String>, step: Step) -> Self {
        Self { queue, group: group.into(), step, delay: Duration::ZERO }
    }

    /// An event is to be matched.
    pub(crate) fn event(event: EventId) -> Self {
        Self::now(Queue::Match, "", Step::EventCreated { event })
    }

    /// An enforcement is to be admitted, in the order of its action.
    pub(crate) fn enforcement(enforcement: &Enforcement) -> Self {
        let step =
            Step::EnforcementCreated { enforcement: enforcement.id, event: enforcement.event };
        Self::now(Queue::Admit, enforcement.action_ref.as_str(), step)
    }

    /// A requested execution is to be admitted, in the order of its action.
    pub(crate) fn requested(execution: &Execution) -> Self {
        let step = Step::ExecutionRequested { execution: execution.id };
        Self::now(Queue::Admit, execution.action_ref.as_str(), step)
    }

    /// A scheduled execution is to be run.
    pub(crate) fn scheduled(handed: Handed) -> Self {
        let step =
            Step::ExecutionScheduled { execution: handed.execution, attempt: handed.attempt };
        Self::now(Queue::Run(handed.runtime), "", step)
    }

    /// An ended execution leaves its lane, or its parent wants to know; `None` where nobody does.
    pub(crate) fn completed(execution: &Execution) -> Option<Self> {
        if !execution.status.is_terminal() || !execution.is_awaited() {
            return None;
        }
        let group = match (&execution.place, execution.parent) {
            (Some(Place { lane, holds: Holds::Slot(_) }), _) => lane.to_string(),
            (_, Some(parent)) => parent.to_string(),
            (_, None) => return None,
        };
        let step = Step::ExecutionCompleted { execution: execution.id };
        Some(Self::now(Queue::Complete, group, step))
    }

    /// Somebody of a lane may go later, and sooner than was known `before`; `None` where a wake for that
    /// moment is on its way already, which goes on by itself, and where the moment is too far for a message:
    /// then the lane stands in the due index.
    pub(crate) fn wake_sooner(
        before: Option<Timestamp>,
        lane: &Lane,
        now: Timestamp,
    ) -> Option<Self> {
        let at = lane.wake_at?;
        let sooner = before.is_none_or(|before| at + TimeDelta::milliseconds(1) < before);
        (sooner && at <= now + FAR)
            .then(|| Self::wake(&lane.key, (at - now).to_std().unwrap_or_default()))
    }

    /// Somebody of a lane may go, after `delay`.
    pub(crate) fn wake(lane: &LaneKey, delay: Duration) -> Self {
        let step = Step::LaneWake { lane: lane.clone() };
        Self { delay, ..Self::now(Queue::Wake, lane.as_str(), step) }
    }
}

/// Sends announcements, those of one queue together and in order.
pub(crate) async fn send(
    ports: &Ports,
    announcements: impl IntoIterator<Item = Announcement>,
) -> Result<(), Unavailable> {
    // Different each time, so that a repair is never taken for what it repairs.
    let number = u64::try_from(ports.clock.now().timestamp_micros()).unwrap_or(0);
    let mut batch: Option<(Queue, Vec<Outgoing>)> = None;
    for announcement in announcements {
        let outgoing = Outgoing::new(announcement.step.into(), announcement.group, number)
            .after(announcement.delay);
        match &mut batch {
            Some((queue, gathered)) if *queue == announcement.queue => gathered.push(outgoing),
            _ => {
                if let Some((queue, gathered)) = batch.replace((announcement.queue, vec![outgoing]))
                {
                    ports.queues.send(queue, gathered).await?;
                }
            }
        }
    }
    match batch {
        Some((queue, gathered)) => ports.queues.send(queue, gathered).await,
        None => Ok(()),
    }
}
