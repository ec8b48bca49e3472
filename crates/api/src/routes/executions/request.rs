//! Asking for an execution.

use super::respond;
use crate::access::grants::check_delegation;
use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{Json, OptionalJson, Path};
use crate::idempotency::Cause;
use crate::routes::table::{Table, routes};
use crate::wire::execution::{ExecuteActionRequest, ExecuteRequest, ExecutionResponse};
use crate::{Context, Error};
use attune_domain::reference::ComponentRef;
use attune_journey::{definitions, load, request};
use axum::extract::State;
use axum::http::StatusCode;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(execute)).routes(routes!(execute_action))
}

/// What is answered to whoever asks for an execution.
pub(crate) type Requested = Result<(StatusCode, ApiResponse<ExecutionResponse>), Error>;

/// Execute an action.
#[utoipa::path(
    post, path = "/api/v1/executions/execute", tag = "executions", security(("bearer_auth" = [])),
    request_body = ExecuteRequest,
    responses(
        (status = 201, body = ApiResponse<ExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse, description = "Parameters against the action's schema")
    )
)]
async fn execute(
    State(context): State<Context>,
    caller: Caller,
    cause: Cause,
    Json(body): Json<ExecuteRequest>,
) -> Requested {
    ask(&context, &caller, cause, &body.action_ref, body.with).await
}

/// Execute the action that the path names.
#[utoipa::path(
    post, path = "/api/v1/actions/{ref}/execute", tag = "actions", security(("bearer_auth" = [])),
    params(("ref" = String, Path)), request_body = Option<ExecuteActionRequest>,
    responses(
        (status = 201, body = ApiResponse<ExecutionResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse, description = "Parameters against the action's schema")
    )
)]
async fn execute_action(
    State(context): State<Context>,
    caller: Caller,
    cause: Cause,
    Path(reference): Path<String>,
    OptionalJson(body): OptionalJson<ExecuteActionRequest>,
) -> Requested {
    ask(&context, &caller, cause, &reference, body).await
}

/// Asks for an execution of the action of that ref in the caller's name.
pub(crate) async fn ask(
    context: &Context,
    caller: &Caller,
    cause: Cause,
    reference: &str,
    with: ExecuteActionRequest,
) -> Requested {
    let ports = &context.ports;
    let unknown = || Error::not_found("Action", reference);
    caller.require_some(Resource::Actions, Action::Execute)?;
    let action_ref = ComponentRef::parse(reference).map_err(|_| unknown())?;
    let target = Target {
        reference: Some(action_ref.as_str()),
        pack_ref: Some(action_ref.pack()),
        ..Target::default()
    };
    caller.require_on(Resource::Actions, Action::Execute, target)?;
    if with.priority.is_some_and(|priority| priority > 9) {
        return Err(Error::Invalid("priority: expected 0 (first) to 9 (last)".into()));
    }
    let action = definitions::action(ports, &action_ref).await?.ok_or_else(unknown)?;
    let placement = with.placement();
    let permission_set_refs = with
        .permission_set_refs
        .unwrap_or_else(|| action.action.default_execution_permission_set_refs.clone());
    check_delegation(ports, caller.grants(), &permission_set_refs).await?;

    // What an execution asks for belongs to it and runs in the same name.
    let parent = caller.execution();
    let executor = match parent {
        None => caller.identity(),
        Some(parent) => load::execution(ports, parent).await?.and_then(|parent| parent.executor),
    };
    let new = request::NewExecution {
        action_ref,
        parameters: with.parameters,
        env_vars: with.env_vars.unwrap_or_default(),
        permission_set_refs,
        placement,
        executor,
        parent,
        priority: with.priority,
        idempotency: cause.0,
    };
    let execution = request::execution(ports, new).await?;
    Ok(respond(ports, execution).await?.created())
}

impl From<request::Error> for Error {
    fn from(error: request::Error) -> Self {
        match error {
            request::Error::UnknownAction(reference) => Self::not_found("Action", reference),
            request::Error::Invalid { action, violations } => Self::Invalid(format!(
                "Invalid parameters for action '{action}': {}",
                violations.join("; ")
            )),
            request::Error::TooLarge => {
                Self::TooLarge("The execution is too large to store".into())
            }
            request::Error::Unavailable(cause) => cause.into(),
        }
    }
}
