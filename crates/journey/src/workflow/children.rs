//! Making the children of a task.

use super::items::{self, Cursor};
use super::layout;
use super::load::{self, Known};
use crate::announce::{self, Announcement};
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{definitions, inquiry, layout as journey, payload, secrets};
use attune_domain::Timestamp;
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::keystore::Lookup;
use attune_domain::status::ExecutionStatus;
use attune_domain::workflow::Definition;
use attune_domain::workflow::names::Context;
use attune_domain::workflow::plan::children::{self, Child};
use attune_domain::workflow::run::{List, Run, Thread};
use attune_ports::orchestrator::{Then, ThreadStep};
use attune_ports::records::{self, Commit, Record};
use attune_ports::{Ports, Unavailable};
use serde_json::{Value, json};

/// Children in one commit, at most: with the run, its execution and a part of the items well within the limits of a
/// commit in writes.
const AT_ONCE: usize = 24;
/// The same in bytes, to which one more child may be added.
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// Why making children stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// As many as one commit holds.
    Enough,
    /// As many as there is room for.
    All,
}

/// Children that are made together.
#[derive(Default)]
pub(super) struct Making {
    children: Vec<Record>,
    bytes: usize,
    announcements: Vec<Announcement>,
    cursor: Cursor,
    list: Option<(String, List)>,
}

impl Making {
    /// Makes children of a thread while it has room for them.
    #[expect(clippy::too_many_arguments, reason = "all of it is one run, as it was loaded")]
    pub(super) async fn make(
        &mut self,
        ports: &Ports,
        definition: &Definition,
        known: &Known,
        run: &mut Run,
        context: &mut Context<'_>,
        parent: &Execution,
        thread: u32,
    ) -> Result<Made, Unavailable> {
        loop {
            let Some(working) = run.threads.get(&thread).and_then(Thread::working).cloned() else {
                return Ok(Made::All);
            };
            if !working.has_room() {
                return Ok(Made::All);
            }
            let full = self.children.len() >= AT_ONCE || self.bytes >= BYTES_AT_ONCE;
            if full || self.cursor.turns(&working) {
                return Ok(Made::Enough);
            }
            self.list = working.gathered.clone().zip(working.list);
            let item = self.cursor.item(ports, &working).await?;
            if working.tries > 0
                && let Some((_, Some(before))) = &item
                && ended_well(ports, before).await?
            {
                children::passed(run, thread);
                continue;
            }
            let next =
                children::next(definition, run, context, thread, item.as_ref().map(|i| &i.0));
            let built = match next {
                Ok(None) => return Ok(Made::All),
                Ok(Some(child)) => build(ports, known, parent, thread, child, context.now).await?,
                Err(fault) => Err(fault.to_string()),
            };
            match built.and_then(|child| recorded(child, context.now)) {
                Ok((child, record)) => {
                    self.cursor.note(&working, working.next, items::Made::Execution(child.id));
                    children::made(run, thread, child.id);
                    self.announcements.push(Announcement::requested(&child));
                    self.bytes += record.body.len();
                    self.children.push(record);
                }
                Err(error) => {
                    self.cursor.note(&working, working.next, items::Made::Error(error.clone()));
                    children::failed(run, context, thread, error);
                }
            }
        }
    }

    /// Adds what was made to a commit.
    pub(super) fn commit(&self, mut commit: Commit) -> Commit {
        for child in &self.children {
            commit = commit.create(child.clone());
        }
        let (name, list) = self
            .list
            .as_ref()
            .map_or((None, None), |(name, list)| (Some(name.as_str()), Some(*list)));
        self.cursor.commit(commit, name, list)
    }

    /// What is to be sent once that is committed.
    pub(super) fn announcements(&self) -> Vec<Announcement> {
        self.announcements.clone()
    }
}

/// An execution with its record; or why it is too large for one.
fn recorded(child: Execution, now: Timestamp) -> Result<(Execution, Record), String> {
    let record = journey::execution_record(&child, crate::subject::due(&child, now));
    journey::check_asked(&record).map_err(|error| error.to_string())?;
    Ok((child, record))
}

async fn ended_well(ports: &Ports, made: &items::Made) -> Result<bool, Unavailable> {
    let items::Made::Execution(id) = made else { return Ok(false) };
    let execution = crate::load::execution(ports, *id).await?;
    Ok(execution.is_some_and(|execution| execution.status == ExecutionStatus::Completed))
}

/// The execution that a child is; or why it cannot be.
async fn build(
    ports: &Ports,
    known: &Known,
    parent: &Execution,
    thread: u32,
    child: Child,
    now: Timestamp,
) -> Result<Result<Execution, String>, Unavailable> {
    let Some(prepared) = definitions::action(ports, &child.action).await? else {
        return Ok(Err(format!("Action '{}' not found", child.action)));
    };
    let action = &prepared.action;
    if !child.keystore.is_empty() && (action.workflow.is_some() || inquiry::is_asked_by(action)) {
        let (task, at) = (&child.task, child.keystore.join(", "));
        return Ok(Err(format!(
            "task '{task}', input{at}: the keystore is for what runs, which '{}' does not itself",
            child.action
        )));
    }
    let id = ExecutionId::new(ports.ids.next());
    let task = task_of(parent, thread, &child);
    let mut input = child.input;
    let context = secrets::of_execution(id);
    let sealed = secrets::take(&*ports.vault, &context, Some(&prepared), &mut input).await?;
    if known.leaks_into(&input) {
        let place = format!("task '{}', input", child.task);
        let error = format!(
            "{place}: a secret would reach a parameter of '{}' that is not secret",
            child.action
        );
        return Ok(Err(error));
    }
    let config = payload::stash(&*ports.blobs, &format!("executions/{id}.config"), input).await?;
    let sets = child.permission_set_refs;
    let mut placement = parent.placement.clone();
    for (name, value) in child.placement.as_ref().and_then(Value::as_object).into_iter().flatten() {
        match name.as_str() {
            "worker_selector" => placement.worker_selector = Some(value.clone()),
            "worker_tolerations" => placement.worker_tolerations = Some(value.clone()),
            "worker_affinity" => placement.worker_affinity = Some(value.clone()),
            _ => {}
        }
    }
    Ok(Ok(Execution {
        action: Some(action.id),
        runtime: action.runtime,
        config: Some(config),
        secrets: sealed,
        keystore: (!child.keystore.is_empty())
            .then(|| Lookup { author: parent.action_ref.clone(), at: child.keystore }),
        env_vars: parent.env_vars.clone(),
        permission_set_refs: sets
            .unwrap_or_else(|| action.default_execution_permission_set_refs.clone()),
        executor: parent.executor,
        rule: parent.rule,
        rule_ref: parent.rule_ref.clone(),
        trigger_ref: parent.trigger_ref.clone(),
        parent: Some(parent.id),
        original_execution: child.original,
        thread: Some(thread),
        workflow_task: Some(task),
        placement,
        priority: parent.priority,
        ..Execution::new(id, child.action, now)
    }))
}

/// The task that a child belongs to, as the wire shows it.
fn task_of(parent: &Execution, thread: u32, child: &Child) -> Value {
    json!({
        "workflow_execution": parent.id,
        "task_name": child.task,
        "thread": thread,
        "task_index": child.index,
        "task_batch": null,
        "retry_count": child.tries,
        "max_retries": child.retries,
        "next_retry_at": null,
        "timeout_seconds": child.timeout.map(seconds),
        "timed_out": false,
    })
}

/// Whole seconds, which is what the wire has: rather one too many.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate")]
fn seconds(timeout: f64) -> u64 {
    timeout.ceil().max(1.0) as u64
}

/// Makes the rest of the children that a step began to make, and has the thread wait. Answers what comes next, where
/// it need not wait.
pub(super) async fn make_rest(
    ports: &Ports,
    step: ThreadStep,
    token: &str,
) -> Result<Option<Then>, Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let Some(loaded) = load::run(ports, step.run).await? else { return Ok(Some(Then::End)) };
        let Some(thread) = loaded.body.threads.get(&step.thread) else {
            return Ok(Some(Then::End));
        };
        if thread.hop != step.hop {
            return Ok(Some(Then::End));
        }
        let next = ThreadStep { sequence: thread.sequence, ..step };
        match make_some(ports, loaded, step.thread, token).await {
            Ok(Progress::More) => attempts = Attempts::default(),
            Ok(Progress::Waits) => return Ok(None),
            Ok(Progress::Ended) => return Ok(Some(Then::Step { step: next })),
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

enum Progress {
    More,
    Waits,
    Ended,
}

async fn make_some(
    ports: &Ports,
    loaded: Versioned<Run>,
    thread: u32,
    token: &str,
) -> Result<Progress, records::Error> {
    let Versioned { body: mut run, version, .. } = loaded;
    let mut making = Making::default();
    let made = fill(ports, &mut run, &mut making, thread).await?;
    let now = ports.clock.now();
    let progress = match run.threads.get_mut(&thread) {
        _ if made == Made::Enough => Progress::More,
        Some(thread) if thread.working().is_some_and(|working| !working.is_done()) => {
            thread.parked = Some(token.to_owned());
            Progress::Waits
        }
        _ => Progress::Ended,
    };
    let commit = making.commit(Commit::new());
    ports.records.commit(commit.replace(layout::run_record(&run, now), version)).await?;
    announce::send(ports, making.announcements()).await?;
    Ok(progress)
}

/// Makes children of a run's thread, with all that their parameters may read.
pub(super) async fn fill(
    ports: &Ports,
    run: &mut Run,
    making: &mut Making,
    thread: u32,
) -> Result<Made, Unavailable> {
    let Some(parent) = crate::load::execution(ports, run.execution).await? else {
        return Ok(Made::All);
    };
    let definition = load::definition_of(ports, run).await?;
    let known = Known::of(ports, &parent, &run.vars).await?;
    let uuid = || load::uuid(&*ports.ids);
    let random = load::random(&*ports.ids);
    let mut context = known.context(ports.clock.now(), random, &uuid);
    load::results(ports, &definition, run, &mut context, None).await?;
    making.make(ports, &definition, &known, run, &mut context, &parent, thread).await
}
