//! From a workflow's file to its definition.
//!
//! A file is read to its end whatever is wrong with it: an author wants to hear of all problems at once. There are
//! two forms, told apart by whether `tasks` is a list ([`Dialect::Classic`]) or a mapping
//! ([`Dialect::Orquesta`]). They differ in defaults and in how expressions are written; keys of either are
//! understood in both.

mod field;
mod inline;
mod language;
mod reader;
mod repetition;
mod task;
#[cfg(test)]
mod tests;
mod transition;
mod vars;
mod work;

pub(super) use reader::{Place, Reader, Use};

use super::check::{self, Known};
use super::definition::{Cancellation, Definition, Dialect, Task};
use super::graph::Graph;
use super::problem::Problem;
use super::signature;
use crate::template::Template;
use field::{Field, describe};
use serde_json::Value;
use std::collections::HashSet;
use transition::Names;

const CANCELLATIONS: [(&str, Cancellation); 2] =
    [("allow_finish", Cancellation::AllowFinish), ("cancel_running", Cancellation::CancelRunning)];

impl Definition {
    /// Reads a workflow from what its file says, as JSON.
    ///
    /// # Errors
    /// Every problem found, warnings included, if at least one of them is an error.
    pub fn parse(graph: &Value) -> Result<Self, Vec<Problem>> {
        let (definition, problems) = Self::check(graph, None);
        definition.ok_or(problems)
    }

    /// Reads a workflow and says all that is wrong or doubtful about it; there is a definition if nothing is
    /// wrong. `parameters` is the schema of its action, where that is not in the graph.
    #[must_use]
    pub fn check(graph: &Value, parameters: Option<&Value>) -> (Option<Self>, Vec<Problem>) {
        let tasks = graph.get("tasks");
        let dialect = match tasks {
            Some(Value::Object(_)) => Dialect::Orquesta,
            _ => Dialect::Classic,
        };
        let reader = Reader::new(dialect);
        let top = Field { reader: &reader, value: graph, at: String::new() };
        let definition = read(&top, parameters);
        let definition = definition.filter(|_| reader.is_clean());
        (definition, reader.into_problems())
    }
}

fn read(top: &Field<'_>, parameters: Option<&Value>) -> Option<Definition> {
    let reader = top.reader;
    if !top.value.is_object() {
        top.expected("a mapping with tasks");
        return None;
    }
    let Some(tasks) = top.get("tasks") else {
        reader.error("tasks", "required, but missing");
        return None;
    };
    let mut named = named(&tasks);
    if named.is_empty() && reader.is_clean() {
        tasks.error("expected at least one task");
    }
    let mut seen = HashSet::new();
    named.retain(|(name, field)| {
        let first = seen.insert(name.clone());
        if !first {
            field.error(format!("there are two tasks '{name}'"));
        }
        first
    });
    let names: Names<'_> =
        named.iter().enumerate().map(|(index, (name, _))| (name.as_str(), index)).collect();
    let read: Vec<Task> = named
        .iter()
        .map(|(name, field)| {
            task::check_name(&name_of(field), name);
            task::task(field, name, &names)
        })
        .collect();
    let mut definition = Definition {
        dialect: reader.dialect,
        vars: top.get("vars").map(|vars| vars::vars(&vars)).unwrap_or_default(),
        tasks: read,
        output: output(top),
        cancellation: top
            .get("cancellation_policy")
            .and_then(|word| word.word(&CANCELLATIONS))
            .unwrap_or_default(),
        step_limit: top.get("step_limit").and_then(|limit| limit.whole(1, 1 << 40)),
        graph: Graph::default(),
    };
    let uses = reader.uses();
    definition.graph = Graph::of(&definition.tasks, uses.iter().map(|used| &used.path));
    if reader.is_clean() {
        let places: Vec<&str> = named.iter().map(|(_, field)| field.at.as_str()).collect();
        let own = signature::parameters(top.value);
        let known = Known::of(&definition, parameters.or(own.as_ref()));
        check::check(&definition, &places, &uses, &known, reader);
    }
    Some(definition)
}

/// The field that gives a task its name: in a mapping that is the task itself.
fn name_of<'a>(field: &Field<'a>) -> Field<'a> {
    match field.reader.dialect {
        Dialect::Classic => field.get("name"),
        Dialect::Orquesta => None,
    }
    .unwrap_or_else(|| field.clone())
}

/// The tasks of a list or of a mapping, with their names.
fn named<'a>(tasks: &Field<'a>) -> Vec<(String, Field<'a>)> {
    let found: Vec<(String, Field<'a>)> = match tasks.value {
        Value::Array(_) => tasks
            .elements()
            .into_iter()
            .filter_map(|task| {
                let name = match task.get("name") {
                    Some(name) => name.text()?.to_owned(),
                    None if task.value.is_object() => {
                        task.error("name: required, but missing");
                        return None;
                    }
                    None => String::new(),
                };
                Some((name, task))
            })
            .collect(),
        Value::Object(_) => {
            let members = tasks.members().into_iter();
            members.map(|(name, task)| (name.to_owned(), task)).collect()
        }
        _ => {
            tasks.expected("a list or a mapping of tasks");
            Vec::new()
        }
    };
    let is_task = |task: &Field<'_>| {
        task.value.is_object() || (task.value.is_null() && tasks.value.is_object())
    };
    found
        .into_iter()
        .filter(|(_, task)| {
            if !is_task(task) {
                task.error(format!("expected a task, found {}", describe(task.value)));
            }
            is_task(task)
        })
        .collect()
}

/// What the workflow's result consists of: `output_map`, or Orquesta's `output`.
fn output(top: &Field<'_>) -> Vec<(String, Template)> {
    let found = top.get("output_map").or_else(|| {
        let output = top.get("output")?;
        (signature::output(top.value).is_none() && top.reader.dialect == Dialect::Orquesta)
            .then_some(output)
    });
    found.map(|output| vars::assignments(&output)).unwrap_or_default()
}

/// Warns of a variable that expressions cannot name without quotes.
fn check_variable(reader: &Reader, at: &str, name: &str) {
    if !inline::is_name(name) {
        let message =
            format!("'{name}': expected a name of letters, digits, '_' and '-' for a variable");
        reader.warning(at, message);
    }
}

/// `: did you mean 'x'?`, where one of the known words is near; else nothing.
pub(super) fn suggestion<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> String {
    let nearest = known
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, known)) if distance <= word.chars().count().div_ceil(3) => {
            format!(": did you mean '{known}'?")
        }
        _ => String::new(),
    }
}
