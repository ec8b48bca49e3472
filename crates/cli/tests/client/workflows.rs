//! Workflows: drawn, followed, told what to do, and rehearsed without a server.

use crate::server::{Server, data, error};
use crate::shell::Shell;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fs;
use std::sync::{Arc, Mutex};

const FLOW: &str = r#"version: "1.0"
label: Flow
parameters:
  host: {type: string, required: true}
tasks:
  - name: check
    action: core.echo
    input: {message: "{{ parameters.host }}"}
    next:
      - when: "{{ succeeded() }}"
        do: [each]
  - name: each
    with_items: [1, 2]
    action: core.echo
    input: {message: "{{ item }}"}
"#;

fn picture(statuses: [&str; 2]) -> Value {
    let node = |name: &str, status: &str| {
        json!({
            "name": name, "kind": "action", "action": "core.echo", "status": status, "visits": 1,
            "join": null, "branches": [], "progress": null,
        })
    };
    json!({
        "nodes": [node("check", statuses[0]), node("each", statuses[1])],
        "edges": [{
            "from": "check", "to": "each", "command": null, "label": "succeeded()", "taken": true,
        }],
    })
}

#[tokio::test]
async fn they_are_listed_and_shown() {
    let workflow = json!({
        "ref": "demo.flow", "version": "1.0", "label": "Flow", "description": null,
        "definition": {"tasks": [
            {"name": "check", "action": "core.echo", "on_success": "each"},
            {"name": "each", "action": "core.echo"},
        ]},
    });
    let list = json!([workflow]);
    let routes = Router::new()
        .route("/api/v1/workflows", get(async move || Json(json!({"data": list}))))
        .route("/api/v1/workflows/demo.flow", get(async move || data(workflow)));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    insta::assert_snapshot!(shell.run("workflow list --pack demo").await.success(), @r"
    REF        VERSION  LABEL                   DESCRIPTION
    demo.flow  1.0      Flow                    -
    ");
    let shown = shell.run("workflow show demo.flow -o json").await.success();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["ref"], "demo.flow");
    insta::assert_snapshot!(shell.run("workflow graph demo.flow").await.success(), @r"
    • check  core.echo
      → each  when succeeded()
    • each   core.echo
    ");
    assert_eq!(server.lines()[0], "GET /api/v1/workflows?page=1&pack_ref=demo");
}

#[tokio::test]
async fn an_execution_is_drawn_in_every_format() {
    let graph = get(async || data(picture(["succeeded", "running"])));
    let server =
        Server::start(Router::new().route("/api/v1/workflow-executions/7/graph", graph)).await;
    let shell = Shell::at(&server.url);
    for (format, says) in [
        ("text", "▶ each   core.echo  running"),
        ("mermaid", "t0 ==>|\"succeeded()\"| t1"),
        ("dot", "digraph workflow {"),
        ("svg", "<svg xmlns="),
        ("json", "\"status\": \"running\""),
    ] {
        let drawn = shell.run(&format!("workflow graph 7 --format {format}")).await.success();
        assert!(drawn.contains(says), "{format}: {drawn}");
    }
}

#[tokio::test]
async fn tasks_are_listed() {
    let tasks = json!([
        {"name": "check", "status": "failed", "action_ref": "core.echo", "visits": 1, "retries": 2,
         "started_at": "2026-01-02T03:04:05.5Z", "ended_at": null, "items": null, "error": "no route"},
        {"name": "each", "status": "running", "action_ref": "core.echo", "visits": 1, "retries": 0,
         "started_at": null, "ended_at": null, "items": {"total": 9, "succeeded": 4}, "error": null},
    ]);
    let route = get(async move || data(tasks));
    let server =
        Server::start(Router::new().route("/api/v1/workflow-executions/7/tasks", route)).await;
    let shown = Shell::at(&server.url).run("workflow tasks 7").await.success();
    insta::assert_snapshot!(shown, @r"
    TASK   STATUS   ACTION     VISITS  RETRIES  ITEMS  STARTED               ENDED  ERROR
    check  failed   core.echo  1       2        -      2026-01-02T03:04:05Z  -      no route
    each   running  core.echo  1       0        4/9    -                     -      -
    ");
}

#[tokio::test]
async fn watching_tells_every_change_of_a_task_once() {
    let looks = Arc::new(Mutex::new(VecDeque::from([
        ("running", ["running", "pending"]),
        ("running", ["succeeded", "running"]),
        ("failed", ["succeeded", "failed"]),
    ])));
    // The picture is taken after the look at the execution, so it moves on first.
    let status = {
        let looks = looks.clone();
        get(move || {
            let status = looks.lock().unwrap()[0].0;
            async move { data(json!({"id": 7, "action_ref": "demo.flow", "status": status})) }
        })
    };
    let graph = get(move || {
        let mut looks = looks.lock().unwrap();
        let statuses = if looks.len() > 1 { looks.pop_front().unwrap().1 } else { looks[0].1 };
        async move { data(picture(statuses)) }
    });
    let stream = get(async || {
        let events = "id: 1\ndata: {\"id\": 3, \"parent\": 5}\n\nid: 2\ndata: {\"id\": 9, \"parent\": 7}\n\n";
        ([(CONTENT_TYPE, "text/event-stream")], events)
    });
    let routes = Router::new()
        .route("/api/v1/executions/7", status)
        .route("/api/v1/workflow-executions/7/graph", graph)
        .route("/api/v1/executions/stream", stream);
    let server = Server::start(routes).await;
    let outcome = Shell::at(&server.url).run("workflow watch 7").await;
    assert_eq!(outcome.code, 1, "it failed: {outcome:?}");
    insta::assert_snapshot!(outcome.stdout, @r"
    check  running  core.echo  -
    check  succeeded  core.echo  -
    each  running  core.echo  -
    each  failed  core.echo  -
    ");
    assert!(outcome.stderr.contains("execution 7: failed"), "{outcome:?}");
}

#[tokio::test]
async fn executions_are_told_what_to_do() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let keep = bodies.clone();
    let retry = post(move |Json(body): Json<Value>| {
        keep.lock().unwrap().push(body);
        async { data(json!({"id": 8, "status": "running", "original_execution": 7})) }
    });
    let secret = json!({"$attune_secret": true, "redacted": true});
    let first =
        json!({"id": 7, "action_ref": "demo.flow", "config": {"host": "db1", "token": secret}});
    let schema = json!({"param_schema": {"host": {"type": "string"}, "token": {"type": "string"}}});
    let mut routes = Router::new()
        .route("/api/v1/workflow-executions/7", get(async move || data(first)))
        .route("/api/v1/actions/demo.flow", get(async move || data(schema)))
        .route("/api/v1/workflow-executions/7/retry", retry)
        .fallback(async || error(409, "CONFLICT", "The workflow is over"));
    for (what, status) in [("pause", "running"), ("resume", "running"), ("cancel", "canceling")] {
        let route = post(async move || data(json!({"id": 7, "status": status})));
        routes = routes.route(&format!("/api/v1/workflow-executions/7/{what}"), route);
    }
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    for (what, status) in [("pause", "running"), ("resume", "running"), ("cancel", "canceling")] {
        let shown = shell.run(&format!("workflow {what} 7")).await.success();
        assert!(shown.contains(status), "{what}: {shown}");
        let refused = shell.run(&format!("workflow {what} 8")).await.failure(1);
        assert!(refused.contains("The workflow is over"), "{what}: {refused}");
    }
    for (line, body) in [
        ("workflow retry 7", json!({})),
        ("workflow retry 7 --from check", json!({"from_task": "check"})),
        (
            "workflow retry 7 --from check host=42 token=t",
            json!({"from_task": "check", "parameters": {"host": "42", "token": "t"}}),
        ),
        ("workflow retry 7 --params {\"a\":1}", json!({"parameters": {"a": 1}})),
    ] {
        let shown = shell.run(line).await.success();
        assert!(shown.contains('8'), "{line}: {shown}");
        assert_eq!(bodies.lock().unwrap().pop(), Some(body), "{line}");
    }
    let refused = shell.run("workflow retry 7 host=db2").await.failure(2);
    assert!(refused.contains("token is secret"), "{refused}");
    assert!(bodies.lock().unwrap().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn running_ends_with_the_outcome_as_exit_code() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let keep = bodies.clone();
    let execute = post(move |Json(body): Json<Value>| {
        keep.lock().unwrap().push(body);
        async { data(json!({"id": 7, "status": "requested"})) }
    });
    let routes = Router::new()
        .route("/api/v1/actions/demo.flow", get(async || data(json!({"param_schema": {}}))))
        .route("/api/v1/workflows/demo.flow/execute", execute)
        .route("/api/v1/executions/7", get(async || data(json!({"id": 7, "status": "failed"}))));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    assert!(shell.run("workflow run demo.flow n=1").await.success().contains("requested"));
    assert!(shell.run("workflow run demo.flow n=1 --wait").await.code == 1);
    assert_eq!(*bodies.lock().unwrap(), vec![json!({"parameters": {"n": 1}}); 2]);
}

#[tokio::test]
async fn files_are_validated_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    let (good, bad) = (home.path().join("good.yaml"), home.path().join("bad.yaml"));
    fs::write(&good, FLOW).unwrap();
    fs::write(&bad, "version: \"1\"\ntasks:\n  - name: a\n    action: echo\n").unwrap();
    let shell = Shell::new();
    let said = shell.run(&format!("workflow validate {}", good.display())).await;
    assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{said:?}");
    let said = shell.run(&format!("workflow validate {}", bad.display())).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("bad.yaml:4:13  error"), "{said:?}");
    shell.run("workflow validate missing.yaml").await.failure(2);

    let answer = post(async || data(json!({"ref": "demo.flow", "valid": false, "errors": []})));
    let server =
        Server::start(Router::new().route("/api/v1/workflows/demo.flow/validate", answer)).await;
    assert_eq!(Shell::at(&server.url).run("workflow validate demo.flow").await.code, 1);
}

#[tokio::test]
async fn a_file_is_rehearsed_without_a_server() {
    let home = tempfile::tempdir().unwrap();
    let (flow, results) = (home.path().join("flow.yaml"), home.path().join("results.yaml"));
    fs::write(&flow, FLOW).unwrap();
    fs::write(&results, "check: {seconds: 2.5}\neach: [{outcome: failed}, {}]\n").unwrap();
    let shell = Shell::new();
    let line = format!("workflow rehearse {} --results {}", flow.display(), results.display());
    let said = shell.run(&format!("{line} host=db1 --expect failed")).await.success();
    insta::assert_snapshot!(said);
    let said = shell.run(&format!("{line} host=db1 -o json")).await;
    assert_eq!(said.code, 1, "it fails: {said:?}");
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap()["status"], "failed");
    let said = shell.run(&line).await.failure(2);
    assert!(said.contains("host"), "a parameter is missing: {said}");
    fs::write(&results, "each: {outcome: perhaps}\n").unwrap();
    shell.run(&format!("{line} host=db1")).await.failure(2);
    fs::write(&flow, "version: \"1\"\ntasks: {}\n").unwrap();
    let said = shell.run(&line).await.failure(1);
    assert!(said.contains("flow.yaml:2:8"), "{said}");
}

#[tokio::test]
async fn the_rehearsals_of_a_pack_are_its_tests() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join("workflows/tests")).unwrap();
    let write = |file: &str, text: &str| fs::write(home.path().join(file), text).unwrap();
    write("pack.yaml", "ref: demo\nversion: \"1.0.0\"\n");
    write("workflows/flow.yaml", FLOW);
    let test = "workflow: demo.flow\nparameters: {host: db1}\nexpect: {status: completed}\n";
    write("workflows/tests/good.yaml", test);
    let shell = Shell::new();
    let line = format!("workflow rehearse {}", home.path().display());
    let said = shell.run(&line).await.success();
    assert!(said.contains("workflows/tests/good.yaml  demo.flow  passed"), "{said}");
    write("workflows/tests/wrong.yaml", &test.replace("completed", "failed"));
    let said = shell.run(&line).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("the status is 'completed' instead of 'failed'"), "{said:?}");
    assert!(said.stderr.contains("1 passed, 1 failed"), "{said:?}");
}
