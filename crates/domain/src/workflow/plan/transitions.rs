//! What follows a task that has ended.

use super::arrival::{Arrival, arrive, enter};
use super::{Fault, fault};
use crate::workflow::definition::{Condition, Definition, Publish, Target, Task, TaskIndex};
use crate::workflow::names::{Context, Local};
use crate::workflow::run::{Outcome, Path, Run};

/// A way on: the task that is entered, and the path that leads there.
pub(super) type Way = (String, Path);

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
    for (number, transition) in task.transitions.iter().enumerate() {
        let key = format!("next[{number}]");
        if let Some(condition) = &transition.when
            && !holds(definition, run, context, (task, &format!("{key}.when")), condition, outcome)?
        {
            continue;
        }
        for published in &transition.publish {
            publish(definition, run, context, (task, &key), published, outcome)?;
        }
        for target in &transition.to {
            match target {
                Target::Task(target) => {
                    match arrive(definition, run, *target, Some(&task.name), path) {
                        Arrival::Enters(path) => {
                            ways.push((definition.tasks[*target].name.clone(), path));
                            handled = true;
                        }
                        Arrival::Waits => handled = true,
                        Arrival::Late => {}
                    }
                }
                Target::Retry => {
                    let mut path = path.clone();
                    enter(definition, run, at, &mut path);
                    ways.push((task.name.clone(), path));
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
        None => context.result.clone(),
        Some(template) => {
            let scope = context.scope(definition, run, Local::After(outcome));
            let key = format!("{key}.publish.{}", published.name);
            template.render(&scope).map_err(|source| fault(&task.name, &key, source))?
        }
    };
    context.vars.insert(published.name.clone(), value);
    Ok(())
}
