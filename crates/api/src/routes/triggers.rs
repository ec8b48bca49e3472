//! Triggers, and their webhooks' doors.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path};
use crate::paging::Paging;
use crate::routes::definitions::{
    View, changeable, component_ref, exists, list, list_where, planned, target, visible,
    visible_by_id,
};
use crate::routes::table::{Table, routes};
use crate::wire::patch::TriggerStringPatch;
use crate::wire::rule::RuleSummary;
use crate::wire::sensor::SensorSummary;
use crate::wire::trigger::{
    CreateTriggerRequest, TriggerResponse, TriggerSummary, UpdateTriggerRequest,
};
use crate::{Context, Error};
use attune_catalogue::{read, triggers};
use attune_domain::catalogue::{Sensor, Trigger};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_triggers, create_trigger))
        .routes(routes!(list_enabled_triggers))
        .routes(routes!(get_trigger_by_id))
        .routes(routes!(get_trigger, update_trigger, delete_trigger))
        .routes(routes!(enable_trigger))
        .routes(routes!(disable_trigger))
        .routes(routes!(list_rules_by_trigger))
        .routes(routes!(list_sensors_by_trigger))
        .routes(routes!(enable_webhook))
        .routes(routes!(disable_webhook))
        .routes(routes!(regenerate_webhook_key))
}

/// Triggers, by ref.
#[utoipa::path(
    get, path = "/api/v1/triggers", tag = "triggers", security(("bearer_auth" = [])), params(Paging),
    responses((status = 200, body = PaginatedResponse<TriggerSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_triggers(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    list::<Trigger, _>(&context, &caller, Resource::Triggers, &paging, TriggerSummary::from).await
}

/// Enabled triggers, by ref.
#[utoipa::path(
    get, path = "/api/v1/triggers/enabled", tag = "triggers", security(("bearer_auth" = [])),
    params(Paging),
    responses((status = 200, body = PaginatedResponse<TriggerSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_enabled_triggers(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    let enabled = |trigger: &Trigger| trigger.enabled;
    list_where(&context, &caller, Resource::Triggers, &paging, enabled, TriggerSummary::from).await
}

/// A trigger.
#[utoipa::path(
    get, path = "/api/v1/triggers/{ref}", tag = "triggers", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<TriggerResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_trigger(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    let trigger = visible(&context, &caller, Resource::Triggers, &reference).await?;
    Ok(ApiResponse::of(for_caller(&caller, trigger)))
}

/// A trigger by its wire id.
#[utoipa::path(
    get, path = "/api/v1/triggers/id/{id}", tag = "triggers", security(("bearer_auth" = [])),
    params(("id" = i64, Path, description = "Its id")),
    responses((status = 200, body = ApiResponse<TriggerResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_trigger_by_id(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    let trigger = visible_by_id(&context, &caller, Resource::Triggers, id).await?;
    Ok(ApiResponse::of(for_caller(&caller, trigger)))
}

/// A trigger as this caller may see it: whoever holds a webhook's key may send events with it, so only
/// those see it who might as well make a new one.
fn for_caller(caller: &Caller, trigger: Trigger) -> TriggerResponse {
    let manages = caller.may(Resource::Triggers, Action::Update, target(&trigger));
    let mut response = TriggerResponse::from(trigger);
    response.webhook_key = response.webhook_key.filter(|_| manages);
    response
}

/// Make a trigger.
#[utoipa::path(
    post, path = "/api/v1/triggers", tag = "triggers", security(("bearer_auth" = [])),
    request_body = CreateTriggerRequest,
    responses(
        (status = 201, body = ApiResponse<TriggerResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such pack"),
        (status = 409, body = ErrorResponse, description = "The ref is taken"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_trigger(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreateTriggerRequest>,
) -> Result<(StatusCode, ApiResponse<TriggerResponse>), Error> {
    let target = planned(&request.reference, request.pack_ref.as_deref());
    caller.require_on(Resource::Triggers, Action::Create, target)?;
    let new = triggers::NewTrigger {
        reference: component_ref(&request.reference)?,
        pack_ref: request.pack_ref,
        label: request.label,
        description: request.description,
        enabled: request.enabled.unwrap_or(true),
        param_schema: request.param_schema,
        out_schema: request.out_schema,
        config: request.config,
    };
    let trigger = triggers::create(&context.ports, &new).await?;
    Ok(ApiResponse::of(trigger.into()).saying("Trigger created successfully").created())
}

/// Change a trigger.
#[utoipa::path(
    put, path = "/api/v1/triggers/{ref}", tag = "triggers", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = UpdateTriggerRequest,
    responses(
        (status = 200, body = ApiResponse<TriggerResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_trigger(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<UpdateTriggerRequest>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    may_update(&context, &caller, &reference).await?;
    let change = triggers::TriggerChange {
        label: request.label,
        description: request.description.map(TriggerStringPatch::value),
        enabled: request.enabled,
        param_schema: request.param_schema,
        out_schema: request.out_schema,
        config: request.config,
    };
    let trigger = triggers::update(&context.ports, &reference, &change).await?;
    Ok(ApiResponse::of(trigger.into()).saying("Trigger updated successfully"))
}

async fn may_update(context: &Context, caller: &Caller, reference: &str) -> Result<(), Error> {
    let right = Action::Update;
    changeable::<Trigger>(context, caller, Resource::Triggers, right, reference).await.map(drop)
}

/// Remove a trigger and its webhook. Its rules keep its ref and do not fire while it is missing.
#[utoipa::path(
    delete, path = "/api/v1/triggers/{ref}", tag = "triggers", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = SuccessResponse), (status = 404, body = ErrorResponse))
)]
async fn delete_trigger(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<SuccessResponse, Error> {
    let right = Action::Delete;
    changeable::<Trigger>(&context, &caller, Resource::Triggers, right, &reference).await?;
    triggers::delete(&context.ports, &reference).await?;
    Ok(SuccessResponse::saying(format!("Trigger '{reference}' deleted successfully")))
}

/// Enable a trigger: its timer, if it has one, starts anew.
#[utoipa::path(
    post, path = "/api/v1/triggers/{ref}/enable", tag = "triggers", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<TriggerResponse>), (status = 404, body = ErrorResponse))
)]
async fn enable_trigger(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    may_update(&context, &caller, &reference).await?;
    let trigger = triggers::set_enabled(&context.ports, &reference, true).await?;
    Ok(ApiResponse::of(trigger.into()).saying("Trigger enabled successfully"))
}

/// Disable a trigger: its timer stops; webhooks and matching go on.
#[utoipa::path(
    post, path = "/api/v1/triggers/{ref}/disable", tag = "triggers", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<TriggerResponse>), (status = 404, body = ErrorResponse))
)]
async fn disable_trigger(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    may_update(&context, &caller, &reference).await?;
    let trigger = triggers::set_enabled(&context.ports, &reference, false).await?;
    Ok(ApiResponse::of(trigger.into()).saying("Trigger disabled successfully"))
}

/// Rules of a trigger, by ref.
#[utoipa::path(
    get, path = "/api/v1/triggers/{trigger_ref}/rules", tag = "rules",
    security(("bearer_auth" = [])),
    params(("trigger_ref" = String, Path, description = "The trigger's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<RuleSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_rules_by_trigger(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Rules, Action::Read)?;
    exists::<Trigger>(&context, &reference).await?;
    let view = View::of(&paging)?;
    let found = read::rules_of_trigger(&context.ports, &reference, &view.part, |rule| {
        caller.may(Resource::Rules, Action::Read, target(rule))
    })
    .await?;
    Ok(view.answer(&context, found, RuleSummary::from))
}

/// Sensors that may emit for a trigger, by ref.
#[utoipa::path(
    get, path = "/api/v1/triggers/{trigger_ref}/sensors", tag = "sensors",
    security(("bearer_auth" = [])),
    params(("trigger_ref" = String, Path, description = "The trigger's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<SensorSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_sensors_by_trigger(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Triggers, Action::Read)?;
    exists::<Trigger>(&context, &reference).await?;
    let of = |sensor: &Sensor| sensor.trigger_refs.iter().any(|name| name.as_str() == reference);
    list_where(&context, &caller, Resource::Triggers, &paging, of, SensorSummary::from).await
}

/// Open a trigger's webhook; an open one keeps its key.
#[utoipa::path(
    post, path = "/api/v1/triggers/{ref}/webhooks/enable", tag = "webhooks",
    security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The trigger's ref")),
    responses((status = 200, body = ApiResponse<TriggerResponse>), (status = 404, body = ErrorResponse))
)]
async fn enable_webhook(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    may_update(&context, &caller, &reference).await?;
    let trigger = triggers::enable_webhook(&context.ports, &reference).await?;
    Ok(ApiResponse::of(trigger.into()).saying("Webhooks enabled successfully"))
}

/// Close a trigger's webhook; its key is gone for good.
#[utoipa::path(
    post, path = "/api/v1/triggers/{ref}/webhooks/disable", tag = "webhooks",
    security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The trigger's ref")),
    responses((status = 200, body = ApiResponse<TriggerResponse>), (status = 404, body = ErrorResponse))
)]
async fn disable_webhook(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    may_update(&context, &caller, &reference).await?;
    let trigger = triggers::disable_webhook(&context.ports, &reference).await?;
    Ok(ApiResponse::of(trigger.into()).saying("Webhooks disabled successfully"))
}

/// Give an open webhook a new key; the old one is gone for good.
#[utoipa::path(
    post, path = "/api/v1/triggers/{ref}/webhooks/regenerate", tag = "webhooks",
    security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The trigger's ref")),
    responses(
        (status = 200, body = ApiResponse<TriggerResponse>),
        (status = 400, body = ErrorResponse, description = "The webhook is closed"),
        (status = 404, body = ErrorResponse)
    )
)]
async fn regenerate_webhook_key(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<TriggerResponse>, Error> {
    may_update(&context, &caller, &reference).await?;
    let trigger = triggers::regenerate_webhook(&context.ports, &reference).await?;
    Ok(ApiResponse::of(trigger.into()).saying("Webhook key regenerated successfully"))
}
