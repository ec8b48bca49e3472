//! Running actions, waiting for them, reading their logs.

use crate::server::{Asked, Server, data, error};
use crate::shell::Shell;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

fn execution(status: &str) -> Value {
    json!({
        "id": 7, "action_ref": "core.echo", "status": status, "result": null,
        "created": "2026-01-02T03:04:05Z", "updated": "2026-01-02T03:04:06Z",
    })
}

/// A server whose execution 7 goes through `statuses`, one look each.
fn life(statuses: &[&'static str]) -> Router {
    let statuses = Arc::new(Mutex::new(VecDeque::from(statuses.to_vec())));
    let look = move || {
        let mut left = statuses.lock().unwrap();
        let status = if left.len() > 1 { left.pop_front().unwrap() } else { left[0] };
        async move { data(execution(status)) }
    };
    Router::new()
        .route("/api/v1/executions/execute", post(async || data(execution("requested"))))
        .route("/api/v1/executions/7", get(look))
}

#[tokio::test]
async fn waiting_ends_with_the_outcome_as_exit_code() {
    for (statuses, code) in [
        (&["completed"][..], 0),
        (&["scheduled", "running", "running", "completed"], 0),
        (&["running", "failed"], 1),
        (&["canceling", "cancelled"], 1),
        (&["running", "timeout"], 1),
        (&["abandoned"], 1),
    ] {
        let server = Server::start(life(statuses)).await;
        let outcome = Shell::at(&server.url).run("action execute core.echo --wait -o json").await;
        assert_eq!(outcome.code, code, "{statuses:?}: {outcome:?}");
        let shown: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(shown["status"], *statuses.last().unwrap());
        assert_eq!(server.lines().len(), 1 + statuses.len(), "one look per status");
    }
}

#[tokio::test]
async fn without_waiting_an_accepted_execution_is_a_success() {
    let server = Server::start(life(&["failed"])).await;
    let shown = Shell::at(&server.url).run("action execute core.echo").await.success();
    assert!(shown.contains("requested"), "{shown}");
    assert_eq!(server.lines(), ["POST /api/v1/executions/execute"]);
}

#[tokio::test]
async fn a_server_that_vanishes_while_we_wait_leaves_the_number_to_ask_for() {
    let refuse = async || error(500, "INTERNAL_SERVER_ERROR", "something broke");
    let routes = Router::new()
        .route("/api/v1/executions/execute", post(async || data(execution("requested"))))
        .route("/api/v1/executions/7", get(refuse));
    let server = Server::start(routes).await;
    let remark = Shell::at(&server.url).run("action execute core.echo --wait").await.failure(1);
    assert!(remark.contains("cannot tell how execution 7 went on"), "{remark}");
    assert!(remark.contains("something broke (500 INTERNAL_SERVER_ERROR)"), "{remark}");
}

#[tokio::test]
async fn parameters_are_sent_with_the_types_of_the_schema() {
    let sent = Arc::new(Mutex::new(Value::Null));
    let keep = sent.clone();
    let routes = Router::new()
        .route(
            "/api/v1/actions/core.echo",
            get(async || data(json!({"param_schema": {"message": {"type": "string"}}}))),
        )
        .route(
            "/api/v1/executions/execute",
            post(move |Json(body): Json<Value>| {
                *keep.lock().unwrap() = body;
                async { data(execution("requested")) }
            }),
        );
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    let line = r#"action execute core.echo message=42 count=42 --params {"count":1,"flag":true}"#;
    shell.run(line).await.success();
    let parameters = json!({"message": "42", "count": 42, "flag": true});
    assert_eq!(*sent.lock().unwrap(), json!({"action_ref": "core.echo", "parameters": parameters}));

    shell.run_with_input("action execute core.echo --params @-", r#"{"a": null}"#).await.success();
    assert_eq!(sent.lock().unwrap()["parameters"], json!({"a": null}));
}

#[tokio::test]
async fn watching_one_execution_shows_each_status_once() {
    let server = Server::start(life(&["scheduled", "running", "running", "failed"])).await;
    let outcome = Shell::at(&server.url).run("execution watch 7").await;
    assert_eq!(outcome.code, 1);
    insta::assert_snapshot!(outcome.stdout, @r"
    2026-01-02T03:04:06Z  7  scheduled  core.echo
    2026-01-02T03:04:06Z  7  running  core.echo
    2026-01-02T03:04:06Z  7  failed  core.echo
    ");
}

#[tokio::test]
async fn watching_all_shows_what_comes_and_what_changes() {
    let looks = Arc::new(Mutex::new(VecDeque::from([
        vec![(1, "completed"), (2, "running")],
        vec![(2, "completed")],
        vec![(2, "completed"), (3, "scheduled")],
        vec![(3, "failed"), (4, "completed")],
    ])));
    let list = move || {
        let look = looks.lock().unwrap().pop_front();
        async move {
            // The last look fails: that is how this test stops a command that runs for ever.
            let Some(look) = look else { return error(500, "INTERNAL_SERVER_ERROR", "enough") };
            let with_id = |(id, status): &(u64, &str)| {
                let mut one = execution(status);
                one["id"] = json!(id);
                one
            };
            let items: Vec<Value> = look.iter().map(with_id).collect();
            data(json!(items)).into_response()
        }
    };
    let server = Server::start(Router::new().route("/api/v1/executions", get(list))).await;
    let outcome = Shell::at(&server.url).run("execution watch").await;
    assert_eq!(outcome.code, 1, "{outcome:?}");
    insta::assert_snapshot!(outcome.stdout, @r"
    2026-01-02T03:04:06Z  2  completed  core.echo
    2026-01-02T03:04:06Z  3  scheduled  core.echo
    2026-01-02T03:04:06Z  3  failed  core.echo
    2026-01-02T03:04:06Z  4  completed  core.echo
    ");
}

#[tokio::test]
async fn logs_keep_their_streams() {
    let log = async |Path(stream): Path<String>| format!("this is {stream}\n");
    let server =
        Server::start(Router::new().route("/api/v1/executions/7/logs/{stream}", get(log))).await;
    let shell = Shell::at(&server.url);
    let both = shell.run("execution logs 7").await;
    assert_eq!(
        (both.stdout.as_str(), both.stderr.as_str()),
        ("this is stdout\n", "this is stderr\n")
    );
    let one = shell.run("execution logs 7 --stream stderr").await;
    assert_eq!((one.stdout.as_str(), one.stderr.as_str()), ("this is stderr\n", ""));
}

#[tokio::test]
async fn a_followed_log_goes_on_where_the_server_broke_off() {
    async fn stream(headers: HeaderMap) -> Response {
        let after = headers.get("last-event-id").map_or("", |id| id.to_str().unwrap());
        let events = match after {
            "" => ": hello\n\nevent: content\nid: 4\ndata: one\ndata:\n\n",
            "4" => "event: append\nid: 8\ndata: two\ndata:\n\nevent: done\ndata:\n\n",
            _ => "event: append\nid: 0\ndata: what was that?\n\nevent: done\n\n",
        };
        ([(CONTENT_TYPE, "text/event-stream")], events).into_response()
    }
    let routes = Router::new().route("/api/v1/executions/7/logs/stdout/stream", get(stream));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    let log = shell.run("execution logs 7 --follow --stream stdout").await.success();
    assert_eq!(log, "one\ntwo\n");
    let path = "GET /api/v1/executions/7/logs/stdout/stream";
    assert_eq!(server.lines(), [path, path]);
}

#[tokio::test]
async fn a_log_that_is_served_elsewhere_is_followed_there_with_the_token() {
    let path = "/api/v1/executions/7/logs/stdout/stream";
    let events = async || {
        let text = "event: content\nid: 4\ndata: one\ndata:\n\nevent: done\n\n";
        ([(CONTENT_TYPE, "text/event-stream")], text)
    };
    let streams = Server::start(Router::new().route(path, get(events))).await;
    let there = format!("{}{path}", streams.url);
    let send_on = async move || Redirect::temporary(&there);
    let server = Server::start(Router::new().route(path, get(send_on))).await;
    let shell = Shell::at(&server.url).with("ATTUNE_TOKEN", "t");
    let log = shell.run("execution logs 7 --follow --stream stdout").await.success();
    assert_eq!(log, "one\n");
    let authorization = Some("Bearer t".to_owned());
    assert_eq!(streams.asked(), [Asked { line: format!("GET {path}"), authorization }]);
}

#[tokio::test]
async fn nobody_else_and_nothing_else_is_sent_on() {
    let stranger = Server::start(Router::new().fallback(async || "give me your token")).await;
    let there = format!("{}/x", stranger.url);
    let further = Redirect::temporary(&there);
    let streams = Server::start(Router::new().fallback(async move || further)).await;
    let first = Redirect::temporary(&format!("{}/y", streams.url));
    let server = Server::start(Router::new().fallback(async move || first)).await;
    let shell = Shell::at(&server.url).with("ATTUNE_TOKEN", "t");
    for line in ["execution logs 7 --follow --stream stdout", "execution get 7", "queue stats a.b"]
    {
        let remark = shell.run(line).await.failure(1);
        assert!(remark.contains("307"), "{line}: {remark}");
    }
    assert_eq!((streams.lines().len(), stranger.lines().len()), (1, 0));
}

#[tokio::test]
async fn canceling_shows_what_became_of_it() {
    let cancel = post(async || data(execution("canceling")));
    let server = Server::start(Router::new().route("/api/v1/executions/7/cancel", cancel)).await;
    let shown = Shell::at(&server.url).run("execution cancel 7").await.success();
    assert!(shown.contains("canceling"), "{shown}");
}
