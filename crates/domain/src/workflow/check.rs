//! Whether a workflow can do what it is written for: its tasks can be reached, its joins can be met, and its
//! expressions look at what is there.

use super::definition::{Definition, Dialect, Join, Task, Work};
use super::parse::{Place, Reader, Use, suggestion};
use super::signature;
use crate::keystore;
use crate::template::Segment;
use serde_json::Value;
use std::collections::BTreeSet;

/// The names that an expression may begin with, here or there.
const ROOTS: [&str; 19] = [
    "parameters",
    "workflow",
    "vars",
    "variables",
    "task",
    "tasks",
    "config",
    "pack",
    "system",
    "keystore",
    "kv",
    "item",
    "index",
    "batch",
    "result()",
    "succeeded()",
    "failed()",
    "timed_out()",
    "completed()",
];
const ROOTS_OF_ORQUESTA: [&str; 2] = ["ctx", "task_status"];

/// The names that a workflow gives.
pub(super) struct Known<'d> {
    /// Its parameters, where a schema names them.
    parameters: Option<Vec<String>>,
    /// Its variables: those with a first value, and those that are published.
    vars: BTreeSet<&'d str>,
    /// Its tasks, those of parallel tasks included.
    tasks: BTreeSet<&'d str>,
}

impl<'d> Known<'d> {
    pub(super) fn of(definition: &'d Definition, parameters: Option<&Value>) -> Self {
        let published = definition.tasks.iter().flat_map(|task| &task.transitions);
        let published = published.flat_map(|it| &it.publish).map(|it| it.name.as_str());
        let first = definition.vars.iter().map(|(name, _)| name.as_str());
        let tasks = definition.tasks.iter().flat_map(|task| {
            let branches = match &task.work {
                Work::Parallel(branches) => branches.as_slice(),
                _ => &[],
            };
            std::iter::once(task.name.as_str())
                .chain(branches.iter().map(|branch| branch.name.as_str()))
        });
        Self {
            parameters: parameters
                .map(|schema| signature::names(schema).into_iter().map(str::to_owned).collect()),
            vars: first.chain(published).collect(),
            tasks: tasks.collect(),
        }
    }

    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().flatten().map(String::as_str)
    }
}

/// Checks a definition whose tasks stand at `places` of its file.
pub(super) fn check(
    definition: &Definition,
    places: &[&str],
    uses: &[Use],
    known: &Known<'_>,
    reader: &Reader,
) {
    check_branches(definition, places, reader);
    check_reachability(definition, places, reader);
    for (index, task) in definition.tasks.iter().enumerate() {
        check_join(definition, index, task, places[index], reader);
    }
    let mut told = BTreeSet::new();
    for used in uses {
        let root = used.path.root();
        if let Some(function) = root.strip_suffix("()")
            && !is_root(definition.dialect, root)
        {
            if told.insert((used.at.clone(), root.to_owned())) {
                reader.error(&used.at, format!("there is no function '{function}'"));
            }
        } else if let Some(message) = doubt(definition.dialect, used, known)
            && told.insert((used.at.clone(), message.clone()))
        {
            reader.warning(&used.at, message);
        }
    }
}

fn check_branches(definition: &Definition, places: &[&str], reader: &Reader) {
    let mut names: BTreeSet<&str> =
        definition.tasks.iter().map(|task| task.name.as_str()).collect();
    for (task, at) in definition.tasks.iter().zip(places) {
        let Work::Parallel(branches) = &task.work else { continue };
        for branch in branches {
            if !names.insert(&branch.name) {
                reader.error(
                    &format!("{at}.tasks"),
                    format!("there are two tasks '{}'", branch.name),
                );
            }
        }
    }
}

fn check_reachability(definition: &Definition, places: &[&str], reader: &Reader) {
    if definition.entry_points().is_empty() {
        let message = "every task follows another one, so that none ever begins";
        return reader.warning("tasks", message);
    }
    let reached = definition.reachable(None);
    for ((task, at), reached) in definition.tasks.iter().zip(places).zip(reached) {
        if !reached {
            let message = format!("nothing leads to task '{}': it only follows itself", task.name);
            reader.warning(at, message);
        }
    }
}

fn check_join(definition: &Definition, index: usize, task: &Task, at: &str, reader: &Reader) {
    let Some(join) = task.join else { return };
    let at = format!("{at}.join");
    let inbound = definition.inbound(index);
    if inbound.is_empty() {
        return reader.warning(&at, "has no effect, since no task leads here");
    }
    // A run enters the task once the join is met, so what only comes after it cannot help to meet it.
    let reached = definition.reachable(Some(index));
    let possible = inbound.iter().filter(|from| reached[**from]).count();
    let wanted = match join {
        Join::All => inbound.len(),
        Join::Count(count) => count as usize,
    };
    if definition.reachable(None)[index] && wanted > possible {
        let reason = if wanted > inbound.len() {
            format!("waits for {wanted} tasks, but only {} lead here", inbound.len())
        } else {
            format!(
                "waits for {wanted} tasks, but only {possible} of them can end before this one begins"
            )
        };
        reader.error(&at, reason);
    }
}

/// Whether an expression may begin with this name somewhere.
fn is_root(dialect: Dialect, root: &str) -> bool {
    ROOTS.contains(&root) || (dialect == Dialect::Orquesta && ROOTS_OF_ORQUESTA.contains(&root))
}

/// What is doubtful about what an expression looks at.
fn doubt(dialect: Dialect, used: &Use, known: &Known<'_>) -> Option<String> {
    let root = used.path.root();
    let member = match used.path.segments().first() {
        Some(Segment::Name { name, .. } | Segment::Key(name)) => Some(name.as_str()),
        _ => None,
    };
    let variables = || known.vars.iter().copied();
    match root {
        // What has had this name as a variable has it still.
        _ if keystore::ROOTS.contains(&root) && known.vars.contains(root) => None,
        _ if known.vars.contains(root) && !ROOTS.contains(&root) => None,
        "parameters" => {
            let name = member?;
            known.parameters.as_ref()?;
            missing("parameter", name, known.parameters())
        }
        "workflow" | "vars" | "variables" => missing("variable", member?, variables()),
        "task" | "tasks" | "task_status" => missing("task", member?, known.tasks.iter().copied()),
        "ctx" if dialect == Dialect::Orquesta => {
            missing("variable", member?, variables().chain(known.parameters()))
        }
        "result()" if used.place != Place::After => {
            Some("result() is that of the task that has just ended, and here none has".to_owned())
        }
        "item" | "index" | "batch"
            if !matches!(used.place, Place::Item | Place::Input { item: true }) =>
        {
            Some(format!("`{root}` is there only in the input of a task with items"))
        }
        _ if keystore::ROOTS.contains(&root) && !matches!(used.place, Place::Input { .. }) => {
            Some(format!("`{root}` is there only in the input of a task, for what runs alone"))
        }
        _ if is_root(dialect, root) => None,
        _ if known.parameters().any(|name| name == root) => {
            Some(format!("there is no variable '{root}': did you mean 'parameters.{root}'?"))
        }
        _ => missing("variable", root, variables()),
    }
}

fn missing<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let known: Vec<&str> = known.collect();
    if known.contains(&name) {
        return None;
    }
    Some(format!("there is no {what} '{name}'{}", suggestion(name, known.into_iter())))
}
