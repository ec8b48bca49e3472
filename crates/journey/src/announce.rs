//! Announce: send the next step its message, and know when it must be sent again.

use crate::workflow;
use attune_domain::Timestamp;
use attune_domain::admission::{Lane, LaneKey};
use attune_domain::enforcement::Enforcement;
use attune_domain::event::Event;
use attune_domain::execution::{Execution, Holds, Place};
use attune_domain::inquiry::Inquiry;
use attune_domain::message::{Message, Reads, Step};
use attune_domain::status::ExecutionStatus;
use attune_ports::orchestrator::ThreadStep;
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

/// What is to be said, and to whom.
#[derive(Clone, Debug)]
pub(crate) enum Announcement {
    /// A message to the next step.
    Message(Addressed),
    /// A run's first step is to be taken.
    Run(ThreadStep),
}

/// A message with its address.
#[derive(Clone, Debug)]
pub(crate) struct Addressed {
    queue: Queue,
    group: String,
    message: Message,
    delay: Duration,
}

impl Addressed {
    fn now(queue: Queue, group: impl Into<String>, step: Step, reads: Reads) -> Self {
        let message = Message { reads, ..step.into() };
        Self { queue, group: group.into(), message, delay: Duration::ZERO }
    }
}

impl Announcement {
    fn now(queue: Queue, group: impl Into<String>, step: Step, reads: Reads) -> Self {
        Self::Message(Addressed::now(queue, group, step, reads))
    }

    fn after(queue: Queue, group: &str, step: Step, delay: Duration) -> Self {
        Self::Message(Addressed { delay, ..Addressed::now(queue, group, step, Reads::default()) })
    }

    /// An event is to be matched.
    pub(crate) fn event(event: &Event) -> Self {
        let reads = Reads {
            trigger: Some(event.trigger_ref.clone()),
            rule: event.rule_ref.clone(),
            ..Reads::default()
        };
        Self::now(Queue::Match, "", Step::EventCreated { event: event.id }, reads)
    }

    /// An enforcement is to be admitted, in the order of its action.
    pub(crate) fn enforcement(enforcement: &Enforcement) -> Self {
        let step =
            Step::EnforcementCreated { enforcement: enforcement.id, event: enforcement.event };
        let reads = Reads {
            rule: Some(enforcement.rule_ref.clone()),
            action: Some(enforcement.action_ref.clone()),
            ..Reads::default()
        };
        Self::now(Queue::Admit, enforcement.action_ref.as_str(), step, reads)
    }

    /// A requested execution is to be admitted, in the order of its action.
    pub(crate) fn requested(execution: &Execution) -> Self {
        let step = Step::ExecutionRequested { execution: execution.id };
        let reads = Reads { action: Some(execution.action_ref.clone()), ..Reads::default() };
        Self::now(Queue::Admit, execution.action_ref.as_str(), step, reads)
    }

    /// A scheduled execution is to be run; `None` where it is not scheduled.
    pub(crate) fn scheduled(execution: &Execution) -> Option<Self> {
        let runtime = execution.runtime?;
        if execution.status != ExecutionStatus::Scheduled {
            return None;
        }
        let step = Step::ExecutionScheduled { execution: execution.id, attempt: execution.attempt };
        let reads = Reads { action: Some(execution.action_ref.clone()), ..Reads::default() };
        Some(Self::now(Queue::Run(runtime), "", step, reads))
    }

    /// What comes next for an execution that was admitted: its run, or its end.
    pub(crate) fn next(execution: &Execution) -> Option<Self> {
        let begins = execution.workflow.is_some() && execution.status == ExecutionStatus::Running;
        if begins {
            return Some(Self::Run(workflow::repair::first(execution.id)));
        }
        Self::scheduled(execution).or_else(|| Self::completed(execution))
    }

    /// An ended execution leaves its lane, or its parent wants to know; `None` where nobody does.
    pub(crate) fn completed(execution: &Execution) -> Option<Self> {
        if !execution.status.is_terminal() || !execution.is_awaited() {
            return None;
        }
        let (group, lane) = match (&execution.place, execution.parent) {
            (Some(Place { lane, holds: Holds::Slot(_) }), _) => (lane.to_string(), Some(lane)),
            (_, Some(parent)) => (parent.to_string(), None),
            (_, None) => return None,
        };
        let step = Step::ExecutionCompleted { execution: execution.id };
        let run = execution.parent.filter(|_| execution.thread.is_some());
        let reads = Reads { lane: lane.cloned(), run, ..Reads::default() };
        Some(Self::now(Queue::Complete, group, step, reads))
    }

    /// An execution that waits for people gives its slot back; `None` where it holds none.
    pub(crate) fn waiting(execution: &Execution) -> Option<Self> {
        let Some(Place { lane, holds: Holds::Slot(_) }) = &execution.place else { return None };
        execution.waits_for()?;
        let step = Step::ExecutionCompleted { execution: execution.id };
        let reads = Reads { lane: Some(lane.clone()), ..Reads::default() };
        Some(Self::now(Queue::Complete, lane.to_string(), step, reads))
    }

    /// An inquiry's deadline comes; `None` while that is too far for a message: then it stands in the due index.
    pub(crate) fn deadline(inquiry: &Inquiry, now: Timestamp) -> Option<Self> {
        let step = Step::InquiryDue { inquiry: inquiry.id };
        let delay = (inquiry.timeout_at - now).to_std().unwrap_or_default();
        (inquiry.timeout_at <= now + FAR).then(|| Self::after(Queue::Wake, "", step, delay))
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
        Self::after(Queue::Wake, lane.as_str(), step, delay)
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
        let announcement = match announcement {
            Announcement::Message(addressed) => addressed,
            Announcement::Run(step) => {
                ports.orchestrator.start(step).await?;
                continue;
            }
        };
        let outgoing = Outgoing::new(announcement.message, announcement.group, number)
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
