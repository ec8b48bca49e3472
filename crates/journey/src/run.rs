//! Run: claim an execution, run its action, record what came of it.

use crate::announce::{self, Announcement};
use crate::definitions::PreparedAction;
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{definitions, inquiry, keystore, layout, load, payload, secrets, subject};
use attune_domain::Timestamp;
use attune_domain::execution::{Claim, Execution};
use attune_domain::id::ExecutionId;
use attune_domain::inquiry::PATIENCE;
use attune_domain::status::ExecutionStatus;
use attune_ports::records::{self, Commit};
use attune_ports::runner::{Cancelled, Invocation, Outcome};
use attune_ports::tokens::Holder;
use attune_ports::{Ports, Unavailable};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How a run behaves.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Time limit of a run that has none of its own.
    pub timeout: Duration,
    /// The longest time limit that a workflow's task may give.
    pub longest: Duration,
    /// Time from the limit until the process is gone for certain.
    pub grace: Duration,
    /// How often a run looks whether it was cancelled.
    pub look: Duration,
    /// How long people have time to answer what an action asks, where that does not say.
    pub inquiry: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            longest: Duration::from_secs(86_400),
            grace: Duration::from_secs(30),
            look: Duration::from_millis(200),
            inquiry: PATIENCE,
        }
    }
}

impl Terms {
    /// Time limit of an execution: that of its workflow's task, or the one that all have.
    fn limit(&self, execution: &Execution) -> Duration {
        let own =
            execution.workflow_task.as_ref().and_then(|task| task["timeout_seconds"].as_u64());
        own.map_or(self.timeout, |seconds| Duration::from_secs(seconds).min(self.longest))
    }
}

/// Runs an execution that was scheduled, unless somebody else has it already.
///
/// # Errors
/// [`Unavailable`] where something does not answer. Before the claim the message is to come again; after
/// it, a redelivery is dropped and the sweep finds the claim when its deadline has passed.
pub async fn handle(
    ports: &Ports,
    terms: &Terms,
    id: ExecutionId,
    attempt: u32,
) -> Result<(), Unavailable> {
    let mut attempts = Attempts::default();
    let (claimed, prepared) = loop {
        let Some(loaded) = load::execution_versioned(ports, id).await? else { return Ok(()) };
        let execution = &loaded.body;
        if execution.status != ExecutionStatus::Scheduled || execution.attempt != attempt {
            return Ok(());
        }
        let prepared = definitions::action(ports, &execution.action_ref).await?;
        // To ask people takes neither a process nor a claim.
        let question = prepared.as_ref().filter(|prepared| inquiry::is_asked_by(&prepared.action));
        let error = match question {
            Some(question) => match inquiry::ask(ports, terms.inquiry, loaded, question).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            None => match claim(ports, terms, loaded).await {
                Ok(claimed) => break (claimed, prepared),
                Err(error) => error,
            },
        };
        attempts.again(ports, error).await?;
    };
    let outcome = match invocation(ports, terms, &claimed.body, prepared.as_ref()).await? {
        Ok((invocation, pure)) => {
            // A process may only start once its claim would survive a crash.
            if !pure {
                ports.records.settle().await?;
            }
            let cancelled = watch(ports.clone(), terms.look, id, attempt);
            ports.runner.run(invocation, cancelled).await
        }
        Err(outcome) => outcome,
    };
    record(ports, terms, claimed, prepared.as_deref(), outcome).await
}

/// Takes an execution that is scheduled; answers it as it was stored.
async fn claim(
    ports: &Ports,
    terms: &Terms,
    loaded: Versioned<Execution>,
) -> Result<Versioned<Execution>, records::Error> {
    let Versioned { body: mut execution, version, due } = loaded;
    let now = ports.clock.now();
    // Never sooner than the worker itself may be dead, however short this execution's own limit is.
    let limit = terms.limit(&execution).max(terms.timeout);
    let longest = TimeDelta::from_std(limit + terms.grace).unwrap_or(TimeDelta::days(2));
    execution.status = ExecutionStatus::Running;
    execution.updated = now;
    execution.started_at.get_or_insert(now);
    execution.claim = Some(Claim {
        worker: ports.worker.to_string(),
        attempt: execution.attempt,
        deadline: now + longest,
    });
    let due = staying(due, &execution, now);
    let record = layout::execution_record(&execution, due);
    ports.records.commit(Commit::new().replace(record, version)).await?;
    Ok(Versioned { body: execution, version: version + 1, due })
}

/// When an execution is overdue that was overdue at `before` until now: its place in the due index stays what it
/// was while there is something to do. Moving it would cost two writes, and the sweep looks at the execution
/// itself before it acts.
fn staying(before: Option<Timestamp>, execution: &Execution, now: Timestamp) -> Option<Timestamp> {
    subject::due(execution, now).map(|due| before.unwrap_or(due))
}

/// What the runner is told; or the outcome, where there is nothing to run.
async fn invocation(
    ports: &Ports,
    terms: &Terms,
    execution: &Execution,
    prepared: Option<&Arc<PreparedAction>>,
) -> Result<Result<(Invocation, bool), Outcome>, Unavailable> {
    let Some(prepared) = prepared else {
        return Ok(Err(failed(format!("Action '{}' not found", execution.action_ref))));
    };
    let action = &prepared.action;
    let Some(runtime) = action.runtime else {
        return Ok(Err(failed(format!("Action '{}' has no runtime", action.reference))));
    };
    let (parameters, secrets) = match parameters(ports, execution, prepared).await? {
        Ok(restored) => restored,
        Err(error) => return Ok(Err(failed(error))),
    };
    let pure = ports.runner.is_pure(runtime, &action.entrypoint);
    let pack_dir = if pure {
        None
    } else {
        let pack = definitions::pack(ports, action.pack_ref.as_str()).await?;
        match pack.and_then(|pack| pack.path) {
            Some(place) => Some(ports.pack_files.folder(&place).await?),
            None => None,
        }
    };
    let invocation = Invocation {
        execution: execution.id,
        attempt: execution.attempt,
        action_ref: action.reference.clone(),
        runtime,
        entrypoint: action.entrypoint.clone(),
        pack_dir,
        parameters,
        parameter_delivery: action.parameter_delivery,
        parameter_format: action.parameter_format,
        output_format: action.output_format,
        timeout: terms.limit(execution),
        rule_ref: execution.rule_ref.as_ref().map(ToString::to_string),
        trigger_ref: execution.trigger_ref.as_ref().map(ToString::to_string),
        secrets,
        api_token: token(ports, terms, execution).await?,
    };
    Ok(Ok((invocation, pure)))
}

/// The token of the action's process, where it has permissions to use it for.
async fn token(
    ports: &Ports,
    terms: &Terms,
    execution: &Execution,
) -> Result<Option<String>, Unavailable> {
    let (Some(tokens), false) = (&ports.tokens, execution.permission_set_refs.is_empty()) else {
        return Ok(None);
    };
    let holder = Holder {
        execution: execution.id,
        executor: execution.executor,
        action_ref: execution.action_ref.clone(),
        permission_set_refs: execution.permission_set_refs.clone(),
        lifetime: terms.limit(execution) + Duration::from_secs(60),
    };
    tokens.execution_token(holder).await.map(Some)
}

/// What an action is given, and what of it is secret; or why it cannot be.
async fn parameters(
    ports: &Ports,
    execution: &Execution,
    prepared: &Arc<PreparedAction>,
) -> Result<Result<(Map<String, Value>, Vec<String>), String>, Unavailable> {
    let mut parameters = match &execution.config {
        Some(config) => match payload::fetch(&*ports.blobs, config).await? {
            Value::Object(map) => map,
            _ => Map::new(),
        },
        None => Map::new(),
    };
    let mut texts = match secrets::restore(&*ports.vault, execution, &mut parameters).await? {
        Ok(texts) => texts,
        Err(missing) => return Ok(Err(missing.to_string())),
    };
    prepared.parameters.defaults(&mut parameters);
    let unlocked = keystore::unlock(ports, execution, &mut parameters).await?;
    Ok(unlocked.map(|unlocked| {
        texts.extend(unlocked);
        (parameters, texts)
    }))
}

fn failed(error: String) -> Outcome {
    Outcome::new(ExecutionStatus::Failed, json!({"succeeded": false, "error": error}))
}

/// Completes when the execution is cancelled, or is not this attempt's any more.
fn watch(ports: Ports, look: Duration, id: ExecutionId, attempt: u32) -> Cancelled {
    Box::pin(async move {
        loop {
            tokio::time::sleep(look).await;
            if let Ok(Some(execution)) = load::execution(&ports, id).await
                && (execution.status != ExecutionStatus::Running || execution.attempt != attempt)
            {
                return;
            }
        }
    })
}

/// Records an outcome, if the claim still stands: the first terminal commit wins. One that asks a question is not
/// the end yet: the execution goes on waiting for the answer.
async fn record(
    ports: &Ports,
    terms: &Terms,
    claimed: Versioned<Execution>,
    prepared: Option<&PreparedAction>,
    mut outcome: Outcome,
) -> Result<(), Unavailable> {
    let (id, attempt) = (claimed.body.id, claimed.body.attempt);
    let name = format!("executions/{id}.{attempt}.result");
    if let (Some(prepared), Some(data)) = (prepared, outcome.result.get_mut("data")) {
        // What the output schema calls secret is not even kept sealed: nobody could ask for it.
        let _ = prepared.output.redact(data);
    }
    let asks = inquiry::in_outcome(ports, terms.inquiry, &claimed.body, &mut outcome).await?;
    let result = payload::stash(&*ports.blobs, &name, outcome.result).await?;
    let mut attempts = Attempts::default();
    // Most likely nobody has touched it since the claim.
    let mut found = Some(claimed);
    while let Some(Versioned { mut body, version, due }) = found {
        let holds = body.claim.as_ref().is_some_and(|claim| {
            claim.attempt == attempt && *claim.worker == *ports.worker && body.attempt == attempt
        });
        let now = ports.clock.now();
        let waits = asks.as_ref().filter(|_| may_wait(&body));
        let commit = match waits {
            Some(inquiry) => inquiry::wait(Commit::new(), &mut body, inquiry, now),
            None => inquiry::withdraw(ports, Commit::new(), &mut body, now).await?,
        };
        let status = if asks.is_some() { without_answer(&body) } else { outcome.status };
        if !holds || (waits.is_none() && body.become_(status, now).is_err()) {
            tracing::warn!(execution = %id, attempt, "an outcome came too late and is dropped");
            return Ok(());
        }
        body.result = Some(if asks.is_some() && waits.is_none() {
            inquiry::unasked().into()
        } else {
            result.clone()
        });
        body.printed.clone_from(&outcome.printed);
        body.claim = None;
        let record = layout::execution_record(&body, staying(due, &body, now));
        match ports.records.commit(commit.replace(record, version)).await {
            Ok(()) => {
                let mut announcements = Vec::from_iter(Announcement::completed(&body));
                announcements.extend(Announcement::waiting(&body));
                announcements.extend(waits.and_then(|asked| Announcement::deadline(asked, now)));
                return announce::send(ports, announcements).await;
            }
            Err(error) => attempts.again(ports, error).await?,
        }
        found = load::execution_versioned(ports, id).await?;
    }
    Ok(())
}

/// Whether an execution may wait for people now: nobody stops it, and it has not asked them before.
fn may_wait(execution: &Execution) -> bool {
    execution.status == ExecutionStatus::Running && execution.asked.is_none()
}

/// How an execution ends that asks in its result and may not wait: nothing goes on as if it had been answered.
fn without_answer(execution: &Execution) -> ExecutionStatus {
    if execution.status == ExecutionStatus::Canceling {
        ExecutionStatus::Cancelled
    } else {
        ExecutionStatus::Failed
    }
}
