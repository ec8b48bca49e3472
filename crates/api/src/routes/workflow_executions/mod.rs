//! Executions of workflows: how they stand, task by task, and what people tell them to do.

mod context;
mod control;
mod graph;
mod list;
mod tasks;

use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::Path;
use crate::routes::executions::readable;
use crate::routes::fetched;
use crate::routes::table::{Table, routes};
use crate::wire::execution::ExecutionResponse;
use crate::wire::workflow_execution::{WorkflowExecutionResponse, WorkflowRun};
use crate::{Context, Error};
use attune_domain::execution::Execution;
use attune_domain::workflow::{Definition, Run};
use attune_journey::definitions;
use attune_journey::workflow::control as runs;
use attune_ports::{Ports, Unavailable};
use axum::extract::State;
use std::sync::Arc;

pub(crate) fn router() -> Table {
    Table::new()
        .merge(list::router())
        .routes(routes!(get_workflow_execution))
        .merge(tasks::router())
        .merge(graph::router())
        .merge(context::router())
        .merge(control::router())
}

/// An execution of a workflow, and how it stands.
struct Found {
    execution: Execution,
    /// `None` before it has begun, or where it never did.
    run: Option<Run>,
    digest: String,
}

impl Found {
    /// Reads a workflow's execution that the caller may read.
    async fn readable(context: &Context, caller: &Caller, id: i64) -> Result<Self, Error> {
        let execution = readable(context, caller, id).await?;
        Self::of(&context.ports, execution).await
    }

    /// Reads how an execution stands that somebody may see.
    async fn of(ports: &Ports, execution: Execution) -> Result<Self, Error> {
        let unknown = || Error::not_found("Workflow execution", execution.id);
        let digest = digest(ports, &execution).await?.ok_or_else(unknown)?;
        let run = runs::find(ports, execution.id).await?;
        Ok(Self { execution, run, digest })
    }

    async fn definition(&self, ports: &Ports) -> Result<Arc<Definition>, Unavailable> {
        runs::definition(ports, &self.digest).await
    }

    async fn respond(self, ports: &Ports) -> Result<ApiResponse<WorkflowExecutionResponse>, Error> {
        let Self { execution, run, .. } = self;
        let config = fetched(ports, execution.config.as_ref()).await?;
        let result = fetched(ports, execution.result.as_ref()).await?;
        Ok(ApiResponse::of(WorkflowExecutionResponse {
            execution: ExecutionResponse::new(execution, config, result),
            run: run.as_ref().map(WorkflowRun::from),
        }))
    }
}

/// The digest of the definition that an execution runs; `None`, it is none of a workflow. Until it is admitted, that is
/// what its action says.
async fn digest(ports: &Ports, execution: &Execution) -> Result<Option<String>, Unavailable> {
    if execution.workflow.is_some() || execution.started_at.is_some() {
        return Ok(execution.workflow.clone());
    }
    let action = definitions::action(ports, &execution.action_ref).await?;
    Ok(action.and_then(|prepared| prepared.action.workflow.clone()))
}

/// Get a workflow's execution.
#[utoipa::path(
    get, path = "/api/v1/workflow-executions/{id}", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<WorkflowExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such execution, or it is none of a workflow")
    )
)]
async fn get_workflow_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<WorkflowExecutionResponse>, Error> {
    Found::readable(&context, &caller, id).await?.respond(&context.ports).await
}
