//! From an event or a request to a process, its logs and its result.

use attune_tests::server::{Client, Deployment, shell_action, until, webhook};
use serde_json::{Value, json};
use std::fs;

pub(super) async fn pack(client: &Client, reference: &str) {
    let body = json!({"ref": reference, "label": reference, "version": "1.0.0"});
    let said = client.post("/api/v1/packs", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

async fn a_webhook_runs_an_action_whose_logs_can_be_read_meanwhile<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    pack(&client, "hook").await;
    let hook = webhook(&client, "hook.pushed").await;
    let gate = deployment.folder().join("gate");
    let code = format!(
        "echo \"$who pushed $count\"\necho careful >&2\nwhile [ ! -e '{}' ]; do sleep 0.02; done\necho bye",
        gate.display()
    );
    let schema = json!({"who": {"type": "string"}, "count": {"type": "integer"}});
    shell_action(&client, "hook.greet", &code, schema).await;
    let rule = json!({
        "ref": "hook.on_push", "pack_ref": "hook", "label": "On push",
        "trigger_ref": "hook.pushed", "action_ref": "hook.greet",
        "conditions": {"all": [
            {"field": "kind", "operator": "equals", "value": "push"},
            {"any": [
                {"field": "commits", "operator": "greater_than", "value": 1},
                {"field": "payload.forced", "operator": "equals", "value": true},
            ]},
        ]},
        "action_params": {"who": "{{ event.payload.by.name }}", "count": "{{ event.payload.commits }}"},
    });
    let said = client.post("/api/v1/rules", rule).await;
    assert_eq!(said.status, 201, "{}", said.text);

    // Whoever knows the key need not log in.
    let stranger = Client::stranger(deployment.url());
    let mut events = Vec::new();
    for payload in [
        json!({"kind": "pull", "commits": 3, "by": {"name": "bob"}}),
        json!({"kind": "push", "commits": 1, "by": {"name": "bob"}}),
        json!({"kind": "push", "commits": 3, "by": {"name": "ada"}}),
    ] {
        let said = stranger.post(&hook, json!({"payload": payload})).await;
        assert_eq!(said.status, 200, "{}", said.text);
        events.push(said.data()["event_id"].as_i64().expect("an id"));
    }

    let id = until("the rule's execution", async || {
        let rows = client.rows("/api/v1/executions").await;
        rows.first().and_then(|row| row["id"].as_i64())
    })
    .await;
    let log = |stream: &str| format!("/api/v1/executions/{id}/logs/{stream}");
    let (out, err) = (log("stdout"), log("stderr"));
    until("its first words", async || {
        let (out, err) = (client.get(&out).await, client.get(&err).await);
        (out.text == "ada pushed 3\n" && err.text == "careful\n").then_some(())
    })
    .await;
    let running = client.reaches(id, "running").await;
    assert_eq!(running["config"], json!({"who": "ada", "count": 3}));
    assert_eq!(running["result"], Value::Null);
    fs::write(&gate, "").expect("a file can be written");
    let execution = client.reaches(id, "completed").await;
    assert_eq!(execution["result"]["stdout"], "ada pushed 3\nbye\n");
    assert_eq!(execution["result"]["exit_code"], 0);
    assert_eq!(execution["result"]["succeeded"], true);
    let logs = client.get(&format!("/api/v1/executions/{id}/logs")).await.data();
    assert_eq!(logs["stdout"]["content"], "ada pushed 3\nbye\n", "{logs}");
    assert_eq!(logs["stderr"]["content"], "careful\n", "{logs}");
    assert_eq!(
        (&logs["stdout"]["complete"], &logs["stderr"]["complete"]),
        (&json!(true), &json!(true))
    );

    let enforcements = client.rows("/api/v1/enforcements").await;
    assert_eq!(enforcements.len(), 1, "only one event fitted: {enforcements:?}");
    assert_eq!(enforcements[0]["event"], events[2]);
    assert_eq!(execution["enforcement"], enforcements[0]["id"]);
    assert_eq!(client.rows("/api/v1/events").await.len(), events.len(), "every event is kept");
    deployment.stop().await;
}

attune_tests::over_http_on_both! {
    a_webhook_runs_an_action_whose_logs_can_be_read_meanwhile,
}
