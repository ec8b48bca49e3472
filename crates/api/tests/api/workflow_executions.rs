//! Executions of workflows: how they stand, and what people tell them to do. Nobody runs actions here: they all fail.

use crate::auth::as_identity;
use crate::server::{Answer, Server};
use attune_journey::run::Terms;
use attune_journey::workers;
use attune_journey::workflow::Limits;
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose messages are worked through, until the other half is dropped.
struct Working {
    server: Server,
    _stop: watch::Sender<bool>,
}

/// With workflow `demo.flow` of these tasks.
async fn furnished(tasks: Value) -> Server {
    let server = Server::start().await;
    server.make("/api/v1/packs", json!({"ref": "demo", "label": "Demo", "version": "1.0.0"})).await;
    let workflow = json!({
        "ref": "demo.flow", "pack_ref": "demo", "label": "Flow", "version": "1.0.0",
        "param_schema": {
            "host": {"type": "string", "required": true},
            "token": {"type": "string", "secret": true},
        },
        "definition": {"version": "1.0", "vars": [{"tries": 3}], "tasks": tasks},
    });
    server.make("/api/v1/workflows", workflow).await;
    server
}

async fn working(tasks: Value) -> Working {
    let server = furnished(tasks).await;
    let (stop, stopped) = watch::channel(false);
    let config = workers::Config {
        processes: 1,
        natives: 1,
        terms: Terms::default(),
        limits: Limits::default(),
    };
    tokio::spawn(workers::run(server.ports.clone(), config, stopped));
    Working { server, _stop: stop }
}

/// A task that passes, one that fails, and one that cleans up after another that never runs.
fn failing() -> Value {
    json!([
        {"name": "start", "next": [{"do": ["say"]}]},
        {"name": "say", "action": "test.echo", "input": {"message": "{{ parameters.host }}"},
         "next": [{"when": "{{ succeeded() }}", "do": ["after"]}]},
        {"name": "after", "with_items": [1, 2], "action": "test.echo", "input": {"message": "{{ item }}"}},
    ])
}

/// A task that waits for longer than any test.
fn waiting() -> Value {
    json!([{"name": "wait", "delay": 6000}])
}

async fn start(server: &Server) -> i64 {
    let parameters = json!({"parameters": {"host": "db1", "token": "hunter2"}});
    let made = server.make("/api/v1/workflows/demo.flow/execute", parameters).await;
    made["id"].as_i64().unwrap()
}

fn path(id: i64, what: &str) -> String {
    format!("/api/v1/workflow-executions/{id}{what}")
}

/// Looks at a workflow's execution until it is as it should be.
async fn until(server: &Server, id: i64, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let since = Instant::now();
    loop {
        let seen = server.get(&path(id, "")).await.body["data"].take();
        if holds(&seen) {
            return seen;
        }
        assert!(since.elapsed() < PATIENCE, "still waiting: {what}: {seen}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn reaches(server: &Server, id: i64, status: &str) -> Value {
    until(server, id, status, |seen| seen["status"] == status).await
}

async fn tell(server: &Server, id: i64, what: &str) -> Answer {
    server.answer(server.request(Method::POST, &path(id, what), None)).await
}

fn field<'a>(rows: &'a Value, name: &str) -> Vec<&'a str> {
    rows.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn a_workflow_that_failed_says_where_and_why() {
    let Working { server, .. } = &working(failing()).await;
    let id = start(server).await;
    let seen = reaches(server, id, "failed").await;
    assert_eq!(seen["run"]["status"], "over", "{seen}");
    assert_eq!(seen["run"]["failed_tasks"], json!(["say"]), "{seen}");

    let tasks = server.get(&path(id, "/tasks")).await.body["data"].take();
    assert_eq!(field(&tasks, "name"), ["start", "say", "after"]);
    assert_eq!(field(&tasks, "status"), ["succeeded", "failed", "pending"]);
    assert_eq!(field(&tasks, "action_ref"), ["-", "test.echo", "test.echo"]);
    let children = server.get(&format!("/api/v1/executions/{id}/children")).await.body;
    assert_eq!(tasks[1]["executions"], json!([children["data"][0]["id"]]));
    assert!(tasks[1]["error"].is_string() && tasks[1]["ended_at"].is_string(), "{tasks}");
    assert_eq!((&tasks[1]["visits"], &tasks[2]["visits"]), (&json!(1), &json!(0)));

    let context = server.get(&path(id, "/context")).await.body;
    assert!(!context.to_string().contains("hunter2"), "{context}");
    let context = &context["data"];
    assert_eq!(context["parameters"]["host"], "db1");
    assert_eq!(context["vars"], json!({"tries": 3}));
    assert_eq!(context["results"], json!({"say": {"execution": children["data"][0]["id"]}}));
}

#[tokio::test]
async fn a_graph_comes_in_the_format_that_was_asked_for() {
    let Working { server, .. } = &working(failing()).await;
    let id = start(server).await;
    reaches(server, id, "failed").await;
    for (query, accept, media_type, says) in [
        ("", "", "application/json", "\"status\":\"failed\""),
        ("?format=svg", "", "image/svg+xml; charset=utf-8", "<svg "),
        ("?format=dot", "image/svg+xml", "text/vnd.graphviz; charset=utf-8", "digraph"),
        ("?format=mermaid", "", "text/vnd.mermaid; charset=utf-8", "flowchart TD"),
        ("", "text/plain", "text/plain; charset=utf-8", "✗ say"),
        ("", "image/*", "image/svg+xml; charset=utf-8", "<svg "),
    ] {
        let mut request = server.request(Method::GET, &path(id, &format!("/graph{query}")), None);
        if !accept.is_empty() {
            request.headers_mut().insert(header::ACCEPT, accept.parse().unwrap());
        }
        let answer = server.answer(request).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], media_type, "{query} {accept}");
        let text = answer.body.to_string();
        assert!(answer.body.as_str().unwrap_or(&text).contains(says), "{query} {accept}: {text}");
    }
    let wrong = server.get(&path(id, "/graph?format=png")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "{}", wrong.body);
}

#[tokio::test]
async fn what_has_not_begun_can_be_looked_at_and_cancelled() {
    let server = furnished(failing()).await;
    let id = start(&server).await;
    let seen = server.get(&path(id, "")).await.body["data"].take();
    assert_eq!((&seen["status"], &seen["run"]), (&json!("requested"), &Value::Null));
    let tasks = server.get(&path(id, "/tasks")).await.body["data"].take();
    assert_eq!(field(&tasks, "status"), ["pending"; 3]);
    assert_eq!(server.get(&path(id, "/context")).await.body["data"]["vars"], json!({}));
    for what in ["/pause", "/resume", "/retry"] {
        let refused = tell(&server, id, what).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{what}: {}", refused.body);
    }
    let cancelled = tell(&server, id, "/cancel").await;
    assert_eq!(cancelled.body["data"]["status"], "cancelled", "{}", cancelled.body);
    assert_eq!(tell(&server, id, "/cancel").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_run_is_paused_resumed_and_cancelled() {
    let Working { server, .. } = &working(waiting()).await;
    let id = start(server).await;
    until(server, id, "it waits", |seen| seen["run"]["steps"] == 1).await;
    for (what, status, run) in [
        ("/resume", 409, "running"),
        ("/retry", 409, "running"),
        ("/pause", 200, "paused"),
        ("/pause", 200, "paused"),
        ("/resume", 200, "running"),
        ("/cancel", 200, "over"),
        ("/pause", 409, "over"),
        ("/cancel", 409, "over"),
    ] {
        let answer = tell(server, id, what).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        let seen = until(server, id, run, |seen| seen["run"]["status"] == run).await;
        if status == 409 {
            assert_eq!(answer.body["code"], "CONFLICT", "{what}");
        } else if run != "over" {
            assert_eq!(answer.body["data"]["run"]["status"], seen["run"]["status"], "{what}");
        }
    }
    reaches(server, id, "cancelled").await;
    let tasks = server.get(&path(id, "/tasks")).await.body["data"].take();
    assert_eq!(field(&tasks, "status"), ["cancelled"]);
}

#[tokio::test]
async fn a_part_is_done_again() {
    let Working { server, .. } = &working(failing()).await;
    let id = start(server).await;
    reaches(server, id, "failed").await;
    let retry = path(id, "/retry");
    for (why, body, status) in [
        ("no such task", json!({"from_task": "sya"}), 422),
        ("a parameter is missing", json!({"parameters": {}}), 422),
        ("a parameter is of another type", json!({"parameters": {"host": 1}}), 422),
        ("no such field", json!({"task": "say"}), 422),
    ] {
        let answer = server.post(&retry, body).await;
        assert_eq!(answer.status, status, "{why}: {}", answer.body);
    }
    for (why, body, host) in [
        ("what failed", None, "db1"),
        ("from a task", Some(json!({"from_task": "start"})), "db1"),
        (
            "with other parameters",
            Some(json!({"from_task": "say", "parameters": {"host": "db2"}})),
            "db2",
        ),
    ] {
        let answer = server.answer(server.request(Method::POST, &retry, body.as_ref())).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{why}: {}", answer.body);
        let made = &answer.body["data"];
        assert_eq!(made["original_execution"], id, "{why}");
        assert_eq!(made["config"]["host"], host, "{why}");
        let again = made["id"].as_i64().unwrap();
        reaches(server, again, "failed").await;
        let tasks = server.get(&path(again, "/tasks")).await.body["data"].take();
        assert_eq!(field(&tasks, "status"), ["succeeded", "failed", "pending"], "{why}");
    }
}

#[tokio::test]
async fn only_executions_of_workflows_are_listed() {
    let Working { server, .. } = &working(failing()).await;
    let plain = server.execute("not a workflow").await;
    let first = start(server).await;
    reaches(server, first, "failed").await;
    let second = start(server).await;
    reaches(server, second, "failed").await;
    for (query, expected) in [
        ("", vec![second, first]),
        ("?workflow_ref=demo.flow", vec![second, first]),
        ("?workflow_ref=demo.*&status=failed", vec![second, first]),
        ("?status=completed", vec![]),
        ("?workflow_ref=test.echo", vec![]),
        ("?per_page=1", vec![second]),
    ] {
        let list = server.get(&format!("/api/v1/workflow-executions{query}")).await.body;
        let ids: Vec<i64> = list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
    assert_eq!(server.get("/api/v1/workflow-executions?status=x").await.status, 400);
    for what in ["", "/tasks", "/graph", "/context"] {
        assert_eq!(server.get(&path(plain, what)).await.status, 404, "an action's: {what}");
        assert_eq!(server.get(&path(5, what)).await.status, 404, "none: {what}");
    }
    for what in ["/pause", "/resume", "/cancel", "/retry"] {
        assert_eq!(tell(server, plain, what).await.status, 404, "an action's: {what}");
    }
}

#[tokio::test]
async fn everybody_does_what_their_permission_sets_say() {
    let Working { mut server, _stop } = working(waiting()).await;
    let id = start(&server).await;
    until(&server, id, "it waits", |seen| seen["run"]["steps"] == 1).await;
    for (set, allowed) in [
        ("core.viewer", &[""][..]),
        ("core.executor", &["", "/retry"]),
        ("core.editor", &["", "/retry", "/cancel"]),
    ] {
        as_identity(&mut server, set, &[set]).await;
        for (method, what) in [
            (Method::GET, ""),
            (Method::GET, "/tasks"),
            (Method::GET, "/graph"),
            (Method::GET, "/context"),
            (Method::POST, "/pause"),
            (Method::POST, "/resume"),
            (Method::POST, "/retry"),
            (Method::POST, "/cancel"),
        ] {
            let reads = method == Method::GET;
            let answer = server.answer(server.request(method, &path(id, what), None)).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            let expected = reads || allowed.contains(&what);
            assert_eq!(!refused, expected, "{set} {what}: {}", answer.body);
        }
    }
}
