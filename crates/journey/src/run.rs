//! Run: claim an execution, run its action, record what came of it.

use crate::announce::{self, Announcement};
use crate::definitions::PreparedAction;
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{definitions, layout, load, payload, secrets, subject};
use attune_domain::Timestamp;
use attune_domain::execution::{Claim, Execution};
use attune_domain::id::ExecutionId;
use attune_domain::status::ExecutionStatus;
use attune_ports::records::Commit;
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
    /// Time from the limit until the process is gone for certain.
    pub grace: Duration,
    /// How often a run looks whether it was cancelled.
    pub look: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(300),
            grace: Duration::from_secs(30),
            look: Duration::from_millis(200),
        }
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
    let Some(claimed) = claim(ports, terms, id, attempt).await? else { return Ok(()) };
    let prepared = definitions::action(ports, &claimed.body.action_ref).await?;
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
    record(ports, claimed, prepared.as_deref(), outcome).await
}

/// Takes the execution, if it still waits for this attempt; answers it as it was stored.
async fn claim(
    ports: &Ports,
    terms: &Terms,
    id: ExecutionId,
    attempt: u32,
) -> Result<Option<Versioned<Execution>>, Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let Some(loaded) = load::execution_versioned(ports, id).await? else { return Ok(None) };
        let mut execution = loaded.body;
        if execution.status != ExecutionStatus::Scheduled || execution.attempt != attempt {
            return Ok(None);
        }
        let now = ports.clock.now();
        let longest =
            TimeDelta::from_std(terms.timeout + terms.grace).unwrap_or(TimeDelta::hours(1));
        execution.status = ExecutionStatus::Running;
        execution.updated = now;
        execution.started_at.get_or_insert(now);
        execution.claim =
            Some(Claim { worker: ports.worker.to_string(), attempt, deadline: now + longest });
        let due = staying(loaded.due, &execution, now);
        let record = layout::execution_record(&execution, due);
        match ports.records.commit(Commit::new().replace(record, loaded.version)).await {
            Ok(()) => {
                return Ok(Some(Versioned { body: execution, version: loaded.version + 1, due }));
            }
            Err(error) => attempts.again(ports, error).await?,
        }
    }
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
        Err(missing) => return Ok(Err(failed(missing.to_string()))),
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
        timeout: terms.timeout,
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
        lifetime: terms.timeout + Duration::from_secs(60),
    };
    tokens.execution_token(holder).await.map(Some)
}

async fn parameters(
    ports: &Ports,
    execution: &Execution,
    prepared: &Arc<PreparedAction>,
) -> Result<Result<(Map<String, Value>, Vec<String>), secrets::Missing>, Unavailable> {
    let mut parameters = match &execution.config {
        Some(config) => match payload::fetch(&*ports.blobs, config).await? {
            Value::Object(map) => map,
            _ => Map::new(),
        },
        None => Map::new(),
    };
    let restored = secrets::restore(&*ports.vault, execution, &mut parameters).await?;
    prepared.parameters.defaults(&mut parameters);
    Ok(restored.map(|secrets| (parameters, secrets)))
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

/// Records an outcome, if the claim still stands: the first terminal commit wins.
async fn record(
    ports: &Ports,
    claimed: Versioned<Execution>,
    prepared: Option<&PreparedAction>,
    outcome: Outcome,
) -> Result<(), Unavailable> {
    let (id, attempt) = (claimed.body.id, claimed.body.attempt);
    let name = format!("executions/{id}.{attempt}.result");
    let mut result = outcome.result;
    if let (Some(prepared), Some(data)) = (prepared, result.get_mut("data")) {
        // What the output schema calls secret is not even kept sealed: nobody could ask for it.
        let _ = prepared.output.redact(data);
    }
    let result = payload::stash(&*ports.blobs, &name, result).await?;
    let mut attempts = Attempts::default();
    // Most likely nobody has touched it since the claim.
    let mut found = Some(claimed);
    while let Some(Versioned { mut body, version, due }) = found {
        let holds = body.claim.as_ref().is_some_and(|claim| {
            claim.attempt == attempt && *claim.worker == *ports.worker && body.attempt == attempt
        });
        let now = ports.clock.now();
        if !holds || body.become_(outcome.status, now).is_err() {
            tracing::warn!(execution = %id, attempt, "an outcome came too late and is dropped");
            return Ok(());
        }
        body.result = Some(result.clone());
        body.printed.clone_from(&outcome.printed);
        body.claim = None;
        let record = layout::execution_record(&body, staying(due, &body, now));
        match ports.records.commit(Commit::new().replace(record, version)).await {
            Ok(()) => return announce::send(ports, Announcement::completed(&body)).await,
            Err(error) => attempts.again(ports, error).await?,
        }
        found = load::execution_versioned(ports, id).await?;
    }
    Ok(())
}
