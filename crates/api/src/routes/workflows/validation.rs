//! Whether a workflow can be run as it is stored.

use super::RESOURCE;
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::Path;
use crate::routes::definitions::visible;
use crate::routes::table::{Table, routes};
use crate::wire::workflow::{WorkflowProblem, WorkflowValidationResponse};
use crate::{Context, Error};
use attune_catalogue::{read, workflows};
use attune_domain::catalogue::{Action, Workflow};
use attune_domain::reference::ComponentRef;
use attune_domain::workflow::{Definition, Problem};
use axum::extract::State;
use std::collections::BTreeSet;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(validate_workflow))
}

/// Look through a workflow: its graph, its expressions, and whether the actions that it executes exist.
#[utoipa::path(
    post, path = "/api/v1/workflows/{ref}/validate", tag = "workflows", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<WorkflowValidationResponse>), (status = 404, body = ErrorResponse))
)]
async fn validate_workflow(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<WorkflowValidationResponse>, Error> {
    let workflow = visible::<Workflow>(&context, &caller, RESOURCE, &reference).await?;
    let graph = workflows::graph(&context.ports, &workflow).await?;
    let (definition, problems) = Definition::check(&graph, workflow.param_schema.as_ref());
    let (errors, warnings): (Vec<_>, Vec<_>) = problems.iter().partition(|it| it.is_error());
    let mut errors: Vec<WorkflowProblem> = errors.into_iter().map(WorkflowProblem::from).collect();
    let actions = definition.iter().flat_map(Definition::actions);
    errors.extend(
        missing(&context, actions)
            .await?
            .into_iter()
            .map(|message| WorkflowProblem { field: "tasks".into(), message }),
    );
    Ok(ApiResponse::of(WorkflowValidationResponse {
        reference,
        valid: errors.is_empty(),
        errors,
        warnings: warnings.into_iter().map(|it: &Problem| it.into()).collect(),
    }))
}

/// A sentence for each of the actions that does not exist.
pub(super) async fn missing(
    context: &Context,
    actions: impl Iterator<Item = &ComponentRef>,
) -> Result<Vec<String>, Error> {
    let mut missing = Vec::new();
    for action in actions.collect::<BTreeSet<_>>() {
        if read::get::<Action>(&context.ports, action.as_str()).await?.is_none() {
            missing.push(format!("there is no action '{action}'"));
        }
    }
    Ok(missing)
}
