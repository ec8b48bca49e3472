//! What holds for every route.

use crate::server::{Server, WEBHOOK};
use attune_api::{ApiConfig, ListEnvelope};
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

#[tokio::test]
async fn a_request_id_is_accepted_or_drawn_and_returned() {
    let server = Server::start().await;
    let ask = async |id: Option<&str>| {
        let mut request = Request::get("/health");
        if let Some(id) = id {
            request = request.header("x-request-id", id);
        }
        let answer = server.answer(request.body(Body::empty()).unwrap()).await;
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(ask(Some("abc-123")).await, "abc-123");
    let drawn = ask(None).await;
    assert_eq!(drawn.len(), 36, "{drawn}");
    assert_ne!(drawn, ask(None).await);
    assert_eq!(ask(Some(&"x".repeat(200))).await.len(), 36, "a long one is replaced");
}

#[tokio::test]
async fn known_origins_may_call_and_others_may_not() {
    let server = Server::start().await;
    for (origin, allowed) in [("http://localhost:3000", true), ("http://evil.example", false)] {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri("/api/v1/executions")
            .header(header::ORIGIN, origin)
            .header("access-control-request-method", "GET")
            .body(Body::empty())
            .unwrap();
        let answer = server.answer(request).await;
        let told = answer.headers.get("access-control-allow-origin");
        assert_eq!(told.is_some_and(|of| of == origin), allowed, "{origin}");
    }
}

#[tokio::test]
async fn a_cookie_wins_over_the_header() {
    let server = Server::start().await;
    let ask = async |cookie: &str, bearer: &str| {
        let request = Request::get("/auth/me")
            .header(header::COOKIE, format!("a=b; attune_access_token={cookie}"))
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
            .body(Body::empty())
            .unwrap();
        server.answer(request).await.status
    };
    assert_eq!(ask(&server.token, "nonsense").await, 200);
    assert_eq!(ask("nonsense", &server.token).await, 401);
}

#[tokio::test]
async fn lists_are_called_as_the_setting_says() {
    for (list_envelope, key) in [(ListEnvelope::Data, "data"), (ListEnvelope::Items, "items")] {
        let server = Server::with(ApiConfig { list_envelope, ..ApiConfig::default() }).await;
        for path in
            ["/api/v1/executions", "/api/v1/events", "/api/v1/enforcements", "/api/v1/dead-letters"]
        {
            let body = server.get(path).await.body;
            assert_eq!(body[key], json!([]), "{path}: {body}");
            assert_eq!(body["pagination"]["page"], 1, "{path}: {body}");
            assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn pages_join_without_gap_or_overlap_however_they_are_asked_for() {
    let server = Server::start().await;
    let mut expected = Vec::new();
    for n in 0..7 {
        expected.insert(0, server.execute(&format!("m{n}")).await);
    }
    let ids = |body: &Value| -> Vec<i64> {
        body["data"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    for list in [
        "/api/v1/executions?",
        "/api/v1/executions?action_ref=test.echo&",
        "/api/v1/executions?action_ref=test.*&",
    ] {
        let mut by_page = Vec::new();
        for (page, count, next) in [(1, 3, true), (2, 3, true), (3, 1, false), (4, 0, false)] {
            let body = server.get(&format!("{list}page={page}&per_page=3")).await.body;
            assert_eq!(ids(&body).len(), count, "{list} page {page}: {body}");
            assert_eq!(body["pagination"]["has_next"], next, "{list} page {page}");
            assert_eq!(body["pagination"]["has_previous"], page > 1, "{list} page {page}");
            by_page.extend(ids(&body));
        }
        assert_eq!(by_page, expected, "{list}");
        let (mut by_cursor, mut query) = (Vec::new(), String::from("limit=2"));
        loop {
            let body = server.get(&format!("{list}{query}")).await.body;
            by_cursor.extend(ids(&body));
            match body["pagination"]["next_cursor"].as_str() {
                None => break,
                Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            }
        }
        assert_eq!(by_cursor, expected, "{list}");
    }
    let body = server.get("/api/v1/executions?limit=2&offset=5").await.body;
    assert_eq!(ids(&body), expected[5..]);
    assert_eq!(body["pagination"]["total_items"], 7);
    assert_eq!(body["pagination"]["total_pages"], 4);
    let body = server.get("/api/v1/executions?per_page=100000").await.body;
    assert_eq!(body["pagination"]["page_size"], 100, "the cap is told");
    for (query, total) in [
        ("status=requested", Value::Null),
        ("status=requested&include_total=true", json!(7)),
        ("action_ref=test.echo&include_total=true", json!(7)),
        ("status=failed&include_total=true", json!(0)),
        ("include_total=false", Value::Null),
    ] {
        let body = server.get(&format!("/api/v1/executions?{query}")).await.body;
        assert_eq!(body["pagination"]["total_items"], total, "{query}");
    }
}

#[tokio::test]
async fn what_a_write_answered_survives_a_crash() {
    let server = Server::start().await;
    let id = server.execute("kept").await;
    let path = format!("/api/v1/webhooks/{WEBHOOK}");
    let event = server.post(&path, json!({"payload": 1})).await.body["data"]["event_id"].clone();
    server.local.crash();
    let ports = &server.ports;
    let execution = attune_journey::layout::execution(attune_domain::id::ExecutionId::new(id));
    let event =
        attune_journey::layout::event(attune_domain::id::EventId::new(event.as_i64().unwrap()));
    for key in [execution, event] {
        assert!(ports.records.get(&key).await.unwrap().is_some(), "{key} is lost");
    }
    let answer = server.post(&path, json!({"payload": 2})).await;
    assert_eq!(
        answer.status, 503,
        "nothing is acknowledged that cannot be stored: {}",
        answer.body
    );
    assert_eq!(answer.body["code"], "SERVICE_UNAVAILABLE");
}
