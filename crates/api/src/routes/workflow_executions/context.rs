//! What the expressions of a workflow's execution may read.

use super::Found;
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::Path;
use crate::routes::fetched;
use crate::routes::table::{Table, routes};
use crate::wire::workflow_execution::{WorkflowContextResponse, WorkflowResultReference};
use crate::{Context, Error};
use attune_journey::workflow::control as runs;
use axum::extract::State;
use serde_json::json;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(get_workflow_execution_context))
}

/// Get what the expressions of a workflow's execution may read: parameters, variables, and where results are. Secrets
/// stay marked; variables never hold any.
#[utoipa::path(
    get, path = "/api/v1/workflow-executions/{id}/context", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<WorkflowContextResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_workflow_execution_context(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<WorkflowContextResponse>, Error> {
    let ports = &context.ports;
    let Found { execution, run, .. } = Found::readable(&context, &caller, id).await?;
    let parameters = fetched(ports, execution.config.as_ref()).await?;
    let vars = match &run {
        Some(run) => runs::variables(ports, run).await?,
        None => json!({}),
    };
    let tasks = run.iter().flat_map(|run| &run.tasks);
    Ok(ApiResponse::of(WorkflowContextResponse {
        parameters: parameters.unwrap_or_else(|| json!({})),
        vars,
        results: tasks
            .filter_map(|(name, state)| Some((name.clone(), WorkflowResultReference::of(state)?)))
            .collect(),
    }))
}
