//! Workflows over HTTP: looked at, drawn, paused, resumed, cancelled and done again.

use attune_tests::server::{Client, Deployment, until, upload, write_files};
use serde_json::{Value, json};

/// A pack with a workflow that asks somebody between two tasks.
const FLOWS: &[(&str, &str)] = &[
    ("pack.yaml", "ref: flows\nlabel: Flows\nversion: '1.0.0'\n"),
    (
        "workflows/release.yaml",
        "ref: flows.release
label: Release
version: '1.0'
parameters:
  name: {type: string, required: true}
  patience: {type: integer, default: 600}
cancellation_policy: cancel_running
vars: [{greeting: Hello}]
tasks:
  - name: greet
    action: core.echo
    input: {message: '{{ vars.greeting }} {{ parameters.name }}'}
    next: [{when: '{{ succeeded() }}', do: [ask]}]
  - name: ask
    action: core.ask
    input: {prompt: 'Go on?', timeout_seconds: '{{ parameters.patience }}'}
    next: [{when: '{{ succeeded() }}', do: [each]}]
  - name: each
    with_items: [1, 2, 3]
    action: core.echo
    input: {message: '{{ item }}'}
output_map:
  said: '{{ task.greet.stdout }}'
",
    ),
];

/// A deployment's client, with the pack.
async fn furnished<D: Deployment>(deployment: &D) -> Client {
    let client = deployment.client().await;
    let folder = deployment.folder().join("flows");
    write_files(&folder, FLOWS);
    let said = upload(&client, &folder, false).await;
    assert_eq!(said.status, 201, "{}", said.text);
    client
}

fn path(id: i64, what: &str) -> String {
    format!("/api/v1/workflow-executions/{id}{what}")
}

async fn task(client: &Client, id: i64, name: &str) -> Value {
    let tasks = client.get(&path(id, "/tasks")).await.data();
    let tasks = tasks.as_array().expect("tasks are a list");
    tasks.iter().find(|task| task["name"] == name).expect("it has that task").clone()
}

/// Waits until the workflow asks; answers the number of the inquiry and that of the execution that asks.
async fn asks(client: &Client, id: i64) -> (i64, i64) {
    until(&format!("workflow {id} asks"), async || {
        let asking = task(client, id, "ask").await["executions"][0].as_i64()?;
        let inquiries = client.get(&format!("/api/v1/executions/{asking}/inquiries")).await.data();
        Some((inquiries[0]["id"].as_i64()?, asking))
    })
    .await
}

async fn approve(client: &Client, inquiry: i64) {
    let answer = json!({"response": {"approved": true}});
    let said = client.post(&format!("/api/v1/inquiries/{inquiry}/respond"), answer).await;
    assert_eq!(said.status, 200, "{}", said.text);
}

async fn a_workflow_is_paused_while_somebody_answers_and_resumed<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = furnished(&deployment).await;
    let id = client.execute("flows.release", json!({"name": "Ada"})).await;
    let (inquiry, asking) = asks(&client, id).await;
    let paused = client.poke(&path(id, "/pause")).await;
    assert_eq!(paused.data()["run"]["status"], "paused", "{}", paused.text);
    approve(&client, inquiry).await;
    client.reaches(asking, "completed").await;
    assert_eq!(task(&client, id, "each").await["status"], "pending", "nothing begins");
    assert_eq!(client.execution(id).await["status"], "running");

    let resumed = client.poke(&path(id, "/resume")).await;
    assert_eq!(resumed.data()["run"]["status"], "running", "{}", resumed.text);
    let over = client.reaches(id, "completed").await;
    assert_eq!(over["result"]["said"].as_str().map(str::trim), Some("Hello Ada"), "{over}");
    let each = task(&client, id, "each").await;
    assert_eq!(
        each["items"],
        json!({"total": 3, "succeeded": 3, "failed": 0, "cancelled": 0, "running": 0})
    );
    assert_eq!(each["executions"].as_array().map(Vec::len), Some(3), "{each}");
    let again = client.poke(&path(id, "/resume")).await;
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("CONFLICT")), "{}", again.text);
    deployment.stop().await;
}

async fn a_workflow_is_drawn_as_it_stands<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = furnished(&deployment).await;
    let id = client.execute("flows.release", json!({"name": "Ada"})).await;
    asks(&client, id).await;
    let graph = client.get(&path(id, "/graph")).await.data();
    let standing = |name: &str| {
        let nodes = graph["nodes"].as_array().expect("nodes are a list");
        nodes.iter().find(|node| node["name"] == name).expect("it is drawn")["status"].clone()
    };
    assert_eq!((standing("greet"), standing("ask")), (json!("succeeded"), json!("running")));
    let taken: Vec<_> = graph["edges"].as_array().expect("edges are a list").iter().collect();
    assert_eq!((&taken[0]["taken"], &taken[1]["taken"]), (&json!(true), &json!(false)), "{graph}");
    for (format, says) in
        [("svg", "<svg "), ("dot", "digraph"), ("mermaid", "flowchart"), ("text", "✓ greet")]
    {
        let drawn = client.get(&path(id, &format!("/graph?format={format}"))).await;
        assert_eq!(drawn.status, 200, "{format}: {}", drawn.text);
        assert!(drawn.text.contains(says), "{format}: {}", drawn.text);
    }
    let context = client.get(&path(id, "/context")).await.data();
    assert_eq!(context["vars"], json!({"greeting": "Hello"}), "{context}");
    assert!(context["results"]["greet"]["execution"].is_i64(), "{context}");

    let listed = client.get("/api/v1/workflow-executions?workflow_ref=flows.release").await.data();
    assert_eq!((&listed[0]["id"], listed.as_array().map(Vec::len)), (&json!(id), Some(1)));
    let cancelled = client.poke(&path(id, "/cancel")).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    client.reaches(id, "cancelled").await;
    assert_eq!(task(&client, id, "ask").await["status"], "cancelled");
    let again = client.poke(&path(id, "/cancel")).await;
    assert_eq!(again.status, 409, "{}", again.text);
    deployment.stop().await;
}

async fn what_failed_is_done_again_with_other_parameters<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = furnished(&deployment).await;
    let id = client.execute("flows.release", json!({"name": "Ada", "patience": 1})).await;
    client.reaches(id, "failed").await;
    assert_eq!(task(&client, id, "ask").await["status"], "timed_out");
    let unknown = client.post(&path(id, "/retry"), json!({"from_task": "aks"})).await;
    assert_eq!(unknown.status, 422, "{}", unknown.text);

    let parameters = json!({"name": "Eve", "patience": 600});
    let made = client.post(&path(id, "/retry"), json!({"parameters": parameters})).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let again = made.data()["id"].as_i64().expect("an id is a number");
    assert_eq!(made.data()["original_execution"], id, "{}", made.text);
    let early = client.poke(&path(again, "/retry")).await;
    assert_eq!(early.status, 409, "it is not over: {}", early.text);
    approve(&client, asks(&client, again).await.0).await;
    let over = client.reaches(again, "completed").await;
    let said = over["result"]["said"].as_str().map(str::trim);
    assert_eq!(said, Some("Hello Ada"), "what went well was not done again: {over}");
    let children = client.get(&format!("/api/v1/executions/{again}/children")).await.data();
    assert_eq!(children.as_array().map(Vec::len), Some(4), "one question and three items");
    deployment.stop().await;
}

attune_tests::over_http_on_both! {
    a_workflow_is_paused_while_somebody_answers_and_resumed,
    a_workflow_is_drawn_as_it_stands,
    what_failed_is_done_again_with_other_parameters,
}
