//! Packs. What brings their files to the server is in `pack_files`.

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path, Query};
use crate::paging::Paging;
use crate::routes::definitions::{View, list_where, pack_ref, planned, target};
use crate::routes::table::{Table, routes};
use crate::routes::{pack_files, pack_tests};
use crate::wire::action::ActionSummary;
use crate::wire::pack::{CreatePackRequest, PackResponse, PackSummary, UpdatePackRequest};
use crate::wire::rule::RuleSummary;
use crate::wire::sensor::SensorSummary;
use crate::wire::trigger::TriggerSummary;
use crate::{Context, Error};
use attune_catalogue::{Definition, packs, read};
use attune_domain::catalogue::{self, Pack, Rule, Sensor, Trigger};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_packs, create_pack))
        .routes(routes!(get_pack_by_id))
        .routes(routes!(get_pack, update_pack, delete_pack))
        .routes(routes!(list_actions_by_pack))
        .routes(routes!(list_triggers_by_pack))
        .routes(routes!(list_rules_by_pack))
        .routes(routes!(list_sensors_by_pack))
        .merge(pack_files::router())
        .merge(pack_tests::router())
}

/// Whether the caller may see a pack. Everybody sees those that ship with Attune.
fn sees(caller: &Caller, pack: &Pack) -> bool {
    pack.is_standard || caller.may(Resource::Packs, Action::Read, target(pack))
}

async fn visible(context: &Context, caller: &Caller, reference: &str) -> Result<Pack, Error> {
    let pack: Option<Pack> = read::get(&context.ports, reference).await?;
    pack.filter(|pack| sees(caller, pack)).ok_or_else(|| Error::not_found("Pack", reference))
}

async fn may(
    context: &Context,
    caller: &Caller,
    action: Action,
    reference: &str,
) -> Result<(), Error> {
    caller.require_some(Resource::Packs, action)?;
    let pack: Pack = read::require(&context.ports, reference).await?;
    caller.require_on(Resource::Packs, action, target(&pack))
}

/// Packs, by ref.
#[utoipa::path(
    get, path = "/api/v1/packs", tag = "packs", security(("bearer_auth" = [])), params(Paging),
    responses((status = 200, body = PaginatedResponse<PackSummary>))
)]
async fn list_packs(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    let view = View::of(&paging)?;
    let sees = |pack: &Pack| sees(&caller, pack);
    let found = read::filtered(&context.ports, &view.part, sees).await?;
    Ok(view.answer(&context, found, PackSummary::from))
}

/// A pack.
#[utoipa::path(
    get, path = "/api/v1/packs/{ref}", tag = "packs", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<PackResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PackResponse>, Error> {
    Ok(ApiResponse::of(visible(&context, &caller, &reference).await?.into()))
}

/// A pack by its wire id.
#[utoipa::path(
    get, path = "/api/v1/packs/id/{id}", tag = "packs", security(("bearer_auth" = [])),
    params(("id" = i64, Path, description = "Its id")),
    responses((status = 200, body = ApiResponse<PackResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_pack_by_id(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<PackResponse>, Error> {
    let pack: Pack = read::by_id(&context.ports, id).await?;
    if !sees(&caller, &pack) {
        return Err(Error::not_found("Pack", id));
    }
    Ok(ApiResponse::of(pack.into()))
}

/// Make a pack without files.
#[utoipa::path(
    post, path = "/api/v1/packs", tag = "packs", security(("bearer_auth" = [])),
    request_body = CreatePackRequest,
    responses(
        (status = 201, body = ApiResponse<PackResponse>),
        (status = 403, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "The ref is taken"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_pack(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreatePackRequest>,
) -> Result<(StatusCode, ApiResponse<PackResponse>), Error> {
    let target = planned(&request.reference, Some(&request.reference));
    caller.require_on(Resource::Packs, Action::Create, target)?;
    let empty = || json!({});
    let new = packs::NewPack {
        reference: pack_ref(&request.reference)?,
        label: request.label,
        description: request.description,
        version: request.version,
        conf_schema: request.conf_schema.unwrap_or_else(empty),
        config: request.config.unwrap_or_else(empty),
        meta: request.meta.unwrap_or_else(empty),
        tags: request.tags.unwrap_or_default(),
        runtime_deps: request.runtime_deps.unwrap_or_default(),
        dependencies: request.dependencies.unwrap_or_default(),
        is_standard: request.is_standard.unwrap_or(false),
    };
    let pack = packs::create(&context.ports, &new).await?;
    Ok(ApiResponse::of(pack.into()).saying("Pack created successfully").created())
}

/// Change a pack.
#[utoipa::path(
    put, path = "/api/v1/packs/{ref}", tag = "packs", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = UpdatePackRequest,
    responses(
        (status = 200, body = ApiResponse<PackResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<UpdatePackRequest>,
) -> Result<ApiResponse<PackResponse>, Error> {
    may(&context, &caller, Action::Configure, &reference).await?;
    let pack = packs::update(&context.ports, &reference, &request.into()).await?;
    Ok(ApiResponse::of(pack.into()).saying("Pack updated successfully"))
}

/// How a pack is removed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PackRemoval {
    /// Whether a pack that ships with Attune may go as well.
    #[serde(default)]
    force: bool,
}

/// Remove a pack and everything that belongs to it. Rules of other packs keep the refs of what is gone
/// and do not fire.
#[utoipa::path(
    delete, path = "/api/v1/packs/{ref}", tag = "packs", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref"), PackRemoval),
    responses(
        (status = 200, body = SuccessResponse),
        (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It ships with Attune, and `force` is not set")
    )
)]
async fn delete_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Query(removal): Query<PackRemoval>,
) -> Result<SuccessResponse, Error> {
    may(&context, &caller, Action::Delete, &reference).await?;
    let pack = packs::delete(&context.ports, &reference, removal.force).await?;
    pack_files::remove(&context, &pack).await;
    Ok(SuccessResponse::saying(format!("Pack '{reference}' deleted successfully")))
}

/// The page of a pack's definitions of one kind.
async fn components<T: Definition, W: Serialize>(
    context: &Context,
    caller: &Caller,
    (resource, reference): (Resource, &str),
    paging: &Paging,
    row: impl Fn(T) -> W,
) -> Result<Response, Error> {
    visible(context, caller, reference).await?;
    let of_pack = |definition: &T| definition.pack() == Some(reference);
    list_where(context, caller, resource, paging, of_pack, row).await
}

/// Actions of a pack, by ref.
#[utoipa::path(
    get, path = "/api/v1/packs/{pack_ref}/actions", tag = "actions", security(("bearer_auth" = [])),
    params(("pack_ref" = String, Path, description = "The pack's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<ActionSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_actions_by_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    let of = (Resource::Actions, reference.as_str());
    let row = |action: catalogue::Action| ActionSummary::from(action);
    components(&context, &caller, of, &paging, row).await
}

/// Triggers of a pack, by ref.
#[utoipa::path(
    get, path = "/api/v1/packs/{pack_ref}/triggers", tag = "triggers",
    security(("bearer_auth" = [])),
    params(("pack_ref" = String, Path, description = "The pack's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<TriggerSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_triggers_by_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    let of = (Resource::Triggers, reference.as_str());
    let row = |trigger: Trigger| TriggerSummary::from(trigger);
    components(&context, &caller, of, &paging, row).await
}

/// Rules of a pack, by ref.
#[utoipa::path(
    get, path = "/api/v1/packs/{pack_ref}/rules", tag = "rules", security(("bearer_auth" = [])),
    params(("pack_ref" = String, Path, description = "The pack's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<RuleSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_rules_by_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    let of = (Resource::Rules, reference.as_str());
    let row = |rule: Rule| RuleSummary::from(rule);
    components(&context, &caller, of, &paging, row).await
}

/// Sensors of a pack, by ref.
#[utoipa::path(
    get, path = "/api/v1/packs/{pack_ref}/sensors", tag = "sensors", security(("bearer_auth" = [])),
    params(("pack_ref" = String, Path, description = "The pack's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<SensorSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_sensors_by_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    let of = (Resource::Triggers, reference.as_str());
    let row = |sensor: Sensor| SensorSummary::from(sensor);
    components(&context, &caller, of, &paging, row).await
}

/// Insists that the caller may install a pack of that ref.
pub(super) fn may_install(caller: &Caller, reference: &str) -> Result<(), Error> {
    let target =
        Target { reference: Some(reference), pack_ref: Some(reference), ..Target::default() };
    caller.require_on(Resource::Packs, Action::Install, target)
}
