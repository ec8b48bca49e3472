//! Beginning a run, when its first step is to be taken.

use super::load::{self, Known};
use super::{ending, layout, oversize};
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{layout as journey, payload};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::status::ExecutionStatus;
use attune_domain::workflow::{Run, plan};
use attune_ports::orchestrator::ThreadStep;
use attune_ports::records::Commit;
use attune_ports::{Ports, Unavailable};
use serde_json::{Value, json};

/// Begins the run of an execution that was admitted, unless somebody was faster; answers whether there is one now.
pub(super) async fn run(ports: &Ports, id: ExecutionId) -> Result<bool, Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let loaded = crate::load::execution_versioned(ports, id).await?;
        let Some(Versioned { body: execution, version, .. }) = loaded else { return Ok(false) };
        let Some(digest) = execution.workflow.clone() else { return Ok(false) };
        if execution.status.is_terminal() {
            return Ok(load::run(ports, id).await?.is_some());
        }
        match begin(ports, execution, version, digest).await {
            Ok(begun) => return Ok(begun),
            // Also where the run is there: whoever made it changed the execution as well.
            Err(error) => attempts.again(ports, error).await?,
        }
        if load::run(ports, id).await?.is_some() {
            return Ok(true);
        }
    }
}

async fn begin(
    ports: &Ports,
    mut execution: Execution,
    version: u64,
    digest: String,
) -> Result<bool, attune_ports::records::Error> {
    let now = ports.clock.now();
    let id = execution.id;
    if execution.status == ExecutionStatus::Canceling {
        let result = json!({"error": "Workflow cancelled", "succeeded": false});
        return refuse(ports, execution, version, ExecutionStatus::Cancelled, result).await;
    }
    let definition = match load::definition(ports, &digest).await? {
        Ok(definition) => definition,
        Err(unusable) => {
            let error = format!("Workflow failed: {unusable}");
            let result = json!({"error": error, "succeeded": false});
            return refuse(ports, execution, version, ExecutionStatus::Failed, result).await;
        }
    };
    let mut run = Run::new(id, execution.action_ref.clone(), digest, now);
    let known = Known::of(ports, &execution, &run.vars).await?;
    let uuid = || load::uuid(&*ports.ids);
    let mut context = known.context(now, 0.0, &uuid);
    if let Err(fault) = plan::begin(&definition, &mut run, &mut context) {
        run.fault = Some(fault.to_string());
        run.threads.clear();
    }
    if let Err(error) = oversize::check(&run) {
        run.fault = Some(error.to_string());
        run.threads.clear();
        // Nothing has come to them yet.
        run.tasks.clear();
    }
    let vars = Value::Object(std::mem::take(&mut context.vars));
    if known.leaks_into(&vars) {
        run.fault = Some("a variable would hold a secret".to_owned());
        run.threads.clear();
    } else {
        run.vars =
            payload::stash(&*ports.blobs, &layout::vars_blob(id, ports.ids.next()), vars.clone())
                .await?;
        if let Value::Object(vars) = vars {
            context.vars = vars;
        }
    }
    execution.started_at.get_or_insert(now);
    execution.updated = now;
    let mut announced = vec![];
    if let Some(ended) = plan::ending(&definition, &mut run, &mut context) {
        announced = ending::apply(ports, &known, &mut execution, ended, now).await?;
    }
    let due = crate::subject::due(&execution, now);
    // From now on the run says what is to be done.
    let due = due.filter(|_| execution.status.is_terminal());
    let commit = Commit::new()
        .replace(journey::execution_record(&execution, due), version)
        .create(layout::run_record(&run, now));
    ports.records.commit(commit).await?;
    // The thread whose step this is goes on by itself.
    for &thread in run.threads.keys().skip(1) {
        let step = ThreadStep { run: id, thread, hop: 0, sequence: 0 };
        ports.orchestrator.start(step).await?;
    }
    crate::announce::send(ports, announced).await?;
    Ok(true)
}

/// Ends an execution that has no run.
async fn refuse(
    ports: &Ports,
    mut execution: Execution,
    version: u64,
    status: ExecutionStatus,
    result: Value,
) -> Result<bool, attune_ports::records::Error> {
    let now = ports.clock.now();
    (execution.status, execution.result, execution.updated) = (status, Some(result.into()), now);
    let record = journey::execution_record(&execution, crate::subject::due(&execution, now));
    ports.records.commit(Commit::new().replace(record, version)).await?;
    crate::announce::send(ports, crate::announce::Announcement::completed(&execution)).await?;
    Ok(false)
}
