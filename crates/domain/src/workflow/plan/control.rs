//! What people do to a run: pause, resume, cancel, and have a part of it done again.

use super::arrival::enter;
use crate::Timestamp;
use crate::id::ExecutionId;
use crate::workflow::definition::{Definition, Target, TaskIndex};
use crate::workflow::run::{Outcome, Path, Phase, Run, Source, Status, TaskState, Thread, Working};
use std::collections::BTreeSet;

/// Why a run cannot be told to do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is over.
    #[error("the workflow is over")]
    Over,
    /// It is not over yet.
    #[error("the workflow is not over yet")]
    NotOver,
    /// It is not paused.
    #[error("the workflow is not paused")]
    NotPaused,
    /// It is being cancelled.
    #[error("the workflow is being cancelled")]
    Canceling,
    /// There is no such task.
    #[error("the workflow has no task '{0}'")]
    NoTask(String),
    /// There is nothing to do again.
    #[error("no task of the workflow has failed; name one to start from")]
    NothingFailed,
}

/// Pauses: what runs ends, nothing new begins. Threads keep their places and leave their orchestrator, so waiting
/// costs nothing; what it waited with is answered, to be told. Pausing twice is harmless.
///
/// # Errors
/// [`Refusal`] where the run does not go on.
pub fn pause(run: &mut Run) -> Result<Vec<String>, Refusal> {
    match run.status {
        Status::Over => Err(Refusal::Over),
        Status::Canceling => Err(Refusal::Canceling),
        Status::Paused => Ok(vec![]),
        Status::Running => {
            run.status = Status::Paused;
            Ok(run.threads.values_mut().filter_map(hop).collect())
        }
    }
}

/// Resumes: every thread goes on from its place. Answers the threads to be started.
///
/// # Errors
/// [`Refusal`] where the run is not paused.
pub fn resume(run: &mut Run) -> Result<Vec<u32>, Refusal> {
    match run.status {
        Status::Over => Err(Refusal::Over),
        Status::Canceling => Err(Refusal::Canceling),
        Status::Running => Err(Refusal::NotPaused),
        Status::Paused => {
            run.status = Status::Running;
            Ok(run.threads.keys().copied().collect())
        }
    }
}

/// Cancels: threads without running children are over at once, others when those have ended. Answers what the
/// orchestrator waited with. Cancelling twice is harmless.
///
/// # Errors
/// [`Refusal`] where the run is over.
pub fn cancel(run: &mut Run) -> Result<Vec<String>, Refusal> {
    match run.status {
        Status::Over => Err(Refusal::Over),
        Status::Canceling => Ok(vec![]),
        Status::Running | Status::Paused => {
            run.status = Status::Canceling;
            let waiting = run.threads.values_mut().filter_map(hop).collect();
            let tasks = &mut run.tasks;
            run.threads.retain(|_, thread| {
                let works = thread.in_flight() > 0;
                if !works && let Some(state) = tasks.get_mut(&thread.task) {
                    state.outcome.get_or_insert(Outcome::Cancelled);
                }
                works
            });
            Ok(waiting)
        }
    }
}

/// The thread leaves its orchestrator's execution for another; answers what that one waited with.
fn hop(thread: &mut Thread) -> Option<String> {
    thread.hop += 1;
    thread.steps_of_hop = 0;
    thread.parked.take()
}

/// Hands a thread over to a fresh execution of its orchestrator, whose history is limited.
pub fn hand_over(run: &mut Run, thread: u32) {
    if let Some(thread) = run.threads.get_mut(&thread) {
        hop(thread);
    }
}

/// A run that repeats a part of one that is over: from the task named, with everything after it, or what failed and
/// was not dealt with. Results and variables of what is not repeated are those of the other run. Of a task with
/// items only those are repeated that did not end well.
///
/// # Errors
/// [`Refusal`] where the other run is not over, or has nothing to repeat.
pub fn repeat(
    definition: &Definition,
    other: &Run,
    execution: ExecutionId,
    from: Option<&str>,
    now: Timestamp,
) -> Result<Run, Refusal> {
    if other.status != Status::Over {
        return Err(Refusal::NotOver);
    }
    let mut run = Run {
        execution,
        status: Status::Running,
        threads: Default::default(),
        steps: 0,
        failed: BTreeSet::new(),
        fault: None,
        started: now,
        ..other.clone()
    };
    let Some(name) = from else {
        return repeat_failed(definition, run);
    };
    let at = definition.task(name).ok_or_else(|| Refusal::NoTask(name.to_owned()))?;
    for task in following(definition, at) {
        run.tasks.remove(&definition.tasks[task].name);
    }
    for state in run.tasks.values_mut() {
        state.arrivals.clear();
    }
    restart(definition, &mut run, at, None);
    Ok(run)
}

fn repeat_failed(definition: &Definition, mut run: Run) -> Result<Run, Refusal> {
    let failed: Vec<(TaskIndex, Option<Working>)> = run
        .tasks
        .iter()
        .filter(|(_, state)| did_not_end_well(state))
        .filter_map(|(name, state)| Some((definition.task(name)?, state.left.clone())))
        .collect();
    if failed.is_empty() {
        return Err(Refusal::NothingFailed);
    }
    for (at, left) in failed {
        restart(definition, &mut run, at, left);
    }
    Ok(run)
}

fn did_not_end_well(state: &TaskState) -> bool {
    state.visits > 0 && !state.handled && state.outcome.is_none_or(|outcome| !outcome.is_success())
}

/// Sends a thread to a task; with what is left of it to do, where that is known.
fn restart(definition: &Definition, run: &mut Run, at: TaskIndex, left: Option<Working>) {
    let name = &definition.tasks[at].name;
    let circular =
        |task: &String| definition.task(task).is_some_and(|at| definition.is_circular(at));
    let visited = run.tasks.iter().filter(|(task, state)| state.visits > 0 && circular(task));
    let mut path: Path = visited.map(|(task, state)| (task.clone(), state.visits)).collect();
    enter(definition, run, at, &mut path);
    let state = run.task(name);
    (state.outcome, state.handled, state.result) = (None, false, Source::Nothing);
    state.followed.clear();
    let number = run.spawn(name.clone(), path);
    if let (Some(left), Some(thread)) = (left, run.threads.get_mut(&number)) {
        thread.phase = Phase::Working(left.once_more());
    }
}

/// A task and all that it leads to.
fn following(definition: &Definition, from: TaskIndex) -> BTreeSet<TaskIndex> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(task) = open.pop() {
        if found.insert(task) {
            let targets = definition.tasks[task].transitions.iter().flat_map(|way| &way.to);
            open.extend(targets.filter_map(|target| match target {
                Target::Task(task) => Some(*task),
                _ => None,
            }));
        }
    }
    found
}
