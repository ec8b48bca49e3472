//! A workflow's execution, drawn.

use super::Found;
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{Path, Query};
use crate::routes::table::{Table, routes};
use crate::wire::workflow_execution::WorkflowGraph;
use crate::{Context, Error};
use attune_domain::workflow::drawing::{Format, Picture, Unknown};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

/// An image has no need of anything else, whoever opens it and wherever.
const IMAGE_POLICY: &str = "default-src 'none'; sandbox";

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(get_workflow_execution_graph))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Drawn {
    /// `json`, `dot`, `mermaid`, `svg` or `text`; without it the header `Accept` decides.
    format: Option<String>,
}

/// Draw a workflow's execution: its tasks, what leads from one to another, and how they stand.
#[utoipa::path(
    get, path = "/api/v1/workflow-executions/{id}/graph", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path), Drawn),
    responses(
        (status = 200, content(
            (ApiResponse<WorkflowGraph> = "application/json"),
            (String = "text/vnd.graphviz"),
            (String = "text/vnd.mermaid"),
            (String = "image/svg+xml"),
            (String = "text/plain"),
        )),
        (status = 400, body = ErrorResponse, description = "No such format"),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_workflow_execution_graph(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    Query(drawn): Query<Drawn>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let format = match drawn.format {
        Some(word) => word.parse().map_err(|e: Unknown| Error::BadRequest(e.to_string()))?,
        None => accepted(&headers),
    };
    let found = Found::readable(&context, &caller, id).await?;
    let definition = found.definition(&context.ports).await?;
    let picture = Picture::of(&definition, found.run.as_ref());
    if format == Format::Json {
        return Ok(ApiResponse::of(picture).into_response());
    }
    let mut answer = picture.render(format).into_response();
    let media_type = format!("{}; charset=utf-8", format.media_type());
    let headers = answer.headers_mut();
    if let Ok(media_type) = media_type.parse() {
        headers.insert(header::CONTENT_TYPE, media_type);
    }
    if format == Format::Svg {
        headers.insert(header::CONTENT_SECURITY_POLICY, IMAGE_POLICY.parse().expect("it is ASCII"));
    }
    Ok(answer)
}

/// The format that a client likes best; JSON where it says nothing that we know.
fn accepted(headers: &HeaderMap) -> Format {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut best: Option<(f32, Format)> = None;
    for wish in accept.flat_map(|value| value.split(',')) {
        let mut parts = wish.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default();
        let known = |format: &Format| format.media_type().eq_ignore_ascii_case(media_type);
        let format = match media_type {
            "*/*" | "application/*" => Some(Format::Json),
            "image/*" => Some(Format::Svg),
            "text/*" => Some(Format::Text),
            _ => Format::ALL.into_iter().find(known),
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if let Some(format) = format.filter(|_| weight > 0.0)
            && best.is_none_or(|(heaviest, _)| weight > heaviest)
        {
            best = Some((weight, format));
        }
    }
    best.map_or(Format::Json, |(_, format)| format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_what_it_likes_best() {
        for (accept, format) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("application/json", Format::Json),
            ("image/svg+xml", Format::Svg),
            ("text/html, image/*;q=0.8, */*;q=0.5", Format::Svg),
            ("text/plain;q=0.2, text/vnd.mermaid;q=0.9", Format::Mermaid),
            ("text/vnd.graphviz", Format::Dot),
            ("image/svg+xml;q=0, text/plain", Format::Text),
            ("audio/ogg", Format::Json),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(accepted(&headers), format, "{accept}");
        }
    }
}
