//! JSON Schemas of the files of a pack, at an address that editors can be given. They are public.

use crate::{Context, Error, envelope};
use attune_packs::schemas;
use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;

/// `/schemas/{name}.json`.
pub(crate) fn router() -> Router<Context> {
    Router::new().route("/schemas/{file}", get(schema))
}

async fn schema(Path(file): Path<String>) -> Result<Response, Error> {
    let found = file.strip_suffix(".json").and_then(schemas::find);
    let text = found.ok_or_else(|| Error::not_found("Schema", &file))?;
    Ok(envelope::json(Bytes::from_static(text.as_bytes())))
}
