//! Where records of runs stand.
//!
//! | what | partition | sort |
//! |---|---|---|
//! | a run | `run/<execution>` | – |
//! | items of a task's visit | `gathered/<execution>/<task>/<visit>` | `<list>/<part>` |
//! | their result | the same | `result` |

use crate::announce;
use attune_domain::Timestamp;
use attune_domain::id::ExecutionId;
use attune_domain::payload::Payload;
use attune_domain::workflow::run::{Phase, Run, Status, Thread};
use attune_ports::Record;
use attune_ports::records::{Key, Kind};
use chrono::TimeDelta;

/// A run.
pub(crate) fn run(execution: ExecutionId) -> Key {
    Key::new(format!("run/{execution}"), "")
}

/// The partition of what a task's children come to, by the name that the planner gave it.
pub(crate) fn gathered(name: &str) -> String {
    format!("gathered/{name}")
}

/// A part of a list of items.
pub(super) fn part(name: &str, list: i64, part: u32) -> Key {
    Key::new(gathered(name), format!("{list}/{part:08}"))
}

/// What a task's children came to.
pub(super) fn result(name: &str) -> Key {
    Key::new(gathered(name), "result")
}

/// Name of a blob with a run's variables; `id` tells it from those before.
pub(super) fn vars_blob(run: ExecutionId, id: i64) -> String {
    format!("runs/{run}.{id}.vars")
}

/// The blob in which a run's variables lie, where it is not that of another run which this one repeats.
pub(crate) fn own_blob(run: ExecutionId, vars: &Payload) -> Option<&str> {
    match vars {
        Payload::Blob { name, .. } => name.starts_with(&format!("runs/{run}.")).then_some(name),
        Payload::Inline(_) => None,
    }
}

/// A run's record.
pub(crate) fn run_record(run: &Run, now: Timestamp) -> Record {
    let record = Record::new(Kind::Run, self::run(run.execution), run);
    crate::layout::due(record, due(run, now))
}

/// When somebody should look after a run: a while after the step that any of its threads is to take.
fn due(run: &Run, now: Timestamp) -> Option<Timestamp> {
    let overdue = announce::overdue_at(run.started, now);
    match run.status {
        Status::Over | Status::Paused => None,
        // Its children are cancelled one by one; what a crash left of that is done again.
        Status::Canceling => Some(overdue),
        Status::Running => run.threads.values().filter_map(|thread| due_of(thread, overdue)).min(),
    }
}

fn due_of(thread: &Thread, overdue: Timestamp) -> Option<Timestamp> {
    if let Some(until) = thread.until() {
        return Some(until.max(overdue) + TimeDelta::seconds(5));
    }
    match &thread.phase {
        Phase::Working(working) if thread.parked.is_some() && !working.is_done() => None,
        _ => Some(overdue),
    }
}
