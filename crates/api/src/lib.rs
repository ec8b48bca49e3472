//! The REST API: how people, programs, webhooks and sensors reach Attune over HTTP.
//!
//! [`router`] turns an [`App`] (the ports, the change feed and the settings) into an axum router that a
//! deployment serves. A request passes [`layers`] (request id, limits, CORS, panics, durability), becomes
//! typed in [`extract`], is checked against the caller's grants in [`access`], and is handled by one
//! function of [`routes`]; the shapes on the wire are in [`wire`], [`envelope`] and [`paging`], and every
//! failure is an [`Error`]. Nothing here knows which deployment it runs in.

pub mod access;
pub mod auth;
mod config;
mod context;
pub mod envelope;
mod error;
pub mod extract;
pub mod idempotency;
pub mod layers;
pub mod listing;
pub mod paging;
pub mod routes;
mod unread;
pub mod wildcard;
pub mod wire;

pub use auth::admin::{CreatedAdmin, ensure_admin};
pub use config::{ApiConfig, ListEnvelope};
pub use context::{Context, Deadline};
pub use error::Error;

use attune_ports::{Feed, Ports};
use std::sync::Arc;

/// What the API works on.
pub struct App {
    /// The journey's needs.
    pub ports: Ports,
    /// What changed, for streams and for caches. A change must be in the feed before
    /// [`attune_ports::Records::settle`] returns for it.
    pub feed: Arc<dyn Feed>,
    /// Settings.
    pub config: ApiConfig,
}

/// The whole API as an axum router, ready to be served.
pub fn router(app: App) -> axum::Router {
    let context = Context::new(app);
    let router = routes::all()
        .into_router()
        .merge(routes::docs::router(&context.config))
        .merge(routes::schemas::router());
    layers::around(router, &context)
}

/// The OpenAPI document of every route, as served at `/api-spec/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes::document()
}
