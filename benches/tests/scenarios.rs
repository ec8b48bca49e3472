//! The scenarios against a server that only pretends: it counts what it is sent and claims that every
//! execution completed at once. What is proved is that the scenarios send what they say, wait for the
//! right thing, clean up behind themselves, and do not report a rate of failures.

#![allow(clippy::unwrap_used, reason = "the pretending server is part of the tests")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use attune_benches::scenario::{self, Scenario, Size, Target};
use attune_benches::session::Credentials;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// What the pretending server saw.
#[derive(Default)]
struct Seen {
    /// The conditions of each trigger's rules.
    rules: HashMap<String, Vec<Value>>,
    executions: u64,
    removed_packs: Vec<String>,
    /// Whether executions are claimed to have failed.
    failing: bool,
}

type Shared = Arc<Mutex<Seen>>;

fn wanted(conditions: &Value, payload: &Value) -> bool {
    conditions.is_null()
        || conditions.pointer("/0/operator") == Some(&json!("equals"))
            && conditions.pointer("/0/value") == payload.get("n")
}

async fn receive(
    State(seen): State<Shared>,
    UrlPath(key): UrlPath<String>,
    Json(body): Json<Value>,
) {
    let mut seen = seen.lock().unwrap();
    let trigger = key.strip_prefix("wh_").unwrap();
    let rules = seen.rules.get(trigger).map_or(&[][..], Vec::as_slice);
    let matched = rules.iter().filter(|rule| wanted(rule, &body["payload"])).count();
    seen.executions += matched as u64;
}

async fn create_rule(
    State(seen): State<Shared>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let trigger = body["trigger_ref"].as_str().unwrap().to_owned();
    seen.lock().unwrap().rules.entry(trigger).or_default().push(body["conditions"].clone());
    (StatusCode::CREATED, Json(json!({ "data": {} })))
}

async fn execute(State(seen): State<Shared>) -> (StatusCode, Json<Value>) {
    let mut seen = seen.lock().unwrap();
    seen.executions += 1;
    (StatusCode::CREATED, Json(json!({ "data": { "id": seen.executions, "status": "requested" } })))
}

async fn stats(State(seen): State<Shared>) -> Json<Value> {
    let seen = seen.lock().unwrap();
    let (completed, failed) =
        if seen.failing { (0, seen.executions) } else { (seen.executions, 0) };
    Json(json!({ "data": {
        "total": seen.executions, "completed": completed, "failed": failed,
        "running": 0, "pending": 0, "cancelled": 0, "timeout": 0, "abandoned": 0,
    } }))
}

async fn remove_pack(State(seen): State<Shared>, UrlPath(pack): UrlPath<String>) -> Json<Value> {
    seen.lock().unwrap().removed_packs.push(pack);
    Json(json!({ "success": true }))
}

/// Everything but the login and the webhooks needs the token.
async fn guard(
    headers: HeaderMap,
    request: axum::extract::Request,
    next: Next,
) -> Result<axum::response::Response, StatusCode> {
    let path = request.uri().path();
    let open = path == "/auth/login" || path.starts_with("/api/v1/webhooks/");
    let token = headers.get("authorization").is_some_and(|value| value == "Bearer token-1");
    if open || token { Ok(next.run(request).await) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn created() -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "data": {} })))
}

async fn login(Json(body): Json<Value>) -> Result<Json<Value>, StatusCode> {
    if body != json!({ "login": "load", "password": "right" }) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(Json(json!({ "data": { "access_token": "token-1" } })))
}

async fn enable_webhook(UrlPath(trigger): UrlPath<String>) -> Json<Value> {
    Json(json!({ "data": { "webhook_key": format!("wh_{trigger}") } }))
}

/// Starts the pretending server and answers its address and what it sees.
async fn pretend(failing: bool) -> (Target, Shared) {
    let seen = Shared::new(Mutex::new(Seen { failing, ..Seen::default() }));
    let app = Router::new()
        .route("/auth/login", post(login))
        .route("/api/v1/packs", post(created))
        .route("/api/v1/packs/{ref}", delete(remove_pack))
        .route("/api/v1/triggers", post(created))
        .route("/api/v1/triggers/{ref}/webhooks/enable", post(enable_webhook))
        .route("/api/v1/actions", post(created))
        .route("/api/v1/rules", post(create_rule))
        .route("/api/v1/webhooks/{key}", post(receive))
        .route("/api/v1/executions/execute", post(execute))
        .route("/api/v1/executions/stats", get(stats))
        .route(
            "/api/v1/executions/{id}",
            get(|| async { Json(json!({ "data": { "status": "completed" } })) }),
        )
        .layer(middleware::from_fn(guard))
        .with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let credentials = Credentials { login: "load".into(), password: "right".into() };
    (Target::Running { authority, credentials }, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_scenario_sends_what_it_says_and_removes_its_pack() {
    // Scenario, executions it causes in its quick size, numbers it reports.
    let table = [
        (Scenario::WebhookNoop, 2_000, 3),
        (Scenario::Latency, 110, 2),
        (Scenario::Shell, 500, 1),
        (Scenario::Rules1000, 900, 2),
        (Scenario::ManyRules, 500 + 2_000 + 2_000, 3),
    ];
    for (scenario, executions, numbers) in table {
        let (target, seen) = pretend(false).await;
        let measured = scenario::run(scenario, &target, Size::Quick, Path::new("."))
            .await
            .unwrap()
            .unwrap_or_else(|| panic!("{} was not run", scenario.name()));
        let seen = seen.lock().unwrap();
        assert_eq!(seen.executions, executions, "{}", scenario.name());
        assert_eq!(measured.len(), numbers, "{}", scenario.name());
        for measurement in &measured {
            assert!(measurement.value > 0.0, "{measurement:?}");
            assert!(measurement.name.starts_with(scenario.name()), "{measurement:?}");
        }
        let pack = format!("load_{}_{}", scenario.name(), std::process::id());
        assert_eq!(seen.removed_packs, [pack]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_that_fail_are_no_measurement_and_the_pack_is_removed_all_the_same() {
    let (target, seen) = pretend(true).await;
    let error = scenario::run(Scenario::WebhookNoop, &target, Size::Quick, Path::new("."))
        .await
        .unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("scenario webhook_noop: 2000 executions did not complete"), "{error}");
    assert_eq!(seen.lock().unwrap().removed_packs.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_harm_a_server_of_somebody_else_is_not_run() {
    let (target, seen) = pretend(false).await;
    for scenario in [Scenario::QueueDepth, Scenario::Memory] {
        let measured = scenario::run(scenario, &target, Size::Quick, Path::new(".")).await.unwrap();
        assert_eq!(measured, None, "{}", scenario.name());
    }
    assert_eq!(seen.lock().unwrap().executions, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_without_showing_it() {
    let (target, _seen) = pretend(false).await;
    let Target::Running { authority, .. } = target else { unreachable!() };
    let credentials = Credentials { login: "load".into(), password: "wr0ng-secret".into() };
    let target = Target::Running { authority, credentials };
    let error =
        scenario::run(Scenario::Latency, &target, Size::Quick, Path::new(".")).await.unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("log in: the server answered 401"), "{error}");
    assert!(!error.contains("wr0ng-secret"), "{error}");
}
