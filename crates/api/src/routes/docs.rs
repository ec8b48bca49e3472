//! The API's own description: the OpenAPI document and a page to try it out. Both are public.

use crate::{ApiConfig, Context, envelope};
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use std::sync::OnceLock;

const DOCUMENT: &str = "/api-spec/openapi.json";

/// `/docs` and `/api-spec/openapi.json`.
pub(crate) fn router(config: &ApiConfig) -> Router<Context> {
    page(config).route(DOCUMENT, get(document))
}

/// Written when it is asked for first.
async fn document() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        serde_json::to_vec(&crate::openapi()).expect("the document serialises to JSON").into()
    });
    envelope::json(text.clone())
}

#[cfg(feature = "swagger")]
fn page(_: &ApiConfig) -> Router<Context> {
    use utoipa_swagger_ui::{Config, SwaggerUi};
    SwaggerUi::new("/docs").config(Config::from(DOCUMENT)).into()
}

/// Without assets of its own: leads to where they are, or at least to the document.
#[cfg(not(feature = "swagger"))]
fn page(config: &ApiConfig) -> Router<Context> {
    use axum::response::{Html, IntoResponse, Redirect};
    const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Attune REST API</title>
<h1>Attune REST API</h1>
<p>The <a href="/api-spec/openapi.json">OpenAPI document</a> describes every operation.</p>
</html>
"#;
    let elsewhere = config.docs_url.clone();
    let show = get(async move || match &elsewhere {
        Some(url) => Redirect::temporary(url).into_response(),
        None => Html(PAGE).into_response(),
    });
    Router::new()
        .route("/docs", show.clone())
        .route("/docs/", show.clone())
        .route("/docs/{*rest}", show)
}
