//! Cancel: at once what no runner has taken, through the runner what one has.

use crate::announce::{self, Announcement};
use crate::retry::Attempts;
use crate::{inquiry, layout, load, subject, workflow};
use attune_domain::execution::{Execution, Holds, Place};
use attune_domain::id::ExecutionId;
use attune_domain::status::ExecutionStatus;
use attune_ports::records::{Commit, Expect};
use attune_ports::{Ports, Unavailable};
use serde_json::json;

/// Why an execution was not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("Execution '{0}' not found")]
    NotFound(ExecutionId),
    /// It is over.
    #[error("Execution is already {0} and cannot be cancelled")]
    Over(ExecutionStatus),
    /// Something did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Cancels an execution. Cancelling twice is harmless.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn execution(ports: &Ports, id: ExecutionId) -> Result<Execution, Error> {
    let execution = one(ports, id).await?;
    if execution.workflow.is_none() || execution.status.is_terminal() {
        return Ok(execution);
    }
    workflow::control::cancel(ports, &execution).await?;
    load::execution(ports, id).await?.ok_or(Error::NotFound(id))
}

/// Cancels an execution, and nothing that it has executed.
pub(crate) async fn one(ports: &Ports, id: ExecutionId) -> Result<Execution, Error> {
    let mut attempts = Attempts::default();
    loop {
        let loaded = load::execution_versioned(ports, id).await?.ok_or(Error::NotFound(id))?;
        let mut execution = loaded.body;
        let now = ports.clock.now();
        let mut commit = Commit::new();
        match execution.status {
            ExecutionStatus::Canceling => return Ok(execution),
            status if status.is_terminal() => return Err(Error::Over(status)),
            ExecutionStatus::Running => {
                commit = inquiry::withdraw(ports, commit, &mut execution, now).await?;
                // Who waited for people had no process to end, and is over.
                if execution.status == ExecutionStatus::Running {
                    execution.status = ExecutionStatus::Canceling;
                }
            }
            _ => {
                // A slot stays with it until `complete` gives it to the next in line.
                if let Some(Place { lane, holds: Holds::Ticket(ticket) }) = execution.place.clone()
                {
                    commit = leave_line(ports, commit, &lane, ticket, now).await?;
                    execution.place = Some(Place { lane, holds: Holds::Nothing });
                }
                execution.status = ExecutionStatus::Cancelled;
                execution.result = Some(
                    json!({
                        "succeeded": false,
                        "cancelled": true,
                        "error": "Cancelled by user before execution started",
                    })
                    .into(),
                );
            }
        }
        execution.updated = now;
        let record = layout::execution_record(&execution, subject::due(&execution, now));
        match ports.records.commit(commit.replace(record, loaded.version)).await {
            Ok(()) => {
                announce::send(ports, Announcement::completed(&execution)).await?;
                return Ok(execution);
            }
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

async fn leave_line(
    ports: &Ports,
    commit: Commit,
    key: &attune_domain::admission::LaneKey,
    ticket: attune_domain::admission::Ticket,
    now: attune_domain::Timestamp,
) -> Result<Commit, Unavailable> {
    let mut commit = commit.delete(layout::ticket(key, ticket), Expect::Any);
    if let Some(loaded) = load::lane(ports, key).await? {
        let mut lane = loaded.body;
        lane.leave(now);
        lane.settle(now);
        commit = commit.replace(layout::lane_record(&lane), loaded.version);
    }
    Ok(commit)
}
