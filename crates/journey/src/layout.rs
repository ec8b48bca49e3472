//! Where the journey's records stand, and how indexes find them.
//!
//! | what | partition | sort | `List` | `Of` | `By` |
//! |---|---|---|---|---|---|
//! | an event | `event/<id>` | – | `event` | – | `trigger/<ref>` |
//! | an enforcement | `enforcement/<id>` | – | `enforcement` | – | `rule/<ref>` |
//! | an execution | `execution/<id>` | – | `execution` | `parent/<id>` | `action/<ref>` |
//! | an inquiry | `inquiry/<id>` | – | `inquiry` | – | – |
//! | a lane | `lane/<key>` | – | – | `policy/<id>` | – |
//! | a ticket of it | `lane/<key>` | `ticket/<ticket>` | – | – | – |
//! | a cause's mark | `cause/<cause>` | – | – | – | – |
//!
//! Every place in an index is one more write in the cloud. So what another record tells is not indexed: an
//! event names its enforcements, an enforcement its execution, an execution its inquiry.
//!
//! In indexes the sort key is the id in 16 digits, so that order is time. Whatever leaves a next step
//! undone also stands in `Due` under `due`, by moment.

use crate::announce;
use attune_domain::Timestamp;
use attune_domain::admission::{Lane, LaneKey, Ticket, Waiter};
use attune_domain::enforcement::Enforcement;
use attune_domain::event::Event;
use attune_domain::execution::Execution;
use attune_domain::id::{EnforcementId, EventId, ExecutionId, InquiryId};
use attune_domain::inquiry::{Inquiry, Status};
use attune_ports::records::{Index, Key, Kind, MAX_RECORD_BYTES, Record};
use chrono::TimeDelta;
use std::fmt::Display;

/// The only partition of the due index; implementations shard it.
pub const DUE: &str = "due";

/// An id as index sort keys hold it.
#[must_use]
pub fn sort_of(id: i64) -> String {
    format!("{id:016}")
}

/// An event.
#[must_use]
pub fn event(id: EventId) -> Key {
    Key::new(format!("event/{id}"), "")
}

/// An enforcement.
#[must_use]
pub fn enforcement(id: EnforcementId) -> Key {
    Key::new(format!("enforcement/{id}"), "")
}

/// An execution.
#[must_use]
pub fn execution(id: ExecutionId) -> Key {
    Key::new(format!("execution/{id}"), "")
}

/// An inquiry.
#[must_use]
pub fn inquiry(id: InquiryId) -> Key {
    Key::new(format!("inquiry/{id}"), "")
}

/// A lane.
#[must_use]
pub fn lane(key: &LaneKey) -> Key {
    Key::new(format!("lane/{key}"), "")
}

/// A ticket in a lane.
#[must_use]
pub fn ticket(lane: &LaneKey, ticket: Ticket) -> Key {
    Key::new(format!("lane/{lane}"), format!("ticket/{ticket}"))
}

/// The mark that something with this cause exists.
#[must_use]
pub fn cause(cause: impl Display) -> Key {
    Key::new(format!("cause/{cause}"), "")
}

/// Partition of index `By`: events of a trigger.
#[must_use]
pub fn events_of_trigger(trigger_ref: impl Display) -> String {
    format!("trigger/{trigger_ref}")
}

/// Partition of index `By`: enforcements of a rule.
#[must_use]
pub fn enforcements_of_rule(rule_ref: impl Display) -> String {
    format!("rule/{rule_ref}")
}

/// Partition of index `Of`: children of an execution.
#[must_use]
pub fn children_of(parent: ExecutionId) -> String {
    format!("parent/{parent}")
}

/// Partition of index `By`: executions of an action.
#[must_use]
pub fn executions_of_action(action_ref: impl Display) -> String {
    format!("action/{action_ref}")
}

/// Partition of index `Of`: lanes of a policy.
#[must_use]
pub fn lanes_of_policy(policy: attune_domain::id::PolicyId) -> String {
    format!("policy/{policy}")
}

/// When the next step of a record is overdue; `None`, nothing is undone.
pub(crate) fn due(record: Record, at: Option<Timestamp>) -> Record {
    match at {
        None => record,
        Some(at) => {
            let sort = format!("{}/{}", due_sort(at), record.key);
            record.at(Index::Due, DUE, sort)
        }
    }
}

/// When a record is overdue, as its place in the due index says.
pub(crate) fn due_of(record: &Record) -> Option<Timestamp> {
    let place = record.places.iter().find(|place| place.index == Index::Due)?;
    let (millis, _) = place.sort.split_once('/')?;
    Timestamp::from_timestamp_millis(millis.parse().ok()?)
}

/// A moment as due sort keys start with it.
pub(crate) fn due_sort(at: Timestamp) -> String {
    format!("{:016}", at.timestamp_millis().max(0))
}

/// An event's record.
pub(crate) fn event_record(event: &Event, due_at: Option<Timestamp>) -> Record {
    let sort = sort_of(event.id.get());
    let record = Record::new(Kind::Event, self::event(event.id), event)
        .at(Index::List, Kind::Event.as_str(), &sort)
        .at(Index::By, events_of_trigger(&event.trigger_ref), sort)
        .counted("event");
    due(record, due_at)
}

/// An enforcement's record.
pub(crate) fn enforcement_record(enforcement: &Enforcement, due_at: Option<Timestamp>) -> Record {
    let sort = sort_of(enforcement.id.get());
    let record = Record::new(Kind::Enforcement, self::enforcement(enforcement.id), enforcement)
        .at(Index::List, Kind::Enforcement.as_str(), &sort)
        .at(Index::By, enforcements_of_rule(&enforcement.rule_ref), sort)
        .counted("enforcement");
    due(record, due_at)
}

/// An execution's record.
pub(crate) fn execution_record(execution: &Execution, due_at: Option<Timestamp>) -> Record {
    let sort = sort_of(execution.id.get());
    let mut record = Record::new(Kind::Execution, self::execution(execution.id), execution)
        .at(Index::List, Kind::Execution.as_str(), &sort)
        .at(Index::By, executions_of_action(&execution.action_ref), &sort)
        .counted(format!("execution/{}", execution.status));
    if let Some(parent) = execution.parent {
        record = record.at(Index::Of, children_of(parent), sort);
    }
    due(record, due_at)
}

/// Bytes of an execution's record when it is asked for, at most. What comes of it lies beside that in the end: a result,
/// what it printed, its claim and its place.
const MOST_ASKED: usize = MAX_RECORD_BYTES - 160 * 1024;

/// An execution, or what is to become one, is too large to be run.
#[derive(Debug, thiserror::Error)]
#[error(
    "the execution is too large to be stored, most likely by its secrets or `env_vars`: {bytes} bytes, of {MOST_ASKED}"
)]
pub(crate) struct TooLarge {
    bytes: usize,
}

/// Checks that an execution that is asked for, as this record has it, fits into its record until its end.
pub(crate) fn check_asked(record: &Record) -> Result<(), TooLarge> {
    let bytes = record.body.len();
    if bytes > MOST_ASKED { Err(TooLarge { bytes }) } else { Ok(()) }
}

/// An inquiry's record; while it is pending, it is due around its deadline.
pub(crate) fn inquiry_record(inquiry: &Inquiry) -> Record {
    let record = Record::new(Kind::Inquiry, self::inquiry(inquiry.id), inquiry)
        .at(Index::List, Kind::Inquiry.as_str(), sort_of(inquiry.id.get()))
        .counted(format!("inquiry/{}", inquiry.status));
    let is_pending = inquiry.status == Status::Pending;
    due(record, is_pending.then(|| around(inquiry.timeout_at, inquiry.created)))
}

/// When a record whose moment is `at` is due, as seen `from` when it was planned: a while after the message that
/// comes at that moment; or a while before, where that is still to be sent, being too far for a message's delay.
fn around(at: Timestamp, from: Timestamp) -> Timestamp {
    at + if at > from + announce::FAR { TimeDelta::minutes(-2) } else { TimeDelta::seconds(5) }
}

/// A lane's record; it is due when somebody should look at it.
pub(crate) fn lane_record(lane: &Lane) -> Record {
    let record = Record::new(Kind::Lane, self::lane(&lane.key), lane).at(
        Index::Of,
        lanes_of_policy(lane.policy),
        lane.key.as_str(),
    );
    due(record, lane.wake_at.map(|at| around(at, lane.updated)))
}

/// A ticket's record; it is due when its holder has waited too long.
pub(crate) fn ticket_record(lane: &LaneKey, waiter: &Waiter) -> Record {
    let record = Record::new(Kind::Ticket, ticket(lane, waiter.ticket), waiter);
    due(record, waiter.until)
}
