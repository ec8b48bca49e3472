//! What follows a task: `next`, or the older keys that `next` has replaced.

use super::field::Field;
use super::inline;
use super::reader::Place;
use super::suggestion;
use super::task::warn_of_unknown;
use crate::workflow::definition::{Condition, Publish, Target, TaskIndex, Transition};
use serde_json::Value;
use std::collections::HashMap;

/// Places of the tasks, by name.
pub(super) type Names<'a> = HashMap<&'a str, TaskIndex>;

/// The older keys, each with the condition it stands for.
const LEGACY: [(&str, Option<&str>); 4] = [
    ("on_success", Some("{{ succeeded() }}")),
    ("on_failure", Some("{{ failed() }}")),
    ("on_complete", None),
    ("on_timeout", Some("{{ timed_out() }}")),
];

/// The commands that may stand where a task's name is expected.
pub(super) fn engine_target(name: &str) -> Option<Target> {
    match name {
        "fail" => Some(Target::Fail),
        "noop" => Some(Target::Noop),
        "continue" => Some(Target::Continue),
        "retry" => Some(Target::Retry),
        _ => None,
    }
}

/// Reads what follows a task.
pub(super) fn transitions(field: &Field<'_>, names: &Names<'_>) -> Vec<Transition> {
    let Some(next) = field.get("next") else { return legacy(field, names) };
    let older = LEGACY.iter().map(|(key, _)| *key).chain(["decision", "publish"]);
    for old in older.filter_map(|key| field.get(key)) {
        old.warning("has no effect beside next");
    }
    match next.value {
        Value::Array(_) => {
            next.elements().iter().filter_map(|entry| transition(entry, names)).collect()
        }
        Value::Object(_) => transition(&next, names).into_iter().collect(),
        _ => {
            next.expected("a list of {when, publish, do}");
            Vec::new()
        }
    }
}

fn transition(field: &Field<'_>, names: &Names<'_>) -> Option<Transition> {
    if !field.value.is_object() {
        field.expected("a mapping such as {when: …, do: […]}");
        return None;
    }
    warn_of_unknown(field, &["when", "publish", "do", "label", "description"]);
    Some(Transition {
        when: field.get("when").and_then(|when| when.condition(Place::After)),
        publish: field.get("publish").map(|it| publish(&it)).unwrap_or_default(),
        to: field.get("do").map(|it| targets(&it, names)).unwrap_or_default(),
    })
}

fn legacy(field: &Field<'_>, names: &Names<'_>) -> Vec<Transition> {
    let mut transitions = Vec::new();
    for (key, when) in LEGACY {
        let Some(to) = field.get(key) else { continue };
        let when = when.and_then(|text| to.reader.condition(&to.at, text, Place::After));
        transitions.push(Transition { when, publish: Vec::new(), to: targets(&to, names) });
    }
    if let Some(decision) = field.get("decision") {
        if !decision.value.is_array() {
            decision.expected("a list of {when, next}");
        }
        let entries = decision.elements();
        transitions.extend(entries.iter().filter_map(|entry| decided(entry, names)));
    }
    let Some(published) = field.get("publish") else { return transitions };
    let publish = publish(&published);
    let on_success =
        transitions.iter().position(|it| it.when.as_ref().is_some_and(asks_for_success));
    match on_success.or((!transitions.is_empty()).then_some(0)) {
        Some(index) => transitions[index].publish = publish,
        None => {
            let when = published.reader.condition(&published.at, "{{ succeeded() }}", Place::After);
            transitions.push(Transition { when, publish, to: Vec::new() });
        }
    }
    transitions
}

fn asks_for_success(when: &Condition) -> bool {
    let text: String = when.text.chars().filter(|c| !c.is_whitespace()).collect();
    text.to_lowercase().contains("succeeded()")
}

/// One entry of `decision`.
fn decided(field: &Field<'_>, names: &Names<'_>) -> Option<Transition> {
    if !field.value.is_object() {
        field.expected("a mapping such as {when: …, next: …}");
        return None;
    }
    warn_of_unknown(field, &["when", "next", "default"]);
    let by_default = field.get("default").is_some_and(|flag| flag.value == &Value::Bool(true));
    let when = field.get("when");
    if when.is_none() && !by_default {
        field.error("when: required, unless default is true");
    }
    let Some(next) = field.get("next") else {
        field.error("next: required, but missing");
        return None;
    };
    Some(Transition {
        when: when.and_then(|when| when.condition(Place::After)),
        publish: Vec::new(),
        to: targets(&next, names),
    })
}

/// Where a transition leads: names with commas between them, or a list of names.
fn targets(field: &Field<'_>, names: &Names<'_>) -> Vec<Target> {
    let elements = match field.value {
        Value::String(_) => vec![field.clone()],
        Value::Array(_) => field.elements(),
        _ => {
            field.expected("a task's name or a list of names");
            Vec::new()
        }
    };
    let mut targets: Vec<Target> = Vec::new();
    for element in &elements {
        let Some(text) = element.text() else { continue };
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let found = names.get(name).map(|index| Target::Task(*index));
            match found.or_else(|| engine_target(name)) {
                Some(target) if targets.contains(&target) => {}
                Some(target) => targets.push(target),
                None => {
                    let mut known: Vec<&str> = names.keys().copied().collect();
                    known.sort_unstable();
                    let hint = suggestion(name, known.into_iter());
                    element.error(format!("there is no task '{name}'{hint}"));
                }
            }
        }
    }
    targets
}

/// Variables that are set: `{name: value}`, a list of those and of bare names, or assignments in one line.
fn publish(field: &Field<'_>) -> Vec<Publish> {
    match field.value {
        Value::Object(_) => assigned(field),
        Value::String(text) => in_line(field, text),
        Value::Array(_) => {
            let elements = field.elements();
            elements
                .iter()
                .flat_map(|element| match element.value {
                    Value::Object(_) => assigned(element),
                    Value::String(text) => in_line(element, text),
                    _ => {
                        element.expected("a name, or a mapping from names to values");
                        Vec::new()
                    }
                })
                .collect()
        }
        _ => {
            field.expected("a list, or a mapping from names to values");
            Vec::new()
        }
    }
}

fn assigned(field: &Field<'_>) -> Vec<Publish> {
    let members = field.members().into_iter();
    members
        .map(|(name, value)| {
            super::check_variable(field.reader, &value.at, name);
            Publish { name: name.to_owned(), value: Some(value.template(Place::After)) }
        })
        .collect()
}

fn in_line(field: &Field<'_>, text: &str) -> Vec<Publish> {
    if !text.contains('=') {
        let name = text.trim();
        super::check_variable(field.reader, &field.at, name);
        return vec![Publish { name: name.to_owned(), value: None }];
    }
    let assignments = inline::assignments(text).unwrap_or_else(|why| {
        field.error(why);
        Vec::new()
    });
    assignments
        .into_iter()
        .map(|(name, value)| {
            super::check_variable(field.reader, &field.at, &name);
            let template = field.reader.template(&field.at, &value, Place::After);
            Publish { name, value: Some(template) }
        })
        .collect()
}
