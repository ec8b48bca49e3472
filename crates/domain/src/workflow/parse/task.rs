//! One task.

use super::field::Field;
use super::reader::Place;
use super::transition::{self, Names};
use super::{inline, repetition, work};
use crate::template::Template;
use crate::workflow::definition::{
    Backoff, Dialect, Join, Quantity, Retry, Target, Task, Transition,
};
use serde_json::{Map, Value};

/// Seconds of a delay or a timeout, at most: a year.
pub(super) const LONGEST: f64 = 366.0 * 86_400.0;

/// Further tries that Orquesta's command `retry` means.
const COMMANDED_RETRIES: f64 = 3.0;

const PLACEMENT: [&str; 3] = ["worker_selector", "worker_tolerations", "worker_affinity"];

/// The keys that mean something, besides those for the workflow's editor.
const KEYS: [&str; 30] = [
    "name",
    "type",
    "action",
    "input",
    "tasks",
    "when",
    "with_items",
    "with",
    "concurrency",
    "batch_size",
    "retry",
    "delay",
    "timeout",
    "join",
    "next",
    "publish",
    "on_success",
    "on_failure",
    "on_complete",
    "on_timeout",
    "decision",
    "permission_set_refs",
    "permission_set_ref",
    "worker_selector",
    "worker_tolerations",
    "worker_affinity",
    // For people.
    "description",
    "label",
    "tags",
    "notes",
];

/// Reads a task. What is wrong is reported, and reading goes on with something harmless in its place.
pub(super) fn task(field: &Field<'_>, name: &str, names: &Names<'_>) -> Task {
    warn_of_unknown(field, &KEYS);
    let items = repetition::items(field);
    let place = if items.is_some() { Place::Item } else { Place::Anywhere };
    let work = work::work(field, items.is_some());
    let mut task = Task {
        name: name.to_owned(),
        work,
        when: field.get("when").and_then(|when| when.condition(Place::Anywhere)),
        items,
        retry: field.get("retry").and_then(|retry| repetition::retry(&retry)),
        delay: field.get("delay").and_then(|it| it.quantity(Place::Anywhere, 0.0, LONGEST)),
        timeout: field.get("timeout").and_then(|it| it.quantity(Place::Anywhere, 0.0, LONGEST)),
        join: field.get("join").and_then(|join| read_join(&join)),
        transitions: transition::transitions(field, names),
        permission_set_refs: field
            .first(&["permission_set_refs", "permission_set_ref"])
            .map(|refs| refs.texts()),
        placement: placement(field, place),
    };
    if field.reader.dialect == Dialect::Orquesta
        && let Some(retry) = commanded_retry(field, &mut task.transitions)
    {
        task.retry = Some(retry);
    }
    task
}

/// Warns of keys that mean nothing.
pub(super) fn warn_of_unknown(field: &Field<'_>, known: &[&str]) {
    for (key, value) in field.members() {
        if !known.contains(&key) && !key.starts_with("__") {
            let hint = super::suggestion(key, known.iter().copied());
            value.warning(format!("unknown key '{key}'{hint}"));
        }
    }
}

/// The retry that Orquesta's command of this name stands for: it is no way back to the task, but up to three more
/// tries while the condition of its transition holds.
fn commanded_retry(field: &Field<'_>, transitions: &mut [Transition]) -> Option<Retry> {
    let commanding = transitions.iter_mut().find(|it| it.to.contains(&Target::Retry))?;
    let when = match &commanding.when {
        Some(when) => Some(when.clone()),
        None => field.reader.condition(&field.at, "completed()", Place::After),
    };
    let (count, delay) = (Quantity::Fixed(COMMANDED_RETRIES), Quantity::Fixed(0.0));
    for transition in transitions {
        transition.to.retain(|target| *target != Target::Retry);
    }
    let (backoff, max_delay, jitter, on_error) = (Backoff::Constant, None, 0.0, None);
    Some(Retry { count, delay, backoff, max_delay, jitter, when, on_error })
}

fn read_join(field: &Field<'_>) -> Option<Join> {
    match field.value {
        Value::String(word) if word.trim().eq_ignore_ascii_case("all") => Some(Join::All),
        Value::String(digits) => {
            let count = digits.trim().parse().ok().filter(|count| *count > 0);
            if count.is_none() {
                field.expected("'all' or a whole number from 1 on");
            }
            count.map(Join::Count)
        }
        _ => {
            let count = field.whole(1, u64::from(u32::MAX))?;
            u32::try_from(count).ok().map(Join::Count)
        }
    }
}

fn placement(field: &Field<'_>, place: Place) -> Option<Template> {
    let given: Map<String, Value> = PLACEMENT
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), field.get(key)?.value.clone())))
        .collect();
    if given.is_empty() {
        return None;
    }
    Some(field.reader.template(&field.at, &Value::Object(given), place))
}

/// Checks a name by which results are found.
pub(super) fn check_name(field: &Field<'_>, name: &str) {
    const RESERVED: [&str; 9] =
        ["parameters", "vars", "task", "system", "kv", "pack", "item", "batch", "index"];
    if name.trim().is_empty() {
        field.error("expected a name");
    } else if RESERVED.contains(&name) {
        field.error(format!("'{name}' is a reserved name"));
    } else if field.reader.dialect == Dialect::Orquesta && transition::engine_target(name).is_some()
    {
        field.error(format!("'{name}' is a command of the engine, not a name for a task"));
    } else if !inline::is_name(name) {
        field.warning(format!(
            "the name '{name}' has other characters than letters, digits, '_' and '-': expressions have to \
             quote it"
        ));
    }
}
