//! What people tell executions of workflows to do.

use super::Found;
use crate::access::grants::check_delegation;
use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{OptionalJson, Path};
use crate::routes::executions::request::Requested;
use crate::routes::executions::{readable, respond, target};
use crate::routes::table::{Table, routes};
use crate::wire::execution::ExecutionResponse;
use crate::wire::workflow_execution::{RetryWorkflowRequest, WorkflowExecutionResponse};
use crate::{Context, Error};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_journey::workflow::control::{self, Again, Refusal};
use attune_journey::{cancel, definitions, load, request};
use axum::extract::State;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(pause_workflow_execution))
        .routes(routes!(resume_workflow_execution))
        .routes(routes!(cancel_workflow_execution))
        .routes(routes!(retry_workflow_execution))
}

/// Reads a workflow's execution that the caller may do something with.
async fn changeable(
    context: &Context,
    caller: &Caller,
    action: Action,
    id: i64,
) -> Result<Found, Error> {
    caller.require_some(Resource::Executions, action)?;
    let found = load::execution(&context.ports, ExecutionId::new(id)).await?;
    let found = found.ok_or_else(|| Error::not_found("Workflow execution", id))?;
    caller.require_on(Resource::Executions, action, target(&found))?;
    Found::of(&context.ports, found).await
}

async fn answer(
    context: &Context,
    id: ExecutionId,
) -> Result<ApiResponse<WorkflowExecutionResponse>, Error> {
    let execution = load::execution(&context.ports, id).await?;
    let execution = execution.ok_or_else(|| Error::not_found("Workflow execution", id))?;
    Found::of(&context.ports, execution).await?.respond(&context.ports).await
}

/// Refuses where a workflow has no run that could be told anything.
fn begun(found: &Found) -> Result<(), Error> {
    if found.run.is_some() {
        return Ok(());
    }
    let status = found.execution.status;
    Err(Error::Conflict(match status.is_terminal() {
        true => format!("The workflow never began: its execution is '{status}'"),
        false => format!("The workflow has not begun yet: its execution is '{status}'"),
    }))
}

/// Pause a workflow's execution: what runs ends, nothing new begins.
#[utoipa::path(
    post, path = "/api/v1/workflow-executions/{id}/pause", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<WorkflowExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It has not begun, is over, or is being cancelled")
    )
)]
async fn pause_workflow_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<WorkflowExecutionResponse>, Error> {
    let found = changeable(&context, &caller, Action::Update, id).await?;
    begun(&found)?;
    control::pause(&context.ports, found.execution.id).await?;
    answer(&context, found.execution.id).await
}

/// Have a paused workflow's execution go on.
#[utoipa::path(
    post, path = "/api/v1/workflow-executions/{id}/resume", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<WorkflowExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It is not paused")
    )
)]
async fn resume_workflow_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<WorkflowExecutionResponse>, Error> {
    let found = changeable(&context, &caller, Action::Update, id).await?;
    begun(&found)?;
    control::resume(&context.ports, found.execution.id).await?;
    answer(&context, found.execution.id).await
}

/// Cancel a workflow's execution, and what it executes as its policy says.
#[utoipa::path(
    post, path = "/api/v1/workflow-executions/{id}/cancel", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<WorkflowExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It is over already")
    )
)]
async fn cancel_workflow_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<WorkflowExecutionResponse>, Error> {
    let found = changeable(&context, &caller, Action::Cancel, id).await?;
    cancel::execution(&context.ports, found.execution.id).await?;
    answer(&context, found.execution.id).await
}

/// Do a part of a workflow's execution again that is over: another execution starts at a task, or does what failed and
/// was not dealt with. What the first one found out before that stays.
#[utoipa::path(
    post, path = "/api/v1/workflow-executions/{id}/retry", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    request_body = Option<RetryWorkflowRequest>,
    responses(
        (status = 201, body = ApiResponse<ExecutionResponse>, description = "The other execution"),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It is not over, or nothing of it has failed"),
        (status = 422, body = ErrorResponse, description = "No such task, or parameters against the schema")
    )
)]
async fn retry_workflow_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    OptionalJson(body): OptionalJson<RetryWorkflowRequest>,
) -> Requested {
    let ports = &context.ports;
    caller.require_some(Resource::Actions, Action::Execute)?;
    let first = readable(&context, &caller, id).await?;
    caller.require_on(Resource::Actions, Action::Execute, action(&first))?;
    // Whoever asks passes on what the first one was given, and must hold it.
    check_delegation(ports, caller.grants(), &first.permission_set_refs).await?;
    let found = Found::of(ports, first).await?;
    begun(&found)?;
    let first = found.execution;
    if body.parameters.is_some()
        && let Some(prepared) = definitions::action(ports, &first.action_ref).await?
    {
        request::check(&prepared, body.parameters.as_ref())?;
    }
    let executor = match caller.execution() {
        None => caller.identity(),
        Some(parent) => load::execution(ports, parent).await?.and_then(|parent| parent.executor),
    };
    let again = Again { from: body.from_task, parameters: body.parameters, executor };
    let execution = control::repeat(ports, first.id, again).await?;
    Ok(respond(ports, execution).await?.created())
}

/// The action that an execution runs, for who asks to run it again.
fn action(execution: &Execution) -> Target<'_> {
    Target {
        reference: Some(execution.action_ref.as_str()),
        pack_ref: Some(execution.action_ref.pack()),
        ..Target::default()
    }
}

impl From<control::Error> for Error {
    fn from(error: control::Error) -> Self {
        match error {
            control::Error::NotFound(id) => Self::not_found("Workflow execution", id),
            control::Error::Refused(Refusal::NoTask(task)) => {
                Self::Invalid(format!("from_task: the workflow has no task '{task}'"))
            }
            control::Error::Refused(refusal) => {
                let text = refusal.to_string();
                let mut letters = text.chars();
                let first = letters.next().map(|first| first.to_ascii_uppercase());
                Self::Conflict(first.into_iter().chain(letters).collect())
            }
            control::Error::TooLarge(what) => Self::TooLarge(format!("Too large to store: {what}")),
            control::Error::Unavailable(cause) => cause.into(),
        }
    }
}
