//! Requests as API Gateway hands them over, over the embedded ports.

use crate::embedded;
use attune_api::{ApiConfig, App};
use attune_local::Local;
use lambda_http::http::StatusCode;
use lambda_http::request::from_str;
use lambda_http::{Request, RequestExt};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

fn open() -> (TempDir, Local, axum::Router) {
    let (folder, local) = embedded::open();
    let app = App {
        ports: local.ports.clone(),
        feed: local.feed.clone(),
        config: ApiConfig { server_folders: false, cache_pages: false, ..ApiConfig::default() },
    };
    let router = attune_api::router(app);
    (folder, local, router)
}

fn request(method: &str, path: &str, body: &str) -> Request {
    let event = include_str!("event.json")
        .replace("METHOD", method)
        .replace("/PATH", path)
        .replace("\"BODY\"", &serde_json::to_string(body).expect("a text can be written as JSON"));
    from_str(&event).expect("the event can be read")
}

/// With a context whose function ends in `seconds`.
fn ending_in(seconds: u64, request: Request) -> Request {
    let mut context = lambda_http::Context::default();
    let deadline = SystemTime::now() + Duration::from_secs(seconds);
    let millis = deadline.duration_since(UNIX_EPOCH).expect("it is after 1970").as_millis();
    context.deadline = u64::try_from(millis).expect("it is not that late");
    request.with_lambda_context(context)
}

async fn answer(router: &axum::Router, request: Request) -> (StatusCode, Vec<u8>) {
    let response = api::handle(router, request).await.expect("it is answered");
    let status = response.status();
    let body =
        axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("the body can be read");
    (status, body.to_vec())
}

#[tokio::test]
async fn health_is_answered() {
    let (_folder, _local, router) = open();
    let (status, _) = answer(&router, ending_in(30, request("GET", "/health", ""))).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_reaches_its_route_and_a_token_opens_others() {
    let (_folder, local, router) = open();
    let password = "correct horse battery staple";
    attune_api::ensure_admin(&local.ports, "admin", Some(password.into())).await.unwrap();
    let login = serde_json::json!({"login": "admin", "password": password}).to_string();
    let (status, body) = answer(&router, request("POST", "/auth/login", &login)).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
    let body: Value = serde_json::from_slice(&body).unwrap();
    let token = body["data"]["access_token"].as_str().unwrap();
    let mut me = request("GET", "/auth/me", "");
    me.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    assert_eq!(answer(&router, me).await.0, StatusCode::OK);
    assert_eq!(answer(&router, request("GET", "/auth/me", "")).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_stream_ends_before_its_function() {
    let (_folder, local, router) = open();
    let password = "correct horse battery staple";
    attune_api::ensure_admin(&local.ports, "admin", Some(password.into())).await.unwrap();
    let login = serde_json::json!({"login": "admin", "password": password}).to_string();
    let (_, body) = answer(&router, request("POST", "/auth/login", &login)).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    let token = body["data"]["access_token"].as_str().unwrap();
    // The time to end has come already: the stream begins and ends.
    let mut stream = ending_in(5, request("GET", "/api/v1/executions/stream", ""));
    stream.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (status, body) = answer(&router, stream).await;
    assert_eq!(status, StatusCode::OK);
    let body = String::from_utf8_lossy(&body);
    assert!(body.starts_with("id:"), "where to go on comes first, even if nothing happens: {body}");
}
