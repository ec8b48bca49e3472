//! What people do to runs: pause, resume, cancel, and have them done again.

use super::{ending, items, layout, load, oversize};
use crate::announce;
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{cancel, layout as journey, payload, secrets};
use attune_domain::execution::Execution;
use attune_domain::id::{ExecutionId, IdentityId};
use attune_domain::status::ExecutionStatus;
use attune_domain::workflow::Definition;
use attune_domain::workflow::definition::Cancellation;
use attune_domain::workflow::plan::control;
use attune_domain::workflow::run::{Run, Status, Thread};
use attune_ports::orchestrator::{Then, ThreadStep};
use attune_ports::records::{self, Commit};
use attune_ports::{Ports, Unavailable};
use serde_json::{Map, Value};
use std::sync::Arc;

pub use control::Refusal;

/// Why a run was not told to do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such execution, or it has no run.
    #[error("Workflow execution '{0}' not found")]
    NotFound(ExecutionId),
    /// It cannot do that as it stands.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What it would be does not fit into records.
    #[error("{0}")]
    TooLarge(String),
    /// Something did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A run, as it stands.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn find(ports: &Ports, id: ExecutionId) -> Result<Option<Run>, Unavailable> {
    Ok(load::run(ports, id).await?.map(|loaded| loaded.body))
}

/// The definition of this digest, which an execution has at `workflow`.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn definition(ports: &Ports, digest: &str) -> Result<Arc<Definition>, Unavailable> {
    let found = load::definition(ports, digest).await?;
    found.map_err(|unusable| Unavailable::new("blobs", unusable))
}

/// The variables of a run.
///
/// # Errors
/// [`Unavailable`] where they cannot be read.
pub async fn variables(ports: &Ports, run: &Run) -> Result<Value, Unavailable> {
    payload::fetch(&*ports.blobs, &run.vars).await
}

/// Pauses a run: what runs ends, nothing new begins.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn pause(ports: &Ports, id: ExecutionId) -> Result<Run, Error> {
    let (run, waiting) = change(ports, id, control::pause).await?;
    end(ports, waiting).await?;
    Ok(run)
}

/// Has a paused run go on.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn resume(ports: &Ports, id: ExecutionId) -> Result<Run, Error> {
    let (run, threads) = change(ports, id, control::resume).await?;
    start(ports, &run, threads).await?;
    Ok(run)
}

async fn change<T>(
    ports: &Ports,
    id: ExecutionId,
    decide: impl Fn(&mut Run) -> Result<T, Refusal>,
) -> Result<(Run, T), Error> {
    let mut attempts = Attempts::default();
    loop {
        let Versioned { body: mut run, version, .. } =
            load::run(ports, id).await?.ok_or(Error::NotFound(id))?;
        let decided = decide(&mut run)?;
        let commit = Commit::new().replace(layout::run_record(&run, ports.clock.now()), version);
        match ports.records.commit(commit).await {
            Ok(()) => return Ok((run, decided)),
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

/// Starts threads with the steps that they are to take.
pub(super) async fn start(
    ports: &Ports,
    run: &Run,
    threads: impl IntoIterator<Item = u32>,
) -> Result<(), Unavailable> {
    for thread in threads {
        if let Some(at) = run.threads.get(&thread) {
            let (hop, sequence) = (at.hop, at.sequence);
            let step = ThreadStep { run: run.execution, thread, hop, sequence };
            ports.orchestrator.start(step).await?;
        }
    }
    Ok(())
}

/// Tells those who wait with these tokens that the thread has left.
async fn end(ports: &Ports, waiting: Vec<String>) -> Result<(), Unavailable> {
    for token in waiting {
        ports.orchestrator.tell(&token, Then::End).await?;
    }
    Ok(())
}

/// Cancels the run of an execution that is being cancelled, and its children as its policy says. To be called as often
/// as needed, until the run is over.
///
/// # Errors
/// [`Unavailable`] where something does not answer; the sweep goes on.
pub(crate) async fn cancel(ports: &Ports, execution: &Execution) -> Result<(), Unavailable> {
    let Some(run) = cancel_run(ports, execution.id).await? else { return Ok(()) };
    let definition = load::definition_of(ports, &run).await?;
    cancel_children(ports, run, definition.cancellation).await
}

async fn cancel_run(ports: &Ports, id: ExecutionId) -> Result<Option<Run>, Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let Some(loaded) = load::run(ports, id).await? else { return Ok(None) };
        match try_to_cancel(ports, loaded).await {
            Ok(run) => return Ok(run),
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

async fn try_to_cancel(
    ports: &Ports,
    loaded: Versioned<Run>,
) -> Result<Option<Run>, records::Error> {
    let Versioned { body: mut run, version, .. } = loaded;
    let Ok(waiting) = control::cancel(&mut run) else { return Ok(None) };
    let (commit, announcements) = ending::of_run(ports, &mut run, Commit::new()).await?;
    let record = layout::run_record(&run, ports.clock.now());
    ports.records.commit(commit.replace(record, version)).await?;
    end(ports, waiting).await?;
    announce::send(ports, announcements).await?;
    Ok((run.status == Status::Canceling).then_some(run))
}

/// Cancels the children of a run: at once what does not run yet and what waits for people, whose answer nobody would
/// read; what runs where the policy says so. Below other workflows the same policy holds.
async fn cancel_children(ports: &Ports, run: Run, policy: Cancellation) -> Result<(), Unavailable> {
    let mut open = vec![run];
    while let Some(run) = open.pop() {
        for thread in run.threads.values() {
            for child in children_of(ports, thread).await? {
                let stops = child.status.is_pending()
                    || (child.status == ExecutionStatus::Running
                        && (child.workflow.is_some()
                            || child.waits_for().is_some()
                            || policy == Cancellation::CancelRunning));
                if stops {
                    match cancel::one(ports, child.id).await {
                        Ok(_) | Err(cancel::Error::Over(_) | cancel::Error::NotFound(_)) => {}
                        Err(cancel::Error::Unavailable(error)) => return Err(error),
                    }
                }
                if child.workflow.is_some() && !child.status.is_terminal() {
                    open.extend(cancel_run(ports, child.id).await?);
                }
            }
        }
    }
    Ok(())
}

/// The children that a thread has made.
async fn children_of(ports: &Ports, thread: &Thread) -> Result<Vec<Execution>, Unavailable> {
    let Some(working) = thread.working() else { return Ok(vec![]) };
    if working.gathered.is_some() {
        return items::made(ports, working).await;
    }
    let Some(child) = working.child else { return Ok(vec![]) };
    Ok(crate::load::execution(ports, child).await?.into_iter().collect())
}

/// What is to be done again.
#[derive(Clone, Debug, Default)]
pub struct Again {
    /// The task to start from; `None`, what failed and was not dealt with.
    pub from: Option<String>,
    /// Parameters that take the place of the first ones; `None`, the same.
    pub parameters: Option<Map<String, Value>>,
    /// In whose name.
    pub executor: Option<IdentityId>,
}

/// Makes another execution that does a part of one that is over again, with what the first one found out.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn repeat(ports: &Ports, id: ExecutionId, again: Again) -> Result<Execution, Error> {
    let other = load::run(ports, id).await?.ok_or(Error::NotFound(id))?.body;
    let first = crate::load::execution(ports, id).await?.ok_or(Error::NotFound(id))?;
    let definition = load::definition_of(ports, &other).await?;
    let now = ports.clock.now();
    let new = ExecutionId::new(ports.ids.next());
    let run = control::repeat(&definition, &other, new, again.from.as_deref(), now)?;
    oversize::check(&run).map_err(|error| Error::TooLarge(error.to_string()))?;
    let mut config = match &first.config {
        Some(config) => payload::fetch(&*ports.blobs, config).await?,
        None => Value::Object(Map::new()),
    };
    if let Value::Object(parameters) = &mut config {
        secrets::unseal(&*ports.vault, &first, parameters).await?;
    }
    if let Some(parameters) = again.parameters {
        config = parameters.into();
    }
    let prepared = crate::definitions::action(ports, &first.action_ref).await?;
    let context = secrets::of_execution(new);
    let sealed = secrets::take(&*ports.vault, &context, prepared.as_deref(), &mut config).await?;
    let blob = format!("executions/{new}.config");
    let execution = Execution {
        action: first.action,
        status: ExecutionStatus::Running,
        config: Some(payload::stash(&*ports.blobs, &blob, config).await?),
        secrets: sealed,
        env_vars: first.env_vars.clone(),
        permission_set_refs: first.permission_set_refs.clone(),
        executor: again.executor.or(first.executor),
        original_execution: Some(first.original_execution.unwrap_or(first.id)),
        workflow: Some(other.definition.clone()),
        placement: first.placement.clone(),
        priority: first.priority,
        started_at: Some(now),
        ..Execution::new(new, first.action_ref.clone(), now)
    };
    let record = journey::execution_record(&execution, None);
    journey::check_asked(&record).map_err(|error| Error::TooLarge(error.to_string()))?;
    let commit = Commit::new().create(record).create(layout::run_record(&run, now));
    ports.records.commit(commit).await.map_err(|error| match error {
        records::Error::Unavailable(error) => error,
        other => Unavailable::new("records", other),
    })?;
    start(ports, &run, run.threads.keys().copied()).await?;
    Ok(execution)
}
