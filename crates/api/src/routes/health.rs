//! Whether the server is alive, and whether it can work.

use crate::Context;
use crate::routes::table::{Table, routes};
use attune_catalogue::layout;
use attune_ports::records::Kind;
use attune_ports::{Ports, Unavailable};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(health))
        .routes(routes!(health_detailed))
        .routes(routes!(readiness))
        .routes(routes!(liveness))
}

/// How the server is.
#[derive(Serialize, ToSchema)]
pub struct HealthResponse {
    /// `ok`.
    pub status: String,
    /// Version of the server.
    pub version: String,
    /// `connected` where records can be read.
    pub database: String,
}

async fn records_answer(ports: &Ports) -> Result<(), Unavailable> {
    ports.records.get(&layout::definition(Kind::Pack, "core")).await.map(|_| ())
}

/// Whether the process answers.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Object)))]
async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Whether records can be read.
#[utoipa::path(
    get, path = "/health/detailed", tag = "health",
    responses((status = 200, body = HealthResponse), (status = 503, body = Object))
)]
async fn health_detailed(State(context): State<Context>) -> Response {
    match records_answer(&context.ports).await {
        Ok(()) => Json(HealthResponse {
            status: "ok".into(),
            version: context.config.version.clone(),
            database: "connected".into(),
        })
        .into_response(),
        Err(cause) => {
            tracing::error!(%cause, "records cannot be read");
            let body = json!({
                "status": "error",
                "database": "disconnected",
                "error": "The service is temporarily unavailable",
            });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// Whether requests can be answered.
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses((status = 200), (status = 503))
)]
async fn readiness(State(context): State<Context>) -> StatusCode {
    match records_answer(&context.ports).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Whether the process should go on living.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200)))]
async fn liveness() -> StatusCode {
    StatusCode::OK
}
