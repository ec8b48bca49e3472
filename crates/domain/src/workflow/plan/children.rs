//! The children of a task: what they are given, and what becomes of the thread when they end.

use super::step::end;
use super::{Fault, fault, number};
use crate::id::ExecutionId;
use crate::reference::ComponentRef;
use crate::template::Rendered;
use crate::workflow::definition::{Branch, Call, Definition, Dialect, Input, Task, Work};
use crate::workflow::names::{Context, Local};
use crate::workflow::run::{List, Outcome, Phase, Run, Source, Status, Working};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Why a task has no result although it had a child to make.
pub(super) const NOT_MADE: &str = "its execution could not be made";

/// An execution that a task asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Child {
    /// Which task.
    pub task: String,
    /// Which of its items or branches; `None`, there is one child.
    pub index: Option<u32>,
    /// What is executed.
    pub action: ComponentRef,
    /// With which parameters; an object.
    pub input: Value,
    /// JSON pointers of the strings among them that are left for the keystore.
    pub keystore: Vec<String>,
    /// Seconds that it may take.
    pub timeout: Option<f64>,
    /// Permission sets of its token; `None`, as the action has them.
    pub permission_set_refs: Option<Vec<String>>,
    /// Where it may run, as far as the task says: members `worker_selector`, `worker_tolerations` and
    /// `worker_affinity`.
    pub placement: Option<Value>,
    /// Tries before this one.
    pub tries: u32,
    /// Further tries that the task allows at most.
    pub retries: u32,
    /// The first try, where this is another.
    pub original: Option<ExecutionId>,
}

/// The next child of a thread that has room for one. `item` is its item, where its task has items.
///
/// `None` where the thread has no room, or the run does not go on.
///
/// # Errors
/// [`Fault`] where its parameters cannot be told: then [`failed`] takes note.
pub fn next(
    definition: &Definition,
    run: &Run,
    context: &Context<'_>,
    thread: u32,
    item: Option<&Value>,
) -> Result<Option<Child>, Fault> {
    let Some(at) = run.threads.get(&thread).filter(|_| run.status == Status::Running) else {
        return Ok(None);
    };
    let (Some(working), Some(index)) = (at.working(), definition.task(&at.task)) else {
        return Ok(None);
    };
    if !working.has_room() {
        return Ok(None);
    }
    let task = &definition.tasks[index];
    let mut timeout = working.timeout;
    let call = match &task.work {
        Work::Nothing => return Ok(None),
        Work::Action(call) => call,
        Work::Parallel(branches) => {
            let Some(branch) = branches.get(working.next as usize) else { return Ok(None) };
            if let Some(own) = &branch.timeout {
                timeout = Some(number(definition, run, context, (&branch.name, "timeout"), own)?);
            }
            &branch.call
        }
    };
    let batch = task.items.as_ref().is_some_and(|items| items.batch_size.is_some());
    let local = match item {
        Some(item) if task.items.is_some() => Local::Item(item, working.next, batch),
        _ => Local::Nowhere,
    };
    let Rendered { value: input, deferred } = input(definition, run, context, local, task, call)?;
    let placement = match &task.placement {
        Some(template) => {
            let rendered = template.render(&context.scope(definition, run, local));
            Some(rendered.map_err(|source| fault(&task.name, "placement", source))?)
        }
        None => None,
    };
    let retries = match &task.retry {
        Some(retry) => number(definition, run, context, (&task.name, "retry.count"), &retry.count)?,
        None => 0.0,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
    Ok(Some(Child {
        task: name_of(task, working).to_owned(),
        index: working.gathered.is_some().then_some(working.next),
        action: call.action.clone(),
        input,
        keystore: deferred,
        timeout,
        permission_set_refs: task.permission_set_refs.clone(),
        placement,
        tries: working.tries,
        retries: retries as u32,
        original: working.original,
    }))
}

/// Under which name a child is known: that of its branch, or of the task.
fn name_of<'t>(task: &'t Task, working: &Working) -> &'t str {
    match &task.work {
        Work::Parallel(branches) => {
            branches.get(working.next as usize).map_or(&task.name, |branch| &branch.name)
        }
        _ => &task.name,
    }
}

fn input(
    definition: &Definition,
    run: &Run,
    context: &Context<'_>,
    local: Local<'_>,
    task: &Task,
    call: &Call,
) -> Result<Rendered, Fault> {
    let rendered = match &call.input {
        Input::Inherited => Rendered { value: context.given.clone(), deferred: Vec::new() },
        Input::Given(template) => {
            let rendered =
                template.render_for_later(&context.scope_of_input(definition, run, local));
            rendered.map_err(|source| fault(&task.name, "input", source))?
        }
    };
    match rendered.value {
        Value::Object(_) => Ok(rendered),
        Value::Null => Ok(Rendered { value: Map::new().into(), deferred: Vec::new() }),
        _ => Err(Fault::Value {
            task: task.name.clone(),
            key: "input".to_owned(),
            message: "expected an object".to_owned(),
        }),
    }
}

/// Takes note of where the items of a thread are kept.
pub fn kept(run: &mut Run, thread: u32, list: List) {
    if let Some(working) = working(run, thread) {
        working.list = Some(list);
    }
}

/// Takes note that the items of a thread cannot be kept: its task has failed.
pub fn not_kept(run: &mut Run, context: &mut Context<'_>, thread: u32, error: String) {
    end(run, context, thread, Outcome::Failed, Source::Error(error));
}

/// Takes note that the next child of a thread was made.
pub fn made(run: &mut Run, thread: u32, execution: ExecutionId) {
    if let Some(working) = working(run, thread) {
        working.next += 1;
        working.in_flight += 1;
        if working.gathered.is_none() {
            working.child = Some(execution);
        }
    }
}

/// Takes note that the next child of a thread cannot be made, and counts as failed. An only child is not tried again:
/// it would be the same.
pub fn failed(run: &mut Run, context: &mut Context<'_>, thread: u32, error: String) {
    let Some(working) = working(run, thread) else { return };
    if working.gathered.is_none() {
        return end(run, context, thread, Outcome::Failed, Source::Error(error));
    }
    working.next += 1;
    working.failed += 1;
}

/// Takes note that the next item of a thread has ended well before, in an earlier try.
pub fn passed(run: &mut Run, thread: u32) {
    if let Some(working) = working(run, thread) {
        working.next += 1;
    }
}

fn working(run: &mut Run, thread: u32) -> Option<&mut Working> {
    run.threads.get_mut(&thread)?.working_mut()
}

/// What the end of a child means for its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Nothing.
    Nothing,
    /// There is room for another child.
    Room,
    /// All have ended: a step is to be taken.
    Done,
    /// The thread is over, since the run was cancelled.
    Over,
}

/// Takes note that a child of a thread has ended. Whoever calls this makes sure that it does so once for each child.
pub fn settle(run: &mut Run, thread: u32, outcome: Outcome) -> Settled {
    let status = run.status;
    let Some(working) = working(run, thread) else { return Settled::Nothing };
    working.in_flight = working.in_flight.saturating_sub(1);
    match outcome {
        Outcome::Succeeded | Outcome::Skipped => working.succeeded += 1,
        Outcome::Failed => working.failed += 1,
        Outcome::TimedOut => {
            working.failed += 1;
            working.timed_out += 1;
        }
        Outcome::Cancelled => working.cancelled += 1,
    }
    match status {
        Status::Canceling if working.in_flight == 0 => {
            let outcome = Some(working.outcome());
            let name = run.threads.remove(&thread).map(|thread| thread.task);
            if let Some(state) = name.and_then(|name| run.tasks.get_mut(&name)) {
                state.outcome = outcome;
            }
            Settled::Over
        }
        _ if working.is_done() => Settled::Done,
        Status::Running if working.has_room() => Settled::Room,
        _ => Settled::Nothing,
    }
}

/// Where the children of a thread's branches are found: takes note of each as of a task's result.
pub fn branches_ended(
    definition: &Definition,
    run: &mut Run,
    context: &mut Context<'_>,
    thread: u32,
    ended: &[(Outcome, ExecutionId, Value)],
) {
    let task = run.threads.get(&thread).and_then(|thread| definition.task(&thread.task));
    let Some(Work::Parallel(branches)) = task.map(|task| &definition.tasks[task].work) else {
        return;
    };
    for (Branch { name, .. }, (outcome, execution, view)) in branches.iter().zip(ended) {
        let state = run.task(name);
        state.visits = state.visits.max(1);
        state.outcome = Some(*outcome);
        state.result = Source::Execution(*execution);
        state.ended = Some(context.now);
        context.results.insert(name.clone(), Arc::new(view.clone()));
    }
}

/// The result of a task with items or branches, from those of its children in their order.
#[must_use]
pub fn gathered(ended: impl IntoIterator<Item = (Outcome, Value)>, dialect: Dialect) -> Value {
    let (outcomes, results): (Vec<Outcome>, Vec<Value>) = ended.into_iter().unzip();
    let total = outcomes.len();
    let failed: Vec<usize> = (0..total).filter(|&n| !outcomes[n].is_success()).collect();
    let mut gathered = json!({
        "succeeded": failed.is_empty(), "total_count": total, "failed_items": failed,
    });
    if dialect == Dialect::Orquesta {
        let item = |(outcome, view): (&Outcome, &Value)| json!({"status": outcome.as_word(), "result": view});
        gathered["items"] = outcomes.iter().zip(&results).map(item).collect();
    }
    if !failed.is_empty() {
        gathered["error"] = format!("{} of {total} items failed", failed.len()).into();
    }
    // Moved, not copied: there may be thousands of them.
    gathered["results"] = results.into();
    gathered
}

/// Whether a thread's children are done, so that their result is wanted before its next step.
#[must_use]
pub fn done(run: &Run, thread: u32) -> Option<&Working> {
    match &run.threads.get(&thread)?.phase {
        Phase::Working(working) if working.is_done() => Some(working),
        _ => None,
    }
}
