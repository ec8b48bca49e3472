//! What a task does.

use super::field::Field;
use super::inline;
use super::reader::Place;
use super::task::{LONGEST, check_name, warn_of_unknown};
use crate::reference::ComponentRef;
use crate::template::Template;
use crate::workflow::definition::{Branch, Call, Dialect, Input, Work};
use serde_json::{Map, Value};

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Action,
    Workflow,
    Parallel,
}

/// The keys of one of the tasks of a parallel task.
const BRANCH_KEYS: [&str; 7] =
    ["name", "type", "action", "input", "timeout", "description", "label"];

/// The keys that it would take a task of the workflow for.
const TASK_KEYS: [&str; 8] =
    ["when", "with", "with_items", "retry", "next", "join", "delay", "tasks"];

/// Reads what a task does; an item of its list may stand in its input.
pub(super) fn work(field: &Field<'_>, has_items: bool) -> Work {
    match read_type(field) {
        Type::Parallel => {
            if has_items {
                field.error("a parallel task cannot have items: give them to a nested workflow");
            }
            parallel(field)
        }
        kind => match call(field, has_items) {
            Some(call) => Work::Action(call),
            None => {
                if kind == Type::Workflow && field.get("action").is_none() {
                    field.error("action: required, since the task is a workflow");
                }
                if let (Some(input), None) = (field.get("input"), field.get("action")) {
                    input.warning("has no effect, since the task has no action");
                }
                Work::Nothing
            }
        },
    }
}

fn read_type(field: &Field<'_>) -> Type {
    let words =
        [("action", Type::Action), ("workflow", Type::Workflow), ("parallel", Type::Parallel)];
    field.get("type").and_then(|kind| kind.word(&words)).unwrap_or(Type::Action)
}

fn parallel(field: &Field<'_>) -> Work {
    if let Some(action) = field.get("action") {
        action.error("a parallel task executes its tasks, not an action");
    }
    let Some(tasks) = field.get("tasks") else {
        field.error("tasks: required, since the task is parallel");
        return Work::Parallel(Vec::new());
    };
    let branches = super::named(&tasks);
    if branches.is_empty() {
        tasks.error("expected at least one task");
    }
    let branches = branches.into_iter().filter_map(|(name, task)| branch(&name, &task)).collect();
    Work::Parallel(branches)
}

fn branch(name: &str, field: &Field<'_>) -> Option<Branch> {
    check_name(field, name);
    for value in TASK_KEYS.iter().filter_map(|key| field.get(key)) {
        value.error("not possible for a task of a parallel task: make it a workflow of its own");
    }
    if read_type(field) == Type::Parallel {
        field.error("parallel tasks do not nest: make it a workflow of its own");
        return None;
    }
    warn_of_unknown(field, &[&BRANCH_KEYS[..], &TASK_KEYS].concat());
    let Some(call) = call(field, false) else {
        if field.get("action").is_none() {
            field.error("action: required, but missing");
        }
        return None;
    };
    let timeout = field.get("timeout");
    Some(Branch {
        name: name.to_owned(),
        call,
        timeout: timeout.and_then(|it| it.quantity(Place::Anywhere, 0.0, LONGEST)),
    })
}

/// The action of a task, unless there is none or it cannot be read.
fn call(field: &Field<'_>, item: bool) -> Option<Call> {
    let action = field.get("action")?;
    let text = action.text()?.trim();
    let (name, line) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if name == "noop" && field.reader.dialect == Dialect::Orquesta {
        return None;
    }
    if name.starts_with("<%") || name.starts_with("{{") {
        action.error("an action is named, not computed");
        return None;
    }
    let reference = match ComponentRef::parse(name) {
        Ok(reference) => Some(reference),
        Err(_) if !name.contains('.') => {
            action.error(format!("'{name}' has no pack: expected 'pack.name'"));
            None
        }
        Err(error) => {
            action.error(error.to_string());
            None
        }
    };
    let assigned = inline::assignments(line).unwrap_or_else(|why| {
        action.error(why);
        Vec::new()
    });
    let input = input(field, &action, assigned, Place::Input { item })?;
    Some(Call { action: reference?, input })
}

/// The parameters of an action: what stands behind its name, and its `input`.
fn input(
    field: &Field<'_>,
    action: &Field<'_>,
    assigned: Vec<(String, Value)>,
    place: Place,
) -> Option<Input> {
    let assigned: Map<String, Value> = assigned.into_iter().collect();
    let line = (!assigned.is_empty()).then_some(Value::Object(assigned));
    let input = field.get("input").filter(|input| {
        // Classic workflows hand their own parameters down where a task has none of its own.
        input.value.as_object().is_none_or(|map| !map.is_empty())
    });
    Some(Input::Given(match (input, line) {
        (None, None) => match field.reader.dialect {
            Dialect::Classic => return Some(Input::Inherited),
            Dialect::Orquesta => Template::parse(&Value::Object(Map::new())),
        },
        (None, Some(line)) => field.reader.template(&action.at, &line, place),
        (Some(input), None) => match input.value {
            Value::Object(_) => input.template(place),
            Value::String(text) => {
                let template = input.template(place);
                if template.is_literal() && !text.trim().is_empty() {
                    input.expected("a mapping, or an expression that gives one");
                    return None;
                }
                template
            }
            _ => {
                input.expected("a mapping, or an expression that gives one");
                return None;
            }
        },
        (Some(input), Some(line)) => {
            let (Value::Object(map), Value::Object(line)) = (input.value, line) else {
                input.error(
                    "expected a mapping, since there are parameters behind the action's name",
                );
                return None;
            };
            if let Some(name) = map.keys().find(|name| line.contains_key(*name)) {
                input.error(format!("'{name}' also stands behind the action's name"));
            }
            let merged = line.into_iter().chain(map.clone()).collect();
            field.reader.template(&input.at, &Value::Object(merged), place)
        }
    }))
}
