//! The keystore: keys reach what runs, at the last moment, and no record.

use attune_catalogue::keys::{self, KeyChange};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::status::ExecutionStatus;
use attune_domain::workflow::run::Source;
use attune_journey::workflow::control;
use attune_tests::contract::Fixture;
use attune_tests::harness::Harness;
use serde_json::{Value, json};

const PASSWORD: &str = "keyed-Parol-77ab";
const TOKEN: &str = "keyed-Token-c0de";

/// A server with an action, and keys of the system, the pack and both.
async fn furnished<F: Fixture>() -> Harness<F> {
    let harness = Harness::<F>::start(Default::default()).await;
    harness.action("login", "pure.sh").await;
    harness.key("", "region", json!("eu-somewhere")).await;
    harness.key("", "password", json!("of-everybody")).await;
    harness.key("test", "password", json!(PASSWORD)).await;
    harness
}

/// All that is kept of a run.
async fn kept(harness: &Harness<impl Fixture>, ended: &Execution) -> String {
    let run = control::find(harness.ports(), ended.id).await.expect("runs can be read");
    let mut kept = vec![json!(ended), json!(run)];
    let of_tasks =
        run.iter().flat_map(|run| run.tasks.values()).filter_map(|task| match task.result {
            Source::Execution(id) => Some(id),
            _ => None,
        });
    for id in harness.runner.started().into_iter().chain(of_tasks) {
        kept.push(json!(harness.execution(id).await));
    }
    Value::from(kept).to_string()
}

/// Looks that nothing that is kept of a run shows a key's value.
async fn nothing_shows(harness: &Harness<impl Fixture>, ended: &Execution) {
    let text = kept(harness, ended).await;
    assert!(!text.contains(PASSWORD) && !text.contains(TOKEN), "{text}");
}

async fn run<F: Fixture>(harness: &mut Harness<F>, graph: Value, children: usize) -> Execution {
    let flow = harness.workflow("flow", graph).await;
    harness.key(flow.as_str(), "token", json!({"value": TOKEN})).await;
    let id = harness.request(&flow, "flow", &json!({"sly": "{{ keystore.password }}"})).await;
    harness.expect(children);
    harness.ended(id).await
}

/// What an author names arrives where the action runs: the workflow's own key, its pack's over the system's, within
/// a text, in items and in branches. A text of the same form that comes from outside stays a text.
async fn workflows_name_keys_in_inputs<F: Fixture>() {
    let mut harness = furnished::<F>().await;
    let graph = json!({"version": "1.0", "tasks": [
        {"name": "one", "action": "test.login", "input": {
            "auth": {"bearer": "Bearer {{ kv.token.value }}"}, "as": "{{ keystore.password }}",
            "at": "{{ keystore.region }}/{{ parameters.sly }}", "text": "{{ parameters.sly }}",
            "else": "{{ keystore.nothing | default('none') }}",
        }, "on_success": "many"},
        {"name": "many", "action": "test.login", "with_items": "{{ ['a', 'b'] }}",
         "input": {"as": "{{ item }}:{{ keystore.password | upper }}"}, "on_success": "both"},
        {"name": "both", "type": "parallel", "tasks": [
            {"name": "left", "action": "test.login", "input": {"as": "{{ keystore.password }}"}},
            {"name": "right", "action": "test.login", "input": {"as": "{{ keystore.token }}"}},
        ]},
    ]});
    let ended = run(&mut harness, graph, 5).await;
    assert_eq!(ended.status, ExecutionStatus::Completed, "{:?}", ended.result);
    let mut starts = harness.runner.starts();
    starts.sort_by_key(|start| start.execution);
    let sly = "{{ keystore.password }}";
    let given = json!({
        "auth": {"bearer": format!("Bearer {TOKEN}")}, "as": PASSWORD, "at": format!("eu-somewhere/{sly}"),
        "text": sly, "else": "none",
    });
    for (name, value) in given.as_object().unwrap() {
        assert_eq!(&starts[0].parameters[name], value, "{name}");
    }
    let mut others: Vec<_> =
        starts[1..].iter().map(|start| start.parameters["as"].to_string()).collect();
    others.sort();
    let loud = PASSWORD.to_uppercase();
    let mut wanted = vec![
        json!(format!("a:{loud}")).to_string(),
        json!(format!("b:{loud}")).to_string(),
        json!(PASSWORD).to_string(),
        json!({"value": TOKEN}).to_string(),
    ];
    wanted.sort();
    assert_eq!(others, wanted);
    let child = harness.execution(starts[0].execution).await;
    let config = child.config.as_ref().and_then(|config| config.inline().cloned()).unwrap();
    assert_eq!(config["as"], "{{ keystore.password }}", "the record has what the author wrote");
    nothing_shows(&harness, &ended).await;
    harness.finish().await;
}

/// Every action is given the keys that it sees, the narrowest over its parameters.
async fn actions_are_given_their_keys<F: Fixture>() {
    let mut harness = furnished::<F>().await;
    harness.key("test.login", "token", json!(TOKEN)).await;
    let login = harness.action("other", "pure.sh").await;
    let action = attune_domain::reference::ComponentRef::parse("test.login").unwrap();
    let parameters = json!({"password": "given", "text": "plain"});
    let id = harness.request(&action, "own", &parameters).await;
    let ended = harness.ended(id).await;
    assert_eq!(ended.status, ExecutionStatus::Completed);
    let other = harness.request(&login, "other", &parameters).await;
    harness.ended(other).await;
    let starts = harness.runner.starts();
    let of = |id: ExecutionId| {
        let start = starts.iter().find(|start| start.execution == id).unwrap();
        Value::Object(start.parameters.clone())
    };
    let all =
        json!({"password": PASSWORD, "text": "plain", "region": "eu-somewhere", "token": TOKEN});
    assert_eq!(of(id), all);
    let but_its_own = json!({"password": PASSWORD, "text": "plain", "region": "eu-somewhere"});
    assert_eq!(of(other), but_its_own);

    // A changed key is seen from the next start on.
    let change = KeyChange { value: Some(json!("changed-Parol")), ..KeyChange::default() };
    keys::update(harness.ports(), "of.pack.test.password", &change).await.unwrap();
    keys::delete(harness.ports(), "of.action.test.login.token").await.unwrap();
    harness.ports().records.settle().await.unwrap();
    let again = harness.request(&action, "again", &parameters).await;
    harness.ended(again).await;
    let starts = harness.runner.starts();
    let last = starts.iter().find(|start| start.execution == again).unwrap();
    let wanted = json!({"password": "changed-Parol", "text": "plain", "region": "eu-somewhere"});
    assert_eq!(Value::Object(last.parameters.clone()), wanted);
    nothing_shows(&harness, &ended).await;
    harness.finish().await;
}

/// Where a key would be kept, or is not there, the workflow fails and says where; and never what.
async fn keys_go_nowhere_else<F: Fixture>() {
    let call = |input: Value| json!({"name": "a", "action": "test.login", "input": input});
    let mut publishes = call(json!({}));
    publishes["next"] = json!([{"publish": [{"kept": "{{ keystore.password }}"}]}]);
    let mut items = call(json!({}));
    items["with_items"] = "{{ [keystore.password] }}".into();
    let mut nested = call(json!({"deep": {"er": "{{ keystore.password }}"}}));
    nested["action"] = "test.inner".into();
    let mut asks = call(json!({"prompt": "Is {{ keystore.password }} right?"}));
    asks["action"] = "test.ask".into();
    for (why, task, children, told) in [
        ("a published variable", publishes, 1, "keystore"),
        ("an item", items, 0, "keystore"),
        ("another workflow's input", nested, 0, "input/deep/er: the keystore is for what runs"),
        ("a question's text", asks, 0, "input/prompt: the keystore is for what runs"),
        (
            "a key that is not there",
            call(json!({"x": "{{ keystore.nothing }}"})),
            1,
            "keystore.nothing",
        ),
        (
            "a value that is no number",
            call(json!({"x": "{{ keystore.password | int + 1 }}"})),
            1,
            "in `x`: invalid operation",
        ),
    ] {
        let mut harness = furnished::<F>().await;
        harness.question("ask").await;
        let inner = json!({"version": "1.0", "tasks": [{"name": "a", "action": "test.login"}]});
        harness.workflow("inner", inner).await;
        let ended = run(&mut harness, json!({"version": "1.0", "tasks": [task]}), children).await;
        assert_eq!(ended.status, ExecutionStatus::Failed, "{why}: {:?}", ended.result);
        let error = kept(&harness, &ended).await;
        assert!(error.contains(told), "{why}: {error}");
        nothing_shows(&harness, &ended).await;
        harness.finish().await;
    }
}

attune_tests::on_both! {
    workflows_name_keys_in_inputs,
    actions_are_given_their_keys,
    keys_go_nowhere_else,
}
