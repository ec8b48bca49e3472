//! Sensors.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path};
use crate::paging::Paging;
use crate::routes::actions::runtime;
use crate::routes::definitions::{
    changeable, component_ref, list, list_where, planned, visible, visible_by_id,
};
use crate::routes::table::{Table, routes};
use crate::wire::sensor::{
    CreateSensorRequest, SensorResponse, SensorSummary, UpdateSensorRequest,
};
use crate::{Context, Error};
use attune_catalogue::sensors;
use attune_domain::catalogue::Sensor;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_sensors, create_sensor))
        .routes(routes!(list_enabled_sensors))
        .routes(routes!(get_sensor_by_id))
        .routes(routes!(get_sensor, update_sensor, delete_sensor))
        .routes(routes!(enable_sensor))
        .routes(routes!(disable_sensor))
}

/// Sensors, by ref.
#[utoipa::path(
    get, path = "/api/v1/sensors", tag = "sensors", security(("bearer_auth" = [])), params(Paging),
    responses((status = 200, body = PaginatedResponse<SensorSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_sensors(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    list::<Sensor, _>(&context, &caller, Resource::Triggers, &paging, SensorSummary::from).await
}

/// Enabled sensors, by ref.
#[utoipa::path(
    get, path = "/api/v1/sensors/enabled", tag = "sensors", security(("bearer_auth" = [])),
    params(Paging),
    responses((status = 200, body = PaginatedResponse<SensorSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_enabled_sensors(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
) -> Result<Response, Error> {
    let enabled = |sensor: &Sensor| sensor.enabled;
    list_where(&context, &caller, Resource::Triggers, &paging, enabled, SensorSummary::from).await
}

/// A sensor.
#[utoipa::path(
    get, path = "/api/v1/sensors/{ref}", tag = "sensors", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<SensorResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_sensor(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<SensorResponse>, Error> {
    let sensor: Sensor = visible(&context, &caller, Resource::Triggers, &reference).await?;
    Ok(ApiResponse::of(sensor.into()))
}

/// A sensor by its wire id.
#[utoipa::path(
    get, path = "/api/v1/sensors/id/{id}", tag = "sensors", security(("bearer_auth" = [])),
    params(("id" = i64, Path, description = "Its id")),
    responses((status = 200, body = ApiResponse<SensorResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_sensor_by_id(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<SensorResponse>, Error> {
    let sensor: Sensor = visible_by_id(&context, &caller, Resource::Triggers, id).await?;
    Ok(ApiResponse::of(sensor.into()))
}

/// Make a sensor.
#[utoipa::path(
    post, path = "/api/v1/sensors", tag = "sensors", security(("bearer_auth" = [])),
    request_body = CreateSensorRequest,
    responses(
        (status = 201, body = ApiResponse<SensorResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such pack, runtime or trigger"),
        (status = 409, body = ErrorResponse, description = "The ref is taken"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_sensor(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreateSensorRequest>,
) -> Result<(StatusCode, ApiResponse<SensorResponse>), Error> {
    let target = planned(&request.reference, Some(&request.pack_ref));
    caller.require_on(Resource::Triggers, Action::Create, target)?;
    let reference = component_ref(&request.reference)?;
    runtime(Some(request.runtime_ref.clone()), None)?;
    let new = sensors::NewSensor {
        reference,
        pack_ref: request.pack_ref,
        label: request.label,
        description: request.description,
        enabled: request.enabled.unwrap_or(true),
        entrypoint: request.entrypoint,
        runtime_ref: request.runtime_ref,
        trigger_ref: request.trigger_ref,
        param_schema: request.param_schema,
        config: request.config,
        placement: request.placement.into(),
    };
    let sensor = sensors::create(&context.ports, &new).await?;
    Ok(ApiResponse::of(sensor.into()).saying("Sensor created successfully").created())
}

/// Change a sensor.
#[utoipa::path(
    put, path = "/api/v1/sensors/{ref}", tag = "sensors", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = UpdateSensorRequest,
    responses(
        (status = 200, body = ApiResponse<SensorResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_sensor(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<UpdateSensorRequest>,
) -> Result<ApiResponse<SensorResponse>, Error> {
    let right = Action::Update;
    let sensor: Sensor =
        changeable(&context, &caller, Resource::Triggers, right, &reference).await?;
    let change = sensors::SensorChange {
        label: request.label,
        description: request.description,
        enabled: request.enabled,
        entrypoint: request.entrypoint,
        param_schema: request.param_schema,
        config: request.config,
        placement: request.placement.after(&sensor.placement),
    };
    let sensor = sensors::update(&context.ports, &reference, &change).await?;
    Ok(ApiResponse::of(sensor.into()).saying("Sensor updated successfully"))
}

/// Remove a sensor.
#[utoipa::path(
    delete, path = "/api/v1/sensors/{ref}", tag = "sensors", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = SuccessResponse), (status = 404, body = ErrorResponse))
)]
async fn delete_sensor(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<SuccessResponse, Error> {
    changeable::<Sensor>(&context, &caller, Resource::Triggers, Action::Delete, &reference).await?;
    sensors::delete(&context.ports, &reference).await?;
    Ok(SuccessResponse::saying(format!("Sensor '{reference}' deleted successfully")))
}

/// Enable a sensor; a timer starts anew.
#[utoipa::path(
    post, path = "/api/v1/sensors/{ref}/enable", tag = "sensors", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<SensorResponse>), (status = 404, body = ErrorResponse))
)]
async fn enable_sensor(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<SensorResponse>, Error> {
    changeable::<Sensor>(&context, &caller, Resource::Triggers, Action::Update, &reference).await?;
    let sensor = sensors::set_enabled(&context.ports, &reference, true).await?;
    Ok(ApiResponse::of(sensor.into()).saying("Sensor enabled successfully"))
}

/// Disable a sensor; it emits nothing any more.
#[utoipa::path(
    post, path = "/api/v1/sensors/{ref}/disable", tag = "sensors", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<SensorResponse>), (status = 404, body = ErrorResponse))
)]
async fn disable_sensor(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<SensorResponse>, Error> {
    changeable::<Sensor>(&context, &caller, Resource::Triggers, Action::Update, &reference).await?;
    let sensor = sensors::set_enabled(&context.ports, &reference, false).await?;
    Ok(ApiResponse::of(sensor.into()).saying("Sensor disabled successfully"))
}
