//! What follows a task that has ended.

use super::arrival::{Arrival, arrive, enter};
use super::{Fault, fault};
use crate::workflow::definition::{
    Condition, Definition, Dialect, Publish, Target, Task, TaskIndex,
};
use crate::workflow::names::{Context, Local};
use crate::workflow::run::{Outcome, Path, Run};
use serde_json::{Map, Value};

/// A way on.
pub(super) struct Way {
    /// The task that is entered.
    pub(super) task: String,
    /// The path that leads there.
    pub(super) path: Path,
    /// Whether it is entered although the workflow fails: cleaning up is ordered together with the failure.
    pub(super) last: bool,
}

/// Follows every transition of a task whose condition holds: publishes, and answers the ways on. Takes note of
/// whether what follows deals with a failure.
pub(super) fn follow(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    at: TaskIndex,
    path: &Path,
    outcome: Outcome,
) -> Result<Vec<Way>, Fault> {
    let task = &definition.tasks[at];
    let mut ways = Vec::new();
    if outcome == Outcome::Cancelled {
        run.failed.insert(task.name.clone());
        return Ok(ways);
    }
    let mut handled = false;
    // In Orquesta each transition is judged, and publishes, from where the task has ended; what others publish
    // comes after. In a list of tasks later transitions see what earlier ones publish.
    let apart = definition.dialect == Dialect::Orquesta && task.transitions.len() > 1;
    let before = apart.then(|| context.vars.clone());
    let mut published_apart = Map::new();
    for (number, transition) in task.transitions.iter().enumerate() {
        let key = format!("next[{number}]");
        if let Some(condition) = &transition.when
            && !holds(definition, run, context, (task, &format!("{key}.when")), condition, outcome)?
        {
            continue;
        }
        run.task(&task.name).followed.insert(number);
        for published in &transition.publish {
            publish(definition, run, context, (task, &key), published, outcome)?;
        }
        if let Some(before) = &before {
            let names = transition.publish.iter().map(|published| &published.name);
            let set =
                names.filter_map(|name| Some((name.clone(), context.vars.get(name)?.clone())));
            published_apart.extend(set);
            context.vars.clone_from(before);
        }
        let last = transition.to.contains(&Target::Fail);
        for target in &transition.to {
            match target {
                Target::Task(target) => {
                    match arrive(definition, run, *target, Some(&task.name), path) {
                        Arrival::Enters(path) => {
                            let task = definition.tasks[*target].name.clone();
                            ways.push(Way { task, path, last });
                            handled = true;
                        }
                        Arrival::Waits => handled = true,
                        Arrival::Late => {}
                    }
                }
                Target::Retry => {
                    let mut path = path.clone();
                    enter(definition, run, at, &mut path);
                    ways.push(Way { task: task.name.clone(), path, last: false });
                    handled = true;
                }
                Target::Noop => handled = true,
                Target::Continue => {}
                Target::Fail => {
                    let ordered = format!("task '{}' orders the workflow to fail", task.name);
                    run.fault.get_or_insert(ordered);
                }
            }
        }
    }
    context.vars.extend(published_apart);
    if outcome.is_failure() {
        run.task(&task.name).handled = handled;
        if !handled {
            run.failed.insert(task.name.clone());
        }
    }
    Ok(ways)
}

/// Whether a condition holds after a task ended like this.
pub(super) fn holds(
    definition: &Definition,
    run: &Run,
    context: &Context<'_>,
    (task, key): (&Task, &str),
    condition: &Condition,
    outcome: Outcome,
) -> Result<bool, Fault> {
    let scope = context.scope(definition, run, Local::After(outcome));
    condition.expression.holds(&scope).map_err(|source| fault(&task.name, key, source))
}

fn publish(
    definition: &Definition,
    run: &Run,
    context: &mut Context<'_>,
    (task, key): (&Task, &str),
    published: &Publish,
    outcome: Outcome,
) -> Result<(), Fault> {
    let value = match &published.value {
        None => Value::clone(&context.result),
        Some(template) => {
            let scope = context.scope(definition, run, Local::After(outcome));
            let key = format!("{key}.publish.{}", published.name);
            template.render(&scope).map_err(|source| fault(&task.name, &key, source))?
        }
    };
    context.vars.insert(published.name.clone(), value);
    Ok(())
}
