//! Taking a thread as far as it goes by itself.

use super::retry::{after, again_at};
use super::transitions::{Way, follow};
use super::{Fault, Next, children, number};
use crate::workflow::definition::{Definition, Dialect, Items, Task, TaskIndex, Work};
use crate::workflow::names::{Context, Local};
use crate::workflow::run::{Outcome, Path, Phase, Run, Source, Status, Thread, Working};
use serde_json::{Value, json};
use std::sync::Arc;

/// Tasks that a thread goes through in one go. Beyond, it is asked again: tasks without children could keep a step
/// busy for as long as the limit on steps allows.
const AT_ONCE: usize = 64;

/// Takes a thread as far as it goes without anybody's help. `limit` is how many tasks a run may enter whose definition
/// says nothing.
///
/// Where its task's children are done, the context holds their result. Nothing happens in a run that does not go on.
pub fn step(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    thread: u32,
    limit: u64,
) -> Next {
    let limit = definition.step_limit.unwrap_or(limit);
    for _ in 0..AT_ONCE {
        if run.status != Status::Running {
            return if run.threads.contains_key(&thread) { Next::Nothing } else { Next::Over };
        }
        let Some(Thread { task, phase, path, .. }) = run.threads.get(&thread).cloned() else {
            return Next::Over;
        };
        let Some(at) = definition.task(&task) else {
            // The definition is the one that the run began with, so this is a record that somebody changed.
            run.fault.get_or_insert(format!("there is no task '{task}'"));
            run.threads.remove(&thread);
            continue;
        };
        let next = match phase {
            Phase::Arrived => enter_task(definition, run, context, (thread, at), limit),
            Phase::Delayed { until } if until > context.now => Ok(Some(Next::Time(until))),
            Phase::Delayed { .. } => begin_work(definition, run, context, (thread, at)),
            Phase::Working(working) if working.is_done() => {
                end_work(definition, run, context, (thread, at), working)
            }
            Phase::Working(working) if working.has_room() => Ok(Some(Next::Children)),
            Phase::Working(_) => Ok(Some(Next::Nothing)),
            Phase::Retrying { until, .. } if until > context.now => Ok(Some(Next::Time(until))),
            Phase::Retrying { working, .. } => {
                set(run, thread, Phase::Working(working));
                Ok(None)
            }
            Phase::Ended { outcome, .. } => {
                leave(definition, run, context, (thread, at), &path, outcome);
                Ok(None)
            }
        };
        match next {
            Ok(Some(next)) => return next,
            Ok(None) => {}
            // Nothing is executed, and that is the task's failure, which the author may deal with.
            Err(fault) => {
                end(run, context, thread, Outcome::Failed, Source::Error(fault.to_string()))
            }
        }
    }
    Next::Again
}

type At = (u32, TaskIndex);

fn set(run: &mut Run, thread: u32, phase: Phase) {
    if let Some(thread) = run.threads.get_mut(&thread) {
        thread.phase = phase;
    }
}

/// Whether nothing new begins any more.
fn is_failing(definition: &Definition, run: &Run) -> bool {
    run.fault.is_some() || (definition.dialect == Dialect::Orquesta && !run.failed.is_empty())
}

fn enter_task(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    (thread, at): At,
    limit: u64,
) -> Result<Option<Next>, Fault> {
    let task = &definition.tasks[at];
    let last = run.threads.get(&thread).is_some_and(|thread| thread.last);
    if is_failing(definition, run) && !last {
        run.threads.remove(&thread);
        return Ok(None);
    }
    if run.steps > limit {
        run.fault = Some(format!("the workflow has entered more than {limit} tasks"));
        run.threads.remove(&thread);
        return Ok(None);
    }
    let state = run.task(&task.name);
    state.outcome = None;
    state.handled = false;
    state.retries = 0;
    state.left = None;
    state.result = Source::Nothing;
    (state.started, state.ended) = (Some(context.now), None);
    if let Some(when) = &task.when {
        let scope = context.scope(definition, run, Local::Nowhere);
        let holds = when.expression.holds(&scope);
        if !holds.map_err(|source| super::fault(&task.name, "when", source))? {
            end(run, context, thread, Outcome::Skipped, Source::Nothing);
            return Ok(None);
        }
    }
    if let Some(delay) = &task.delay {
        let seconds = number(definition, run, context, (&task.name, "delay"), delay)?;
        if seconds > 0.0 {
            set(run, thread, Phase::Delayed { until: after(context.now, seconds) });
            return Ok(None);
        }
    }
    begin_work(definition, run, context, (thread, at))
}

fn begin_work(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    (thread, at): At,
) -> Result<Option<Next>, Fault> {
    let task = &definition.tasks[at];
    if matches!(task.work, Work::Nothing) && task.items.is_none() {
        end(run, context, thread, Outcome::Succeeded, Source::Nothing);
        return Ok(None);
    }
    let mut working = Working { total: 1, ..Working::default() };
    if let Some(timeout) = &task.timeout {
        working.timeout = Some(number(definition, run, context, (&task.name, "timeout"), timeout)?);
    }
    let name = || {
        let visit = run.tasks.get(&task.name).map_or(0, |state| state.visits);
        format!("{}/{}/{visit}", run.execution, task.name)
    };
    let mut items = None;
    if let Some(asked) = &task.items {
        let list = list(definition, run, context, task, asked)?;
        let most = match &asked.concurrency {
            Some(most) => number(definition, run, context, (&task.name, "concurrency"), most)?,
            None => 0.0,
        };
        working.window = whole(most);
        working.gathered = Some(name());
        working.total = u32::try_from(list.len()).unwrap_or(u32::MAX);
        if list.is_empty() {
            context.result = Arc::new(children::gathered([], definition.dialect));
            end_with(run, context, thread, Outcome::Succeeded, Source::NoItems);
            return Ok(None);
        }
        items = Some(list);
    } else if let Work::Parallel(branches) = &task.work {
        working.gathered = Some(name());
        working.total = u32::try_from(branches.len()).unwrap_or(u32::MAX);
        // What became of each branch is kept where what became of items is.
        items = Some(vec![Value::Null; branches.len()]);
    }
    set(run, thread, Phase::Working(working));
    Ok(items.map(Next::Items))
}

fn list(
    definition: &Definition,
    run: &Run,
    context: &Context<'_>,
    task: &Task,
    asked: &Items,
) -> Result<Vec<Value>, Fault> {
    let scope = context.scope(definition, run, Local::Nowhere);
    let rendered = asked.list.render(&scope);
    let list = match rendered.map_err(|source| super::fault(&task.name, "with_items", source))? {
        Value::Array(list) => list,
        other => vec![other],
    };
    let list = match &asked.names[..] {
        [] => list,
        [name] => list.into_iter().map(|value| json!({ name: value })).collect(),
        names => list.into_iter().map(|value| named(names, value)).collect(),
    };
    let Some(size) = &asked.batch_size else { return Ok(list) };
    let size = number(definition, run, context, (&task.name, "batch_size"), size)?;
    let size = usize::try_from(whole(size)).unwrap_or(1).max(1);
    Ok(list.chunks(size).map(|batch| Value::Array(batch.to_vec())).collect())
}

/// One of several lists that are gone through together.
fn named(names: &[String], value: Value) -> Value {
    let mut values = match value {
        Value::Array(values) => values,
        other => vec![other],
    }
    .into_iter();
    names.iter().map(|name| (name.clone(), values.next().unwrap_or_default())).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn whole(number: f64) -> u32 {
    number as u32
}

/// The children have ended: once more, or that was it.
fn end_work(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    (thread, at): At,
    working: Working,
) -> Result<Option<Next>, Fault> {
    let task = &definition.tasks[at];
    let outcome = working.outcome();
    let again = match outcome {
        Outcome::Cancelled => None,
        _ => again_at(definition, run, context, at, outcome, working.tries)?,
    };
    if let Some(until) = again {
        run.task(&task.name).retries += 1;
        set(run, thread, Phase::Retrying { until, working: working.once_more() });
        return Ok(None);
    }
    let result = match (&working.gathered, working.child) {
        (Some(name), _) => Source::Gathered(name.clone()),
        (None, Some(child)) => Source::Execution(child),
        (None, None) => Source::Error(children::NOT_MADE.to_owned()),
    };
    if working.gathered.is_some() {
        run.task(&task.name).left = Some(working);
    }
    end_with(run, context, thread, outcome, result);
    Ok(None)
}

/// Ends a task that has executed nothing.
pub(super) fn end(
    run: &mut Run,
    context: &mut Context<'_>,
    thread: u32,
    outcome: Outcome,
    result: Source,
) {
    context.result = Arc::new(match &result {
        Source::Error(error) => json!({"error": error, "succeeded": false}),
        _ => json!({"succeeded": true}),
    });
    end_with(run, context, thread, outcome, result);
}

/// Ends a task whose result is in the context.
fn end_with(
    run: &mut Run,
    context: &mut Context<'_>,
    thread: u32,
    outcome: Outcome,
    result: Source,
) {
    let Some(at) = run.threads.get_mut(&thread) else { return };
    at.phase = Phase::Ended { outcome, result: result.clone() };
    let name = at.task.clone();
    let state = run.task(&name);
    state.outcome = Some(outcome);
    state.result = result;
    state.ended = Some(context.now);
    context.results.insert(name, Arc::clone(&context.result));
}

/// Goes on to what follows: on the first way itself, on others with threads of their own.
fn leave(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    (thread, at): At,
    path: &Path,
    outcome: Outcome,
) {
    let ways = match follow(definition, run, context, at, path, outcome) {
        Ok(ways) => ways,
        Err(fault) => {
            run.fault.get_or_insert(fault.to_string());
            vec![]
        }
    };
    let mut ways = ways.into_iter();
    match ways.next() {
        None => {
            run.threads.remove(&thread);
        }
        Some(Way { task, path, last }) => {
            if let Some(thread) = run.threads.get_mut(&thread) {
                (thread.task, thread.path, thread.phase) = (task, path, Phase::Arrived);
                thread.last = last;
            }
        }
    }
    for Way { task, path, last } in ways {
        let thread = run.spawn(task, path);
        if let Some(thread) = run.threads.get_mut(&thread) {
            thread.last = last;
        }
    }
}
