//! The API's own description: the OpenAPI document and a page to try it out.

use crate::Context;
use axum::Router;
use utoipa_swagger_ui::SwaggerUi;

/// `/docs` and `/api-spec/openapi.json`, both public.
pub(crate) fn router(document: utoipa::openapi::OpenApi) -> Router<Context> {
    SwaggerUi::new("/docs").url("/api-spec/openapi.json", document).into()
}
