//! `kill -9` while workflows run: every run ends, and as its tasks did; no task's action runs twice.

use super::actions::pack;
use super::traffic::{Request, Traffic};
use attune_tests::server::{
    Client, Site, is_over, lasting_port, leftovers, shell_action, until_within,
};
use rand::RngExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// How often the server is killed; more by hand: `ATTUNE_TEST_KILLS=50`.
const VARIABLE: &str = "ATTUNE_TEST_KILLS";
const KILLS: usize = 5;
/// How long after it answers a server is killed, in milliseconds.
const LIFE: std::ops::RangeInclusive<u64> = 50..=1_200;
/// How long all that was accepted may take at the end.
const PATIENCE: Duration = Duration::from_secs(90);
/// Executions that a run leads to where nothing fails.
const CHILDREN: usize = 9;

/// A fork of a marked action and three marked items, a join, and three rounds of a loop.
fn graph() -> Value {
    json!({
        "version": "1.0",
        "vars": {"round": 0},
        "tasks": [
            {"name": "start", "action": "core.noop", "input": {}, "next": [{"do": ["one", "each"]}]},
            {"name": "one", "action": "flow.mark", "input": {}, "on_success": "meet"},
            {"name": "each", "action": "flow.mark", "input": {"n": "{{ item }}"},
             "with_items": "{{ range(3) }}", "concurrency": 2, "on_success": "meet"},
            {"name": "meet", "action": "core.noop", "input": {}, "join": "all", "on_success": "round"},
            {"name": "round", "action": "core.noop", "input": {}, "next": [
                {"publish": [{"round": "{{ round + 1 }}"}]},
                {"when": "{{ round < 3 }}", "do": ["round"]},
            ]},
        ],
        "output_map": {"rounds": "{{ round }}"},
    })
}

async fn define(client: &Client, marks: &Path) {
    pack(client, "flow").await;
    // Each mark is one write to the end of the file: marks do not mix.
    let code = format!("printf '%s\\n' \"$ATTUNE_EXEC_ID\" >> '{}'\nsleep 0.05", marks.display());
    shell_action(client, "flow.mark", &code, json!({"n": {"type": "integer"}})).await;
    let body = json!({
        "ref": "flow.graph", "pack_ref": "flow", "label": "Graph", "version": "1.0.0",
        "param_schema": {}, "definition": graph(),
    });
    let said = client.post("/api/v1/workflows", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments() {
    let kills = std::env::var(VARIABLE).map_or(KILLS, |text| text.parse().expect("a number"));
    let site = Site::new();
    let marks = site.path().join("marks");
    let port = lasting_port();
    let launch = || site.launch().port(port).variable("ATTUNE__RUNNER__MAX_PROCESSES", "8").start();
    let mut server = launch().await;
    let client = server.client().await;
    define(&client, &marks).await;
    let mut traffic = Traffic::new();
    let request = Request {
        path: "/api/v1/executions/execute".to_owned(),
        body: json!({"action_ref": "flow.graph"}),
        id: "id",
        every: Duration::from_millis(250),
        insists: false,
    };
    traffic.add("graph", &client, request);
    for _ in 0..kills {
        let life = Duration::from_millis(rand::rng().random_range(LIFE));
        tokio::time::sleep(life).await;
        server.kill().await;
        server = launch().await;
    }
    let accepted: Vec<i64> = traffic.stop().await.into_iter().flat_map(|(_, ids)| ids).collect();
    assert!(!accepted.is_empty(), "nothing was accepted at all");
    until_within(PATIENCE, "all runs are over", async || {
        let executions = client.rows("/api/v1/executions").await;
        let left = leftovers::of(&site.data());
        (executions.iter().all(is_over) && left.is_empty()).then_some(())
    })
    .await;

    let mut runs = BTreeMap::<i64, (Value, Vec<Value>)>::new();
    let executions = client.rows("/api/v1/executions").await;
    for run in executions.iter().filter(|row| row["parent"].is_null()) {
        runs.entry(run["id"].as_i64().expect("an id")).or_default().0 = run.clone();
    }
    for child in executions.iter().filter(|row| !row["parent"].is_null()) {
        runs.entry(child["parent"].as_i64().expect("an id")).or_default().1.push(child.clone());
    }
    for id in &accepted {
        assert!(runs.contains_key(id), "{id} was accepted and is lost");
    }
    for (id, (run, children)) in &runs {
        let good = children.iter().all(|child| child["status"] == "completed");
        let expected = if good { "completed" } else { "failed" };
        assert_eq!(run["status"], expected, "run {id}: {children:?}");
        if good {
            assert_eq!(children.len(), CHILDREN, "run {id}: {children:?}");
            let result = client.execution(*id).await["result"].clone();
            assert_eq!(result, json!({"rounds": 3, "succeeded": true}), "run {id}");
        }
    }
    let mut ran = BTreeMap::<String, usize>::new();
    for line in fs::read_to_string(&marks).unwrap_or_default().lines() {
        *ran.entry(line.to_owned()).or_default() += 1;
    }
    assert!(!ran.is_empty(), "something ran");
    let twice: Vec<_> = ran.iter().filter(|(_, times)| **times > 1).collect();
    assert_eq!(twice, Vec::<(&String, &usize)>::new(), "an action ran twice");
    server.stop().await;
}

/// Paused, killed, started again: nothing goes on by itself, and resumed it goes on where it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_run_stays_paused_through_a_restart() {
    let site = Site::new();
    let port = lasting_port();
    let server = site.launch().port(port).start().await;
    let client = server.client().await;
    pack(&client, "flow").await;
    let body = json!({
        "ref": "flow.asking", "pack_ref": "flow", "label": "Asking", "version": "1.0.0",
        "definition": {"version": "1.0", "tasks": [
            {"name": "ask", "action": "core.ask", "input": {"prompt": "Go on?"}, "on_success": "then"},
            {"name": "then", "action": "core.noop", "input": {}},
        ]},
    });
    let said = client.post("/api/v1/workflows", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
    let id = client.execute("flow.asking", json!({})).await;
    let asked = async || client.rows("/api/v1/inquiries").await.first()?["id"].as_i64();
    let inquiry = until_within(PATIENCE, "somebody is asked", asked).await;
    let told = async |what: &str| {
        client.poke(&format!("/api/v1/workflow-executions/{id}/{what}")).await.status
    };
    assert_eq!(told("pause").await, 200);
    let answer = json!({"response": {"approved": true}});
    let said = client.post(&format!("/api/v1/inquiries/{inquiry}/respond"), answer).await;
    assert_eq!(said.status, 200, "{}", said.text);
    server.kill().await;

    let server = site.launch().port(port).start().await;
    let client = server.client().await;
    until_within(PATIENCE, "the answer has arrived", async || {
        let children = client.get(&format!("/api/v1/executions/{id}/children")).await.data();
        children.as_array()?.iter().all(is_over).then_some(())
    })
    .await;
    let run = client.get(&format!("/api/v1/workflow-executions/{id}")).await.data();
    assert_eq!(run["run"]["status"], "paused", "{run}");
    let children = client.get(&format!("/api/v1/executions/{id}/children")).await.data();
    assert_eq!(children.as_array().map(Vec::len), Some(1), "nothing goes on by itself");
    let resumed = client.poke(&format!("/api/v1/workflow-executions/{id}/resume")).await;
    assert_eq!(resumed.status, 200, "{}", resumed.text);
    client.reaches(id, "completed").await;
    server.stop().await;
}
