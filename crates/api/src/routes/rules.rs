//! Rules.

use crate::access::grants::check_delegation;
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path};
use crate::paging::Paging;
use crate::routes::definitions::{
    changeable, component_ref, list, list_where, planned, visible, visible_by_id,
};
use crate::routes::table::{Table, routes};
use crate::wire::rule::{CreateRuleRequest, RuleResponse, RuleSummary, UpdateRuleRequest};
use crate::{Context, Error};
use attune_catalogue::{read, rules};
use attune_domain::catalogue::{self, Rule};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_rules, create_rule))
        .routes(routes!(list_enabled_rules))
        .routes(routes!(get_rule_by_id))
        .routes(routes!(get_rule, update_rule, delete_rule))
        .routes(routes!(enable_rule))
        .routes(routes!(disable_rule))
}

/// Rules, by ref.
#[utoipa::path(
    get, path = "/api/v1/rules", tag = "rules", security(("bearer_auth" = [])), params(Paging),
    responses((status = 200, body = PaginatedResponse<RuleSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_rules(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    list::<Rule, _>(&context, &caller, Resource::Rules, &paging, RuleSummary::from).await
}

/// Enabled rules, by ref.
#[utoipa::path(
    get, path = "/api/v1/rules/enabled", tag = "rules", security(("bearer_auth" = [])), params(Paging),
    responses((status = 200, body = PaginatedResponse<RuleSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_enabled_rules(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    let enabled = |rule: &Rule| rule.enabled;
    list_where(&context, &caller, Resource::Rules, &paging, enabled, RuleSummary::from).await
}

/// A rule.
#[utoipa::path(
    get, path = "/api/v1/rules/{ref}", tag = "rules", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<RuleResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_rule(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<RuleResponse>, Error> {
    let rule: Rule = visible(&context, &caller, Resource::Rules, &reference).await?;
    Ok(ApiResponse::of(rule.into()))
}

/// A rule by its wire id.
#[utoipa::path(
    get, path = "/api/v1/rules/id/{id}", tag = "rules", security(("bearer_auth" = [])),
    params(("id" = i64, Path, description = "Its id")),
    responses((status = 200, body = ApiResponse<RuleResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_rule_by_id(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<RuleResponse>, Error> {
    let rule: Rule = visible_by_id(&context, &caller, Resource::Rules, id).await?;
    Ok(ApiResponse::of(rule.into()))
}

/// Make a rule.
#[utoipa::path(
    post, path = "/api/v1/rules", tag = "rules", security(("bearer_auth" = [])),
    request_body = CreateRuleRequest,
    responses(
        (status = 201, body = ApiResponse<RuleResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such pack, action or trigger"),
        (status = 409, body = ErrorResponse, description = "The ref is taken"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_rule(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreateRuleRequest>,
) -> Result<(StatusCode, ApiResponse<RuleResponse>), Error> {
    let target = planned(&request.reference, Some(&request.pack_ref));
    caller.require_on(Resource::Rules, Action::Create, target)?;
    let inherited = request.permission_set_refs.is_none().then_some(request.action_ref.as_str());
    may_delegate(&context, &caller, request.permission_set_refs.as_deref(), inherited).await?;
    let new = rules::NewRule {
        reference: component_ref(&request.reference)?,
        conditions: request.conditions(),
        pack_ref: request.pack_ref,
        label: request.label,
        description: request.description,
        trigger_ref: request.trigger_ref,
        trigger_params: request.trigger_params.unwrap_or_default(),
        action_ref: request.action_ref,
        action_params: request.action_params.unwrap_or_default(),
        enabled: request.enabled.unwrap_or(true),
        permission_set_refs: request.permission_set_refs,
        owner_identity: caller.identity(),
    };
    let rule = rules::create(&context.ports, &new).await?;
    Ok(ApiResponse::of(rule.into()).saying("Rule created successfully").created())
}

/// Change a rule.
#[utoipa::path(
    put, path = "/api/v1/rules/{ref}", tag = "rules", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = UpdateRuleRequest,
    responses(
        (status = 200, body = ApiResponse<RuleResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such rule, action or trigger"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_rule(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<UpdateRuleRequest>,
) -> Result<ApiResponse<RuleResponse>, Error> {
    let rule: Rule =
        changeable(&context, &caller, Resource::Rules, Action::Update, &reference).await?;
    let changed = request.permission_set_refs.clone();
    if changed.is_some() || request.action_ref.is_some() {
        let sets = changed.unwrap_or(rule.permission_set_refs);
        let action = request.action_ref.as_deref().unwrap_or(rule.action_ref.as_str());
        let inherited = sets.is_none().then_some(action);
        may_delegate(&context, &caller, sets.as_deref(), inherited).await?;
    }
    let rule = rules::update(&context.ports, &reference, &request.into()).await?;
    Ok(ApiResponse::of(rule.into()).saying("Rule updated successfully"))
}

/// Insists that the executions of a rule get no more permissions than its author has: `sets`, or those
/// of the action that they are inherited from.
async fn may_delegate(
    context: &Context,
    caller: &Caller,
    sets: Option<&[String]>,
    inherited: Option<&str>,
) -> Result<(), Error> {
    let of_action = match inherited {
        None => None,
        Some(action) => read::get::<catalogue::Action>(&context.ports, action).await?,
    };
    let of_action = of_action.map(|action| action.default_execution_permission_set_refs);
    let refs = sets.or(of_action.as_deref()).unwrap_or_default();
    check_delegation(&context.ports, caller.grants(), refs).await
}

/// Remove a rule.
#[utoipa::path(
    delete, path = "/api/v1/rules/{ref}", tag = "rules", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = SuccessResponse), (status = 404, body = ErrorResponse))
)]
async fn delete_rule(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<SuccessResponse, Error> {
    changeable::<Rule>(&context, &caller, Resource::Rules, Action::Delete, &reference).await?;
    rules::delete(&context.ports, &reference).await?;
    Ok(SuccessResponse::saying(format!("Rule '{reference}' deleted successfully")))
}

/// Enable a rule; its timer starts anew.
#[utoipa::path(
    post, path = "/api/v1/rules/{ref}/enable", tag = "rules", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<RuleResponse>), (status = 404, body = ErrorResponse))
)]
async fn enable_rule(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<RuleResponse>, Error> {
    changeable::<Rule>(&context, &caller, Resource::Rules, Action::Update, &reference).await?;
    let rule = rules::set_enabled(&context.ports, &reference, true).await?;
    Ok(ApiResponse::of(rule.into()).saying("Rule enabled successfully"))
}

/// Disable a rule; it does not fire any more.
#[utoipa::path(
    post, path = "/api/v1/rules/{ref}/disable", tag = "rules", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<RuleResponse>), (status = 404, body = ErrorResponse))
)]
async fn disable_rule(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<RuleResponse>, Error> {
    changeable::<Rule>(&context, &caller, Resource::Rules, Action::Update, &reference).await?;
    let rule = rules::set_enabled(&context.ports, &reference, false).await?;
    Ok(ApiResponse::of(rule.into()).saying("Rule disabled successfully"))
}
