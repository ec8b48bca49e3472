//! The routes, one module a resource.

pub mod actions;
pub mod approvals;
pub mod auth;
pub mod dead_letters;
mod definitions;
pub mod docs;
pub mod enforcements;
pub mod events;
pub mod executions;
pub mod health;
pub mod inquiries;
pub mod keys;
mod pack_files;
mod pack_tests;
pub mod packs;
pub mod permission_sets;
pub mod policies;
pub mod queue_stats;
mod reveal;
pub mod rules;
pub(crate) mod schemas;
pub mod sensors;
pub(crate) mod table;
pub mod triggers;
pub mod uploads;
pub mod webhooks;
pub mod workflow_executions;
pub mod workflows;

use attune_domain::payload::Payload;
use attune_ports::{Ports, Unavailable};
use serde_json::Value;
use table::Table;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// Every route with its documentation. A new resource is one line here.
pub(crate) fn all() -> Table {
    Table::new()
        .merge(health::router())
        .merge(auth::router())
        .merge(packs::router())
        .merge(uploads::router())
        .merge(actions::router())
        .merge(workflows::router())
        .merge(triggers::router())
        .merge(sensors::router())
        .merge(rules::router())
        .merge(policies::router())
        .merge(permission_sets::router())
        .merge(keys::router())
        .merge(webhooks::router())
        .merge(events::router())
        .merge(enforcements::router())
        .merge(executions::router())
        .merge(workflow_executions::router())
        .merge(inquiries::router())
        .merge(approvals::router())
        .merge(queue_stats::router())
        .merge(dead_letters::router())
}

/// What the OpenAPI document says.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    all().describe(Document::openapi())
}

/// A value, wherever it lies.
async fn fetched(ports: &Ports, value: Option<&Payload>) -> Result<Option<Value>, Unavailable> {
    match value {
        None => Ok(None),
        Some(value) => attune_journey::payload::fetch(&*ports.blobs, value).await.map(Some),
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Attune REST API", description = "Event-driven automation: events, rules, executions."),
    components(schemas(crate::error::ErrorResponse)),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.bearer_format = Some("JWT".into());
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer_auth", SecurityScheme::Http(scheme));
    }
}
