//! Workflows over HTTP.

use crate::server::Server;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn graph() -> Value {
    json!({"version": "1.0", "tasks": [{"name": "say", "action": "test.echo", "input": {"message": "hi"}}]})
}

fn workflow() -> Value {
    json!({
        "ref": "deploy.rollout", "pack_ref": "deploy", "label": "Rollout", "version": "1.0.0",
        "param_schema": {"host": {"type": "string", "required": true}}, "out_schema": {},
        "definition": graph(), "tags": ["live"],
    })
}

/// With pack `deploy` and workflow `deploy.rollout`.
async fn furnished() -> Server {
    let server = Server::start().await;
    server
        .make("/api/v1/packs", json!({"ref": "deploy", "label": "Deploy", "version": "1.0.0"}))
        .await;
    server.make("/api/v1/workflows", workflow()).await;
    server
}

fn with(mut body: Value, changes: Value) -> Value {
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

#[tokio::test]
async fn a_workflow_is_made_shown_changed_and_removed() {
    let server = furnished().await;
    let path = "/api/v1/workflows/deploy.rollout";
    let made = server.get(path).await.body["data"].take();
    assert_eq!(made["definition"], graph());
    assert_eq!((&made["version"], &made["tags"]), (&json!("1.0.0"), &json!(["live"])));
    let action = server.get("/api/v1/actions/deploy.rollout").await.body["data"].take();
    assert_eq!(action["workflow_def"], made["id"]);
    assert_eq!(action["param_schema"], made["param_schema"]);

    let again = server.post("/api/v1/workflows", workflow()).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
    let changed = server.put(path, json!({"label": "Roll", "description": "Slowly"})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.body["data"]["label"], "Roll");
    assert_eq!(changed.body["data"]["definition"], graph(), "what is not named stays");

    let removed = server.delete(path).await;
    assert_eq!(removed.body["success"], true, "{}", removed.body);
    for path in [path, "/api/v1/actions/deploy.rollout"] {
        assert_eq!(server.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_workflow_and_its_action_stay_one_whichever_is_changed() {
    let server = furnished().await;
    let (workflow, action) = ("/api/v1/workflows/deploy.rollout", "/api/v1/actions/deploy.rollout");
    let parameters = json!({"zone": {"type": "string"}});
    let read = server.get(action).await.body["data"].take();
    let back = with(read, json!({"label": "Roll", "param_schema": parameters}));
    let changed = server.put(action, back).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    let shown = server.get(workflow).await.body["data"].take();
    assert_eq!((&shown["label"], &shown["param_schema"]), (&json!("Roll"), &parameters));
    assert_eq!(shown["definition"], graph());

    let refused = server.put(action, json!({"entrypoint": "echo hi"})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert!(refused.body["error"].as_str().unwrap().contains("executes a workflow"));

    assert_eq!(server.delete(action).await.status, StatusCode::OK);
    for path in [workflow, action] {
        assert_eq!(server.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    server.make("/api/v1/workflows", self::workflow()).await;
}

#[tokio::test]
async fn a_graph_with_mistakes_is_refused_with_all_of_them() {
    let server = furnished().await;
    let broken = json!({"tasks": [{"name": "a", "action": "echo"}, {"name": "b", "join": 0}]});
    let told = "definition.tasks[0].action: 'echo' has no pack: expected 'pack.name'; \
                definition.tasks[1].join: expected a whole number from 1 to 4294967295, found another number";
    let new = with(workflow(), json!({"ref": "deploy.other", "definition": broken}));
    for (method, path, body) in [
        (Method::POST, "/api/v1/workflows", new),
        (Method::PUT, "/api/v1/workflows/deploy.rollout", json!({"definition": broken})),
    ] {
        let answer = server.answer(server.request(method, path, Some(&body))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", answer.body);
        assert!(answer.body.to_string().contains(told), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_editor_saves_a_workflow_by_pack_and_name() {
    let server = furnished().await;
    let file = json!({
        "name": "undo", "pack_ref": "deploy", "label": "Undo", "version": "1", "definition": graph(),
    });
    let path = "/api/v1/packs/deploy/workflow-files";
    let saved = server.make(path, file.clone()).await;
    assert_eq!(saved["ref"], "deploy.undo");
    let elsewhere = server.post(path, with(file.clone(), json!({"pack_ref": "core"}))).await;
    assert_eq!(elsewhere.status, StatusCode::UNPROCESSABLE_ENTITY);

    let path = "/api/v1/workflows/deploy.undo/file";
    let saved = server.put(path, with(file.clone(), json!({"version": "2"}))).await;
    assert_eq!((saved.status, &saved.body["data"]["version"]), (StatusCode::OK, &json!("2")));
    let renamed = server.put(path, with(file, json!({"name": "redo"}))).await;
    assert_eq!(renamed.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn lists_are_narrowed() {
    let server = furnished().await;
    let other = json!({"ref": "deploy.undo", "label": "Undo it", "tags": ["live", "rare"]});
    server.make("/api/v1/workflows", with(workflow(), other)).await;
    let rows = [
        ("all", "/api/v1/workflows", vec!["deploy.rollout", "deploy.undo"]),
        ("of a pack", "/api/v1/packs/deploy/workflows", vec!["deploy.rollout", "deploy.undo"]),
        ("of another pack", "/api/v1/workflows?pack_ref=core", vec![]),
        ("with a tag", "/api/v1/workflows?tags=rare", vec!["deploy.undo"]),
        (
            "with one of two tags",
            "/api/v1/workflows?tags=live,none",
            vec!["deploy.rollout", "deploy.undo"],
        ),
        ("with a word", "/api/v1/workflows?search=UNDO%20it", vec!["deploy.undo"]),
        ("one on a page", "/api/v1/workflows?page_size=1", vec!["deploy.rollout"]),
    ];
    for (what, path, wanted) in rows {
        let body = server.get(path).await.body;
        let found = body["data"].as_array().unwrap_or_else(|| panic!("{what}: {body}"));
        let found: Vec<_> = found.iter().map(|it| it["ref"].as_str().unwrap()).collect();
        assert_eq!(found, wanted, "{what}");
    }
    let missing = server.get("/api/v1/packs/none/workflows").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_workflow_is_executed_by_its_own_ref() {
    let server = furnished().await;
    let path = "/api/v1/workflows/deploy.rollout/execute";
    let asked = server.make(path, json!({"parameters": {"host": "db1"}})).await;
    assert_eq!(asked["action_ref"], "deploy.rollout");
    let wrong = server.post(path, json!({"parameters": {}})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    let plain = server.post("/api/v1/workflows/test.echo/execute", json!({})).await;
    assert_eq!(plain.status, StatusCode::NOT_FOUND, "an action is no workflow");
}

#[tokio::test]
async fn a_workflow_is_looked_through() {
    let server = furnished().await;
    let tasks = json!([
        {"name": "a", "action": "test.echo", "input": {"message": "{{ task.z }}"}},
        {"name": "b", "action": "none.such"},
    ]);
    server.put("/api/v1/workflows/deploy.rollout", json!({"definition": {"tasks": tasks}})).await;
    let told = server.post("/api/v1/workflows/deploy.rollout/validate", json!({})).await;
    let told = &told.body["data"];
    assert_eq!(told["valid"], false);
    assert_eq!(told["errors"][0]["message"], "there is no action 'none.such'");
    assert_eq!(told["warnings"][0]["field"], "tasks[0].input.message");
}

fn write(root: &Path, file: &str, text: &str) {
    let file = root.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[tokio::test]
async fn the_workflows_of_a_packs_files_are_read_again() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "pack.yaml", "ref: files\nversion: \"1.0.0\"\n");
    write(
        folder.path(),
        "workflows/one.yaml",
        "version: \"1\"\ntasks: [{name: a, action: test.echo}]\n",
    );
    let body = json!({"path": folder.path()});
    server.make("/api/v1/packs/register", body).await;
    write(
        folder.path(),
        "workflows/two.yaml",
        "version: \"1\"\ntasks: [{name: a, action: no.such}]\n",
    );
    write(folder.path(), "workflows/wrong.yaml", "version: \"1\"\ntasks: {}\n");

    let told = server.post("/api/v1/packs/files/workflows/validate", json!({})).await.body;
    let told = &told["data"];
    assert_eq!((&told["validated_count"], &told["error_count"]), (&json!(3), &json!(2)), "{told}");
    assert_eq!(told["errors"]["files.two"], json!(["there is no action 'no.such'"]));
    assert_eq!(
        told["errors"]["files.wrong"],
        json!(["workflows/wrong.yaml:2:8: tasks: expected at least one task"])
    );

    let told = server.post("/api/v1/packs/files/workflows/sync", json!({})).await.body;
    let told = &told["data"];
    assert_eq!(
        (&told["loaded_count"], &told["registered_count"]),
        (&json!(2), &json!(2)),
        "{told}"
    );
    assert_eq!(told["errors"].as_array().map(Vec::len), Some(1));
    let created: Vec<_> = told["workflows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["ref_name"].as_str().unwrap(), it["created"].as_bool().unwrap()))
        .collect();
    assert_eq!(created, [("files.one", false), ("files.two", true)]);
    assert_eq!(server.get("/api/v1/workflows/files.two").await.status, StatusCode::OK);
}

#[tokio::test]
async fn schemas_of_pack_files_are_public() {
    let server = Server::start().await;
    for (file, status) in [
        ("workflow.json", StatusCode::OK),
        ("pack.json", StatusCode::OK),
        ("workflow", StatusCode::NOT_FOUND),
        ("cake.json", StatusCode::NOT_FOUND),
    ] {
        let mut request = server.request(Method::GET, &format!("/schemas/{file}"), None);
        request.headers_mut().remove("authorization");
        let answer = server.answer(request).await;
        assert_eq!(answer.status, status, "{file}");
        if status == StatusCode::OK {
            assert_eq!(answer.body["type"], "object", "{file}");
        }
    }
}
