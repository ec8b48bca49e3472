//! Answers HTTP requests: the REST API behind API Gateway, and its streams behind a function URL.

use attune_function::Error;
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use futures::StreamExt;
use lambda_http::{Request, RequestExt};
use std::time::{Duration, SystemTime};
use tower::ServiceExt;

/// How long before the function's deadline a stream ends, so that its end still reaches the client.
const FAREWELL: Duration = Duration::from_secs(10);

/// Answers one request.
///
/// # Errors
/// None: the router answers every request.
pub async fn handle(router: &Router, request: Request) -> Result<Response, Error> {
    let deadline = request.lambda_context_ref().map(lambda_http::Context::deadline);
    let response = router.clone().oneshot(request.map(body)).await?;
    Ok(match deadline.filter(|_| is_stream(&response)) {
        Some(deadline) => until(response, deadline - FAREWELL),
        None => response,
    })
}

fn body(body: lambda_http::Body) -> Body {
    match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    }
}

fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// Ends the answer between two of its parts once it is `end`. Each event is a part of its own, so the client
/// has seen whole ones and asks for what comes after the last.
fn until(response: Response, end: SystemTime) -> Response {
    let remaining = end.duration_since(SystemTime::now()).unwrap_or_default();
    response.map(|body| {
        let end = tokio::time::sleep(remaining);
        Body::from_stream(body.into_data_stream().take_until(end))
    })
}
