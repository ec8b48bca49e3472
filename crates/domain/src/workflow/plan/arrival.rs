//! Coming to a task: who may enter, who waits for others, who comes too late.

use super::{Fault, fault};
use crate::workflow::definition::{Definition, Dialect, Join, TaskIndex};
use crate::workflow::names::{Context, Local};
use crate::workflow::run::{Path, Run, TaskState};

/// Begins a run: sets its variables, and sends a thread to each task that nothing leads to.
///
/// # Errors
/// [`Fault`] where a variable's first value cannot be told.
pub fn begin(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
) -> Result<(), Fault> {
    for (name, template) in &definition.vars {
        let scope = context.scope(definition, run, Local::Nowhere);
        let value = template.render(&scope);
        let value = value.map_err(|source| fault("", &format!("vars.{name}"), source))?;
        context.vars.insert(name.clone(), value);
    }
    for &task in definition.entry_points() {
        if let Arrival::Enters(path) = arrive(definition, run, task, None, &Path::new()) {
            run.spawn(definition.tasks[task].name.clone(), path);
        }
    }
    Ok(())
}

/// What becomes of a thread that comes to a task.
#[derive(Debug, PartialEq)]
pub(super) enum Arrival {
    /// It enters, and this is its path from now on.
    Enters(Path),
    /// The task waits for others.
    Waits,
    /// The task has been there already, and not for this.
    Late,
}

/// Comes to a task from another one, or from nowhere at the beginning.
pub(super) fn arrive(
    definition: &Definition,
    run: &mut Run,
    target: TaskIndex,
    from: Option<&str>,
    path: &Path,
) -> Arrival {
    let task = &definition.tasks[target];
    let needed = match task.join {
        // A task that nothing leads to has nobody to wait for.
        _ if from.is_none() => None,
        Some(Join::All) => Some(definition.inbound(target).len()),
        Some(Join::Count(count)) => Some(count as usize),
        None => None,
    };
    let state = run.task(&task.name);
    let again = state.visits == 0 || has_been_round(&task.name, state, path);
    let mut path = path.clone();
    match needed {
        Some(needed) => {
            if !again {
                return Arrival::Late;
            }
            state.arrivals.extend(from.map(str::to_owned));
            merge(&mut state.path, &path);
            if state.arrivals.len() < needed {
                return Arrival::Waits;
            }
            state.arrivals.clear();
            path = std::mem::take(&mut state.path);
        }
        None if definition.dialect == Dialect::Classic && !again => return Arrival::Late,
        None => {}
    }
    enter(definition, run, target, &mut path);
    Arrival::Enters(path)
}

/// Whether a thread on this path comes to the task in another round: the task's latest visit lies on its path, or a
/// later visit of something that the latest visit came through.
fn has_been_round(task: &str, state: &TaskState, path: &Path) -> bool {
    path.get(task) == Some(&state.visits)
        || path.iter().any(|(task, visit)| state.came.get(task).is_some_and(|came| came < visit))
}

/// Counts a visit, and puts it on the path of whoever makes it.
pub(super) fn enter(definition: &Definition, run: &mut Run, target: TaskIndex, path: &mut Path) {
    let name = &definition.tasks[target].name;
    run.steps += 1;
    let state = run.task(name);
    state.visits += 1;
    state.came.clone_from(path);
    if definition.is_circular(target) {
        path.insert(name.clone(), state.visits);
    }
}

fn merge(into: &mut Path, from: &Path) {
    for (task, visit) in from {
        let known = into.entry(task.clone()).or_insert(*visit);
        *known = (*known).max(*visit);
    }
}
