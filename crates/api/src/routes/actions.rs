//! Actions.

use crate::access::grants::check_delegation;
use crate::access::{self, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path, Query};
use crate::paging::Paging;
use crate::routes::definitions::{
    View, changeable, component_ref, exists, list, list_where, planned, target, visible,
    visible_by_id,
};
use crate::routes::table::{Table, routes};
use crate::wire::action::{
    ActionResponse, ActionSearchHit, ActionSummary, CreateActionRequest, UpdateActionRequest,
};
use crate::wire::placement::runtime_of_id;
use crate::wire::rule::RuleSummary;
use crate::{Context, Error};
use attune_catalogue::{actions, read};
use attune_domain::catalogue::Action;
use attune_domain::runtime::Runtime;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_actions, create_action))
        .routes(routes!(search_actions))
        .routes(routes!(get_action_by_id))
        .routes(routes!(get_action, update_action, delete_action))
        .routes(routes!(list_rules_by_action))
}

/// What else narrows a list of actions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ActionFilter {
    /// Only those that the caller may execute.
    executable_with_current_access: Option<bool>,
}

/// Actions, by ref.
#[utoipa::path(
    get, path = "/api/v1/actions", tag = "actions", security(("bearer_auth" = [])),
    params(Paging, ActionFilter),
    responses((status = 200, body = PaginatedResponse<ActionSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_actions(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
    Query(filter): Query<ActionFilter>,
) -> Result<Response, Error> {
    let resource = Resource::Actions;
    if filter.executable_with_current_access != Some(true) {
        return list::<Action, _>(&context, &caller, resource, &paging, ActionSummary::from).await;
    }
    let may = |action: &Action| caller.may(resource, access::Action::Execute, target(action));
    list_where(&context, &caller, resource, &paging, may, ActionSummary::from).await
}

/// What an action is searched by.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ActionSearch {
    /// Words that must all stand in its ref, label or description.
    q: Option<String>,
    /// Refs of packs, joined by commas; only theirs.
    packs: Option<String>,
}

/// Actions that the words fit, by ref.
#[utoipa::path(
    get, path = "/api/v1/actions/search", tag = "actions", security(("bearer_auth" = [])),
    params(Paging, ActionSearch),
    responses((status = 200, body = PaginatedResponse<ActionSearchHit>), (status = 403, body = ErrorResponse))
)]
async fn search_actions(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
    Query(search): Query<ActionSearch>,
) -> Result<Response, Error> {
    let words = search.q.unwrap_or_default().to_lowercase();
    let packs: Vec<&str> = search
        .packs
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|pack| !pack.is_empty())
        .collect();
    let fits = |action: &Action| {
        let description = action.description.as_deref().unwrap_or_default();
        let text = format!("{} {} {description}", action.reference, action.label).to_lowercase();
        (packs.is_empty() || packs.contains(&action.pack_ref.as_str()))
            && words.split_whitespace().all(|word| text.contains(word))
    };
    list_where(&context, &caller, Resource::Actions, &paging, fits, ActionSearchHit::from).await
}

/// An action.
#[utoipa::path(
    get, path = "/api/v1/actions/{ref}", tag = "actions", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<ActionResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_action(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<ActionResponse>, Error> {
    let action: Action = visible(&context, &caller, Resource::Actions, &reference).await?;
    Ok(ApiResponse::of(action.into()))
}

/// An action by its wire id.
#[utoipa::path(
    get, path = "/api/v1/actions/id/{id}", tag = "actions", security(("bearer_auth" = [])),
    params(("id" = i64, Path, description = "Its id")),
    responses((status = 200, body = ApiResponse<ActionResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_action_by_id(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<ActionResponse>, Error> {
    let action: Action = visible_by_id(&context, &caller, Resource::Actions, id).await?;
    Ok(ApiResponse::of(action.into()))
}

/// Make an action.
#[utoipa::path(
    post, path = "/api/v1/actions", tag = "actions", security(("bearer_auth" = [])),
    request_body = CreateActionRequest,
    responses(
        (status = 201, body = ApiResponse<ActionResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such pack or runtime"),
        (status = 409, body = ErrorResponse, description = "The ref is taken"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_action(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreateActionRequest>,
) -> Result<(StatusCode, ApiResponse<ActionResponse>), Error> {
    let planned = planned(&request.reference, Some(&request.pack_ref));
    caller.require_on(Resource::Actions, access::Action::Create, planned)?;
    let sets = request.default_execution_permission_set_refs.unwrap_or_default();
    check_delegation(&context.ports, caller.grants(), &sets).await?;
    let new = actions::NewAction {
        reference: component_ref(&request.reference)?,
        pack_ref: request.pack_ref,
        label: request.label,
        description: request.description,
        entrypoint: request.entrypoint,
        runtime_ref: runtime(request.runtime_ref, request.runtime)?,
        runtime_version_constraint: request.runtime_version_constraint,
        param_schema: request.param_schema,
        out_schema: request.out_schema,
        default_execution_permission_set_refs: sets,
        accesses_mcp: request.accesses_mcp.unwrap_or(false),
        placement: request.placement.into(),
    };
    let action = actions::create(&context.ports, &new).await?;
    Ok(ApiResponse::of(action.into()).saying("Action created successfully").created())
}

/// The runtime that a request names by ref, alias or id; an unknown one is 404.
pub(super) fn runtime(name: Option<String>, id: Option<i64>) -> Result<Option<String>, Error> {
    match (name, id) {
        (Some(name), _) if Runtime::from_name(&name).is_some() => Ok(Some(name)),
        (Some(name), _) => Err(Error::not_found("Runtime", name)),
        (None, Some(id)) => {
            let found = runtime_of_id(id).ok_or_else(|| Error::not_found("Runtime", id))?;
            Ok(Some(found.as_ref_str().to_owned()))
        }
        (None, None) => Ok(None),
    }
}

/// Change an action; one that executes a workflow, together with the workflow.
#[utoipa::path(
    put, path = "/api/v1/actions/{ref}", tag = "actions", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = UpdateActionRequest,
    responses(
        (status = 200, body = ApiResponse<ActionResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such action or runtime"),
        (status = 409, body = ErrorResponse, description = "It executes a workflow, and is to run something else"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_action(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<UpdateActionRequest>,
) -> Result<ApiResponse<ActionResponse>, Error> {
    let right = access::Action::Update;
    let action: Action =
        changeable(&context, &caller, Resource::Actions, right, &reference).await?;
    if let Some(sets) = &request.default_execution_permission_set_refs {
        check_delegation(&context.ports, caller.grants(), sets).await?;
    }
    let change = actions::ActionChange {
        label: request.label,
        description: request.description,
        entrypoint: request.entrypoint,
        runtime_ref: runtime(request.runtime_ref, request.runtime)?,
        runtime_version_constraint: request.runtime_version_constraint.map(|patch| patch.value()),
        param_schema: request.param_schema,
        out_schema: request.out_schema,
        default_execution_permission_set_refs: request.default_execution_permission_set_refs,
        accesses_mcp: request.accesses_mcp,
        placement: request.placement.after(&action.placement),
    };
    let action = actions::update(&context.ports, &reference, &change).await?;
    Ok(ApiResponse::of(action.into()).saying("Action updated successfully"))
}

/// Remove an action. Its rules keep its ref and do not fire while it is missing.
#[utoipa::path(
    delete, path = "/api/v1/actions/{ref}", tag = "actions", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = SuccessResponse), (status = 404, body = ErrorResponse))
)]
async fn delete_action(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<SuccessResponse, Error> {
    let right = access::Action::Delete;
    changeable::<Action>(&context, &caller, Resource::Actions, right, &reference).await?;
    actions::delete(&context.ports, &reference).await?;
    Ok(SuccessResponse::saying(format!("Action '{reference}' deleted successfully")))
}

/// Rules that execute an action, by ref.
#[utoipa::path(
    get, path = "/api/v1/actions/{action_ref}/rules", tag = "rules",
    security(("bearer_auth" = [])),
    params(("action_ref" = String, Path, description = "The action's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<RuleSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_rules_by_action(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Rules, access::Action::Read)?;
    exists::<Action>(&context, &reference).await?;
    let view = View::of(&paging)?;
    let found = read::rules_of_action(&context.ports, &reference, &view.part, |rule| {
        caller.may(Resource::Rules, access::Action::Read, target(rule))
    })
    .await?;
    Ok(view.answer(&context, found, RuleSummary::from))
}
