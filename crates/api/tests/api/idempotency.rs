//! `Idempotency-Key`: sent twice, done once.

use crate::server::{Answer, Server};
use axum::http::Method;
use serde_json::{Value, json};

async fn send(server: &Server, path: &str, key: &str, body: &Value) -> Answer {
    let mut request = server.request(Method::POST, path, Some(body));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    server.answer(request).await
}

fn bodies() -> [(&'static str, Value, Value); 3] {
    let execute =
        |message: &str| json!({"action_ref": "test.echo", "parameters": {"message": message}});
    let named = |message: &str| json!({"parameters": {"message": message}});
    let event = |n: i32| json!({"trigger_ref": "test.door", "payload": n});
    [
        ("/api/v1/executions/execute", execute("a"), execute("b")),
        ("/api/v1/actions/test.echo/execute", named("a"), named("b")),
        ("/api/v1/events", event(1), event(2)),
    ]
}

#[tokio::test]
async fn the_same_request_is_answered_as_the_first_was() {
    let server = Server::start().await;
    for (path, body, other) in bodies() {
        let first = send(&server, path, "k1", &body).await;
        assert_eq!(first.status, 201, "{path}: {}", first.body);
        let counted = server.tally().await;
        let second = send(&server, path, "k1", &body).await;
        assert_eq!((second.status, &second.body), (first.status, &first.body), "{path}");
        let clash = send(&server, path, "k1", &other).await;
        assert_eq!(
            (clash.status.as_u16(), &clash.body["code"]),
            (422, &json!("UNPROCESSABLE_ENTITY")),
            "{path}"
        );
        assert_eq!(server.tally().await, counted, "{path}: nothing more was made");
        let fresh = send(&server, path, "k2", &body).await;
        assert_ne!(
            fresh.body["data"]["id"], first.body["data"]["id"],
            "{path}: another key, another one"
        );
    }
}

#[tokio::test]
async fn many_at_once_make_one() {
    let server = Server::start().await;
    for (path, body, _) in bodies() {
        let answers =
            futures::future::join_all((0..8).map(|_| send(&server, path, "same", &body))).await;
        let mut ids: Vec<_> = answers.iter().map(|a| a.body["data"]["id"].to_string()).collect();
        assert!(answers.iter().all(|a| a.status == 201), "{path}: {answers:?}");
        ids.dedup();
        assert_eq!(ids.len(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let server = Server::start().await;
    let path = "/api/v1/executions/execute";
    let refused = send(&server, path, "k", &json!({"action_ref": "test.echo"})).await;
    assert_eq!(refused.status, 422);
    let body = json!({"action_ref": "test.echo", "parameters": {"message": "x"}});
    assert_eq!(send(&server, path, "k", &body).await.status, 201);
}

#[tokio::test]
async fn a_key_must_be_a_short_text() {
    let server = Server::start().await;
    let body = json!({"trigger_ref": "test.door"});
    for key in ["", &"x".repeat(256)] {
        let answer = send(&server, "/api/v1/events", key, &body).await;
        assert_eq!(answer.status, 400, "{} bytes", key.len());
    }
    assert_eq!(send(&server, "/api/v1/events", &"x".repeat(255), &body).await.status, 201);
}
