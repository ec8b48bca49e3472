//! Questions that executions ask.

use crate::server::{Server, data, error};
use crate::shell::Shell;
use axum::body::Bytes;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn inquiry() -> Value {
    json!({
        "id": 7, "execution": 5, "prompt": "Deploy?", "assigned_to": 3, "status": "pending",
        "has_response": false, "timeout_at": "2030-01-02T03:04:05Z", "created": "2026-01-02T03:04:05Z",
        "response_schema": {"zip": {"type": "string"}, "count": {"type": "integer"}},
    })
}

#[tokio::test]
async fn they_are_listed_and_shown() {
    let list = get(async || Json(json!({"data": [inquiry()], "pagination": {"page": 1}})));
    let routes = Router::new()
        .route("/api/v1/inquiries", list)
        .route("/api/v1/inquiries/7", get(async || data(inquiry())));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    let line = "inquiry list --status canceled --execution 5 --assignee 3";
    insta::assert_snapshot!(shell.run(line).await.success(), @r"
    ID  STATUS   EXECUTION  ASSIGNEE  UNTIL                 PROMPT
    7   pending  5          3         2030-01-02T03:04:05Z  Deploy?
    ");
    let shown = shell.run("inquiry show 7 -o json").await.success();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), inquiry());
    assert_eq!(
        server.lines(),
        [
            "GET /api/v1/inquiries?page=1&status=cancelled&execution=5&assigned_to=3",
            "GET /api/v1/inquiries/7"
        ]
    );
    assert_eq!(shell.run("inquiry show 8").await.code, 1);
}

#[tokio::test]
async fn they_are_answered_in_every_way() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let keep = bodies.clone();
    let respond = post(move |body: Bytes| {
        let body: Value = serde_json::from_slice(&body).unwrap();
        keep.lock().unwrap().push(body["response"].clone());
        async { data(json!({"id": 7, "status": "responded"})) }
    });
    let routes = Router::new()
        .route("/api/v1/inquiries/7", get(async || data(inquiry())))
        .route("/api/v1/inquiries/7/respond", respond);
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    for (line, response) in [
        ("inquiry respond 7 --approve", json!({"approved": true})),
        ("inquiry respond 7 --reject zip=00715", json!({"approved": false, "zip": "00715"})),
        ("inquiry respond 7 zip=1 count=3 more=[1]", json!({"zip": "1", "count": 3, "more": [1]})),
        ("inquiry respond 7 --response {\"a\":1} count=3", json!({"a": 1, "count": 3})),
        ("inquiry respond 7 --response \"yes\"", json!("yes")),
    ] {
        let said = shell.run(line).await.success();
        assert!(said.contains("responded"), "{line}: {said}");
        assert_eq!(bodies.lock().unwrap().pop(), Some(response), "{line}");
    }
    for (line, why) in [
        ("inquiry respond 7", "--approve"),
        ("inquiry respond 7 --response [1", "--response is not valid JSON"),
        ("inquiry respond 7 --response [1] a=1", "no JSON object"),
    ] {
        let said = shell.run(line).await.failure(2);
        assert!(said.contains(why), "{line}: {said}");
    }
    assert!(bodies.lock().unwrap().is_empty(), "nothing else was sent");
}

#[tokio::test]
async fn they_are_withdrawn_and_linked() {
    let change = put(async |Json(body): Json<Value>| {
        if body == json!({"status": "cancelled"}) {
            return Ok(data(json!({"id": 7, "status": "cancelled"})));
        }
        Err(error(422, "VALIDATION_ERROR", "what?"))
    });
    let link = post(async |body: Bytes| {
        let until = if body.is_empty() {
            json!({"expires_at": "the end"})
        } else {
            serde_json::from_slice(&body).unwrap()
        };
        data(json!({"url": "http://x/approve?token=1-2-3-4", "expires_at": until["expires_at"]}))
    });
    let routes = Router::new()
        .route("/api/v1/inquiries/7", change)
        .route("/api/v1/inquiries/7/link", link)
        .fallback(async || error(409, "CONFLICT", "Inquiry is not pending"));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    for (line, said) in [
        ("inquiry cancel 7", "cancelled"),
        ("inquiry link 7", "http://x/approve?token=1-2-3-4"),
        ("inquiry link 7", "the end"),
        ("inquiry link 7 --until 2030-01-01T00:00:00Z", "2030-01-01"),
    ] {
        let shown = shell.run(line).await.success();
        assert!(shown.contains(said), "{line}: {shown}");
    }
    let refused = shell.run("inquiry cancel 8").await.failure(1);
    assert!(refused.contains("not pending"), "{refused}");
}
