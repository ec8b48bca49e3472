//! Answers HTTP requests: the REST API behind API Gateway, and its streams behind a function URL.

use attune_api::Deadline;
use attune_function::Error;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use lambda_http::{Request, RequestExt};
use std::time::Duration;
use tower::ServiceExt;

/// How long before the function's deadline a stream ends, so that its end still reaches the client.
const FAREWELL: Duration = Duration::from_secs(10);

/// Answers one request.
///
/// # Errors
/// None: the router answers every request.
pub async fn handle(router: &Router, mut request: Request) -> Result<Response, Error> {
    let deadline = request.lambda_context_ref().map(lambda_http::Context::deadline);
    if let Some(deadline) = deadline {
        request.extensions_mut().insert(Deadline(deadline - FAREWELL));
    }
    Ok(router.clone().oneshot(request.map(body)).await?)
}

fn body(body: lambda_http::Body) -> Body {
    match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    }
}
