//! Secrets in workflows: they reach secret parameters of tasks, and no record.

use attune_catalogue::actions::{self, ActionChange};
use attune_catalogue::packs::{self, PackChange};
use attune_catalogue::workflows::{self, WorkflowChange};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::status::ExecutionStatus;
use attune_journey::workflow::control;
use attune_tests::contract::Fixture;
use attune_tests::harness::Harness;
use serde_json::{Value, json};

const GIVEN: &str = "given-Parol-55e0";
const OF_PACK: &str = "pack-Parol-91bd";

/// A server with an action and a workflow that each have a secret parameter, in a pack with a secret.
async fn furnished<F: Fixture>(tasks: Value, more: Value) -> (Harness<F>, ExecutionId) {
    let mut harness = Harness::<F>::start(Default::default()).await;
    let action = harness.action("login", "pure.sh").await;
    let change = ActionChange {
        param_schema: Some(json!({
            "token": {"type": "string", "secret": true},
            "password": {"type": "string", "secret": true},
            "text": {"type": "string"},
        })),
        out_schema: Some(json!({"type": "object", "secret": true})),
        ..ActionChange::default()
    };
    let ports = harness.ports();
    actions::update(ports, action.as_str(), &change).await.expect("the schema is right");
    let change = PackChange {
        conf_schema: Some(json!({"key": {"type": "string", "secret": true}})),
        config: Some(json!({"key": OF_PACK, "host": "db1"})),
        ..PackChange::default()
    };
    packs::update(ports, "test", &change).await.expect("the configuration is right");
    let mut graph = json!({"version": "1.0", "tasks": tasks});
    for (key, value) in more.as_object().into_iter().flatten() {
        graph[key] = value.clone();
    }
    let flow = harness.workflow("flow", graph).await;
    let change = WorkflowChange {
        param_schema: Some(json!({"token": {"type": "string", "secret": true}})),
        ..WorkflowChange::default()
    };
    let ports = harness.ports();
    workflows::update(ports, flow.as_str(), &change).await.expect("the schema is right");
    ports.records.settle().await.expect("it settles");
    let id = harness.request(&flow, "flow", &json!({"token": GIVEN})).await;
    (harness, id)
}

/// Looks that nothing that is kept of a run shows a secret.
async fn nothing_shows(harness: &Harness<impl Fixture>, ended: &Execution) {
    let mut kept = vec![json!(ended)];
    for id in harness.runner.started() {
        kept.push(json!(harness.execution(id).await));
    }
    let run = control::find(harness.ports(), ended.id).await.expect("runs can be read");
    kept.push(json!(run.expect("there is one")));
    for record in kept {
        let text = record.to_string();
        assert!(!text.contains(GIVEN) && !text.contains(OF_PACK), "{text}");
    }
}

/// What was given and what the pack keeps arrive, also inside a longer text; what is told of them is struck out.
async fn secrets_reach_secret_parameters<F: Fixture>() {
    let tasks = json!([{"name": "a", "action": "test.login", "input": {
        "token": "{{ parameters.token }}", "password": "Bearer {{ config.key }}", "text": "{{ config.host }}",
    }}]);
    let output = json!({"output_map": {"said": "it was {{ parameters.token }}"}});
    let (mut harness, id) = furnished::<F>(tasks, output).await;
    harness.expect(1);
    let ended = harness.ended(id).await;
    assert_eq!(ended.status, ExecutionStatus::Completed, "{:?}", ended.result);
    let start = harness.runner.starts().remove(0);
    let wanted = json!({"token": GIVEN, "password": format!("Bearer {OF_PACK}"), "text": "db1"});
    assert_eq!(Value::Object(start.parameters), wanted);
    let result = ended.result.as_ref().and_then(|result| result.inline().cloned());
    assert_eq!(result, Some(json!({"said": "it was [REDACTED]", "succeeded": true})));
    nothing_shows(&harness, &ended).await;
    harness.finish().await;
}

/// Everywhere else they would be kept, so the workflow fails, and says where it was to go and not what.
async fn secrets_go_nowhere_else<F: Fixture>() {
    let call = |input: Value| json!({"name": "a", "action": "test.login", "input": input});
    let mut publishes = call(json!({}));
    publishes["next"] = json!([{"publish": [{"kept": "{{ parameters.token }}"}]}]);
    let mut items = call(json!({"token": "{{ item }}"}));
    items["with_items"] = "{{ [parameters.token] }}".into();
    for (why, task, more, executions) in [
        ("a parameter that shows", call(json!({"text": "{{ parameters.token }}"})), json!({}), 0),
        ("a part of one", call(json!({"text": "to {{ config.key }}!"})), json!({}), 0),
        ("a published variable", publishes, json!({}), 1),
        ("an item", items, json!({}), 0),
        ("a variable", call(json!({})), json!({"vars": {"kept": "{{ parameters.token }}"}}), 0),
    ] {
        let (mut harness, id) = furnished::<F>(json!([task]), more).await;
        harness.expect(executions);
        let ended = harness.ended(id).await;
        assert_eq!(ended.status, ExecutionStatus::Failed, "{why}: {:?}", ended.result);
        nothing_shows(&harness, &ended).await;
        harness.finish().await;
    }
}

attune_tests::on_both! {
    secrets_reach_secret_parameters,
    secrets_go_nowhere_else,
}
