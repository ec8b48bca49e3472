//! What happens around every route, whatever it does.

use crate::{Context, Error, idempotency, unread};
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::time::Instant;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tracing::{Instrument, Span};

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest request id that is taken over from a client, in bytes.
const LONGEST_REQUEST_ID: usize = 128;

/// Puts the layers around a router. From the outside: everything carries its request id, browsers are told
/// what they may do, panics become answers, what is left of bodies is read, bodies are limited, what was
/// written is made durable, and repeated requests are answered as the first was.
///
/// They stand around the router as a whole: around each of its routes there would be copies of them, and
/// making these took a sixth of a function's cold start.
pub fn around(router: Router<Context>, context: &Context) -> Router {
    let layers = ServiceBuilder::new()
        .layer(from_fn(named))
        .layer(cors(&context.config.cors_origins))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(unread::layer))
        .layer(DefaultBodyLimit::max(context.config.max_body_bytes))
        .layer(from_fn_with_state(context.clone(), durable))
        .layer(from_fn_with_state(context.clone(), idempotency::layer));
    let router = router
        .fallback(|| async { Error::NotFound("There is no such route".into()) })
        .method_not_allowed_fallback(|| async { Error::MethodNotAllowed })
        .layer(from_fn(routed))
        .with_state(context.clone());
    Router::new().fallback_service(layers.service(router))
}

/// Nothing is answered before what it tells would survive a crash: neither what a request wrote, nor what it
/// read of others' writes. Health is told even while nothing can be stored.
async fn durable(State(context): State<Context>, request: Request, next: Next) -> Response {
    let health = request.uri().path().starts_with("/health");
    let response = next.run(request).await;
    if health {
        return response;
    }
    match context.ports.records.settle().await {
        Ok(()) => response,
        Err(unavailable) => Error::from(unavailable).into_response(),
    }
}

/// Accepts or draws the request id, logs with it, returns it.
async fn named(mut request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| !id.is_empty() && id.len() <= LONGEST_REQUEST_ID)
        .filter(|id| id.as_bytes().iter().all(u8::is_ascii_graphic))
        .cloned()
        .unwrap_or_else(fresh_id);
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        route = tracing::field::Empty
    );
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        tracing::debug!(
            status = response.status().as_u16(),
            micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    });
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Logs with the route's pattern, and not with the address, which may hold a webhook's key.
async fn routed(request: Request, next: Next) -> Response {
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        Span::current().record("route", route.as_str());
    }
    next.run(request).await
}

fn fresh_id() -> HeaderValue {
    let id = uuid::Uuid::new_v4().to_string();
    HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let what = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Error::Internal(format!("a handler panicked: {what}").into()).into_response()
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> =
        origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT,
            REQUEST_ID,
            idempotency::HEADER,
        ])
        .expose_headers([REQUEST_ID])
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt;

    async fn break_down() {
        panic!("the password is swordfish")
    }

    #[tokio::test]
    async fn what_is_logged_names_the_route_and_not_the_address() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let log = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(std::sync::Arc::new(file.reopen().unwrap()));
        let _guard = tracing::subscriber::set_default(log.finish());
        let routes = Router::new().route("/webhooks/{key}", get(|| async {}));
        let router =
            ServiceBuilder::new().layer(from_fn(named)).service(routes.layer(from_fn(routed)));
        let request = Request::get("/webhooks/swordfish").body(Body::empty()).unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), 200);
        let lines = std::fs::read_to_string(file.path()).unwrap();
        assert!(lines.contains(r#""route":"/webhooks/{key}""#), "{lines}");
        assert!(!lines.contains("swordfish"), "{lines}");
    }

    #[tokio::test]
    async fn a_panic_becomes_an_answer_that_tells_nothing() {
        let router: Router =
            Router::new().route("/", get(break_down)).layer(CatchPanicLayer::custom(panicked));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500);
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        let expected = r#"{"code":"INTERNAL_SERVER_ERROR","error":"Internal server error"}"#;
        assert_eq!(body, expected);
    }
}
