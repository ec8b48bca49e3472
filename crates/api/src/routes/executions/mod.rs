//! Executions: asking for them, watching them, stopping them.

mod filter;
pub mod list;
pub mod logs;
pub(crate) mod pages;
mod printed;
pub mod request;
pub mod stream;
pub(crate) mod streaming;

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{Path, Query};
use crate::routes::fetched;
use crate::routes::reveal::{self, Reveal};
use crate::routes::table::{Table, routes};
use crate::wire::execution::{ExecutionResponse, ExecutionStats};
use crate::{Context, Error};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::status::ExecutionStatus;
use attune_journey::{cancel, load, secrets};
use attune_ports::Ports;
use axum::extract::State;
use serde_json::Value;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(get_execution))
        .routes(routes!(get_execution_stats))
        .routes(routes!(cancel_execution))
        .merge(list::router())
        .merge(logs::router())
        .merge(request::router())
        .merge(stream::router())
}

pub(crate) fn target(execution: &Execution) -> Target<'_> {
    Target {
        id: Some(execution.id.get()),
        reference: Some(execution.action_ref.as_str()),
        pack_ref: Some(execution.action_ref.pack()),
        owner: execution.executor.map(|id| id.get()),
        ..Target::default()
    }
}

/// Reads an execution that the caller may read.
pub(crate) async fn readable(
    context: &Context,
    caller: &Caller,
    id: i64,
) -> Result<Execution, Error> {
    caller.require_some(Resource::Executions, Action::Read)?;
    let found = load::execution(&context.ports, ExecutionId::new(id)).await?;
    let found = found.ok_or_else(|| Error::not_found("Execution", id))?;
    caller.require_on(Resource::Executions, Action::Read, target(&found))?;
    Ok(found)
}

pub(crate) async fn respond(
    ports: &Ports,
    execution: Execution,
) -> Result<ApiResponse<ExecutionResponse>, Error> {
    let config = fetched(ports, execution.config.as_ref()).await?;
    with_config(ports, execution, config).await
}

async fn with_config(
    ports: &Ports,
    execution: Execution,
    config: Option<Value>,
) -> Result<ApiResponse<ExecutionResponse>, Error> {
    let result = fetched(ports, execution.result.as_ref()).await?;
    Ok(ApiResponse::of(ExecutionResponse::new(execution, config, result)))
}

/// Get an execution with its parameters and result.
#[utoipa::path(
    get, path = "/api/v1/executions/{id}", tag = "executions", security(("bearer_auth" = [])),
    params(("id" = i64, Path), Reveal),
    responses(
        (status = 200, body = ApiResponse<ExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    Query(reveal): Query<Reveal>,
) -> Result<ApiResponse<ExecutionResponse>, Error> {
    let ports = &context.ports;
    let execution = readable(&context, &caller, id).await?;
    if !reveal.include_secret_values {
        return respond(ports, execution).await;
    }
    caller.require_on(Resource::Executions, Action::Decrypt, target(&execution))?;
    let mut config = fetched(ports, execution.config.as_ref()).await?;
    if let (Some(sealed), Some(config)) = (&execution.secrets, &mut config) {
        let context = secrets::context_of(&execution);
        reveal::reveal(&*ports.vault, &context, sealed, config).await?;
    }
    with_config(ports, execution, config).await
}

/// Count executions by status.
#[utoipa::path(
    get, path = "/api/v1/executions/stats", tag = "executions", security(("bearer_auth" = [])),
    responses(
        (status = 200, body = ApiResponse<ExecutionStats>),
        (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn get_execution_stats(
    State(context): State<Context>,
    caller: Caller,
) -> Result<ApiResponse<ExecutionStats>, Error> {
    caller.require(Resource::Executions, Action::Read)?;
    let tally = context.ports.records.tally(list::TALLY).await?;
    Ok(ApiResponse::of(stats(&tally)))
}

fn stats(tally: &[(String, u64)]) -> ExecutionStats {
    use ExecutionStatus as S;
    let mut stats = ExecutionStats::default();
    for (name, count) in tally {
        let Some(Ok(status)) = name.strip_prefix(list::TALLY).map(str::parse) else { continue };
        stats.total += count;
        *match status {
            S::Requested | S::Scheduling | S::Scheduled => &mut stats.pending,
            S::Running => &mut stats.running,
            S::Completed => &mut stats.completed,
            S::Failed => &mut stats.failed,
            S::Canceling | S::Cancelled => &mut stats.cancelled,
            S::Timeout => &mut stats.timeout,
            S::Abandoned => &mut stats.abandoned,
        } += count;
    }
    stats
}

/// Stop an execution: at once where it does not run yet, else as soon as its process is gone.
#[utoipa::path(
    post, path = "/api/v1/executions/{id}/cancel", tag = "executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<ExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It is over already")
    )
)]
async fn cancel_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<ExecutionResponse>, Error> {
    let ports = &context.ports;
    caller.require_some(Resource::Executions, Action::Cancel)?;
    let found = load::execution(ports, ExecutionId::new(id)).await?;
    let found = found.ok_or_else(|| Error::not_found("Execution", id))?;
    caller.require_on(Resource::Executions, Action::Cancel, target(&found))?;
    let execution = cancel::execution(ports, found.id).await?;
    respond(ports, execution).await
}

impl From<cancel::Error> for Error {
    fn from(error: cancel::Error) -> Self {
        match error {
            cancel::Error::NotFound(id) => Self::not_found("Execution", id),
            cancel::Error::Over(status) => {
                Self::Conflict(format!("The execution is over already: its status is '{status}'"))
            }
            cancel::Error::Unavailable(cause) => cause.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stats_sum_up_every_status_once() {
        let tally: Vec<_> = ExecutionStatus::ALL
            .iter()
            .enumerate()
            .map(|(n, status)| (format!("execution/{status}"), 1 << n))
            .collect();
        let expected = ExecutionStats {
            total: 0b11_1111_1111,
            pending: 0b111,
            running: 0b1000,
            completed: 0b1_0000,
            failed: 0b10_0000,
            cancelled: 0b1100_0000,
            timeout: 0b1_0000_0000,
            abandoned: 0b10_0000_0000,
        };
        assert_eq!(stats(&tally), expected);
    }
}
