//! Messages that were delivered too often.

use crate::server::{Server, data, error};
use crate::shell::Shell;
use axum::body::Bytes;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn letter() -> Value {
    json!({
        "id": "17", "queue": "match", "body": {"step": "event.created", "event": 3}, "group": "",
        "receives": 5, "sent_at": "2026-01-02T03:04:05Z", "died_at": "2026-01-02T03:05:05.5Z",
        "reason": "the store is away",
    })
}

#[tokio::test]
async fn they_are_listed_and_shown() {
    let list = get(async || Json(json!({"data": [letter()], "pagination": {"page": 1}})));
    let routes = Router::new()
        .route("/api/v1/dead-letters", list)
        .route("/api/v1/dead-letters/match/17", get(async || data(letter())));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    insta::assert_snapshot!(shell.run("dead-letter list --queue match").await.success(), @r"
    QUEUE  ID  RECEIVES  DIED                  REASON
    match  17  5         2026-01-02T03:05:05Z  the store is away
    ");
    let shown = shell.run("dead-letter show match 17 -o json").await.success();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), letter());
    assert_eq!(
        server.lines(),
        ["GET /api/v1/dead-letters?page=1&queue=match", "GET /api/v1/dead-letters/match/17"]
    );
    let missing = shell.run("dead-letter show admit 17").await;
    assert_eq!(missing.code, 1, "{missing:?}");
}

#[tokio::test]
async fn one_or_all_are_sent_again() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let keep = bodies.clone();
    let redrive = post(move |body: Bytes| {
        keep.lock().unwrap().push(String::from_utf8(body.into()).unwrap());
        async { data(json!({"redriven": 2})) }
    });
    let routes = Router::new().route("/api/v1/dead-letters/run-shell/redrive", redrive);
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    for line in ["dead-letter redrive run-shell 17", "dead-letter redrive run-shell"] {
        let shown = shell.run(line).await.success();
        assert!(shown.contains("redriven") && shown.contains('2'), "{shown}");
    }
    assert_eq!(*bodies.lock().unwrap(), [r#"{"id":"17"}"#, ""]);
}

#[tokio::test]
async fn all_are_forgotten_only_for_certain() {
    let done = |text: &'static str| {
        delete(move || async move { Json(json!({"success": true, "message": text})) })
    };
    let routes = Router::new()
        .route("/api/v1/dead-letters/match/17", done("Dead letter '17' deleted"))
        .route("/api/v1/dead-letters/match", done("3 dead letters of queue 'match' deleted"))
        .fallback(async || error(404, "NOT_FOUND", "Dead letter '18' not found"));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    let doubtful = shell.run("dead-letter purge match").await.failure(2);
    assert!(doubtful.contains("--yes"), "{doubtful}");
    assert_eq!(server.lines(), Vec::<String>::new());
    for (line, code, remark) in [
        ("dead-letter purge match 17", 0, "Dead letter '17' deleted\n"),
        ("dead-letter purge match 18", 1, "error: Dead letter '18' not found (404 NOT_FOUND)\n"),
        ("dead-letter purge match --yes", 0, "3 dead letters of queue 'match' deleted\n"),
    ] {
        let outcome = shell.run(line).await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (code, remark), "{line}");
    }
}
