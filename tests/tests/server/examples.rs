//! The pack of examples, run with real processes: what the guide shows.

use attune_tests::server::{Client, Deployment, PATIENCE, is_over, until, until_within, upload};
use futures::future::join_all;
use serde_json::{Value, json};
use std::path::Path;

/// What a workflow comes to: its name, parameters, status, and members of its result.
fn runs() -> [(&'static str, Value, &'static str, Value); 16] {
    [
        (
            "sequential",
            json!({"version": "1.4.0"}),
            "completed",
            json!({"package": "shop-1.4.0.tar", "message": "shop-1.4.0.tar runs on web1"}),
        ),
        ("sequential", json!({"version": "1", "server": "offline"}), "failed", json!({})),
        ("parallel", json!({}), "completed", json!({"healthy": true, "checks": 3})),
        ("fork_join", json!({}), "completed", json!({})),
        ("decision", json!({"service": "shop"}), "completed", json!({"told": "nobody"})),
        (
            "decision",
            json!({"service": "shop", "severity": "critical"}),
            "completed",
            json!({"told": "duty"}),
        ),
        ("with_items", json!({}), "completed", json!({"missing": [2], "count": 4})),
        ("with_items", json!({"servers": []}), "completed", json!({"missing": [], "count": 0})),
        ("batches", json!({"count": 250}), "completed", json!({"batches": 3})),
        ("retry", json!({"failing": 0}), "completed", json!({"source": "origin"})),
        ("loop", json!({"failing": 0}), "completed", json!({"looks": 1})),
        ("nested", json!({}), "completed", json!({"package": "shop-1.4.0.tar"})),
        ("orquesta", json!({}), "completed", json!({"count": 2, "missing": []})),
        ("deployment", json!({"version": "1.4.0"}), "completed", json!({"outcome": "deployed"})),
        (
            "deployment",
            json!({"version": "broken", "servers": ["web1"], "token": "t0k3n"}),
            "completed",
            json!({"outcome": "rolled back"}),
        ),
        (
            "deployment",
            json!({"version": "broken", "servers": ["web1-offline"]}),
            "failed",
            json!({}),
        ),
    ]
}

async fn installed<D: Deployment>(deployment: &D) -> Client {
    let client = deployment.client().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packs/examples");
    let said = upload(&client, &folder, false).await;
    assert_eq!(said.status, 201, "{}", said.text);
    client
}

async fn over(client: &Client, id: i64, name: &str) -> Value {
    until_within(PATIENCE * 4, &format!("{name} ({id}) is over"), async || {
        let execution = client.execution(id).await;
        is_over(&execution).then_some(execution)
    })
    .await
}

async fn the_examples_run_as_the_guide_says<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = installed(&deployment).await;
    join_all(runs().map(async |(name, parameters, status, expected)| {
        let id = client.execute(&format!("examples.{name}"), parameters.clone()).await;
        let execution = over(&client, id, name).await;
        assert_eq!(execution["status"], status, "{name} {parameters}: {execution}");
        for (member, value) in expected.as_object().into_iter().flatten() {
            assert_eq!(&execution["result"][member], value, "{name} {parameters}: {execution}");
        }
        assert!(!execution.to_string().contains("t0k3n"), "{name}: a secret is told");
    }))
    .await;
    deployment.stop().await;
}

async fn an_example_waits_for_a_person<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = installed(&deployment).await;
    let id = client.execute("examples.approval", json!({})).await;
    let inquiry = until("somebody is asked", async || {
        client.rows("/api/v1/inquiries").await.first()?["id"].as_i64()
    })
    .await;
    let answer = json!({"response": {"approved": false, "reason": "not on a Friday"}});
    let said = client.post(&format!("/api/v1/inquiries/{inquiry}/respond"), answer).await;
    assert_eq!(said.status, 200, "{}", said.text);
    let execution = over(&client, id, "approval").await;
    assert_eq!(execution["result"]["decision"], "not on a Friday", "{execution}");
    deployment.stop().await;
}

attune_tests::over_http_on_both! {
    the_examples_run_as_the_guide_says,
    an_example_waits_for_a_person,
}
