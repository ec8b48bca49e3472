//! Workflows that are large in one way or another: what they cost does not grow with their size, and they end.

use attune_domain::execution::Execution;
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus;
use attune_tests::contract::{Fixture, repetitions};
use attune_tests::harness::Harness;
use serde_json::{Value, json};

fn result(execution: &Execution) -> Value {
    execution.result.as_ref().and_then(|result| result.inline().cloned()).unwrap_or_default()
}

/// A workflow, and how many executions of others a run of it leads to.
async fn run<F: Fixture>(graph: Value, children: usize, expected: Value) -> Harness<F> {
    let mut harness = Harness::<F>::start(Default::default()).await;
    harness.action("echo", "pure.sh").await;
    let workflow = harness.workflow("flow", graph).await;
    harness.expect(children);
    let id = harness.request(&workflow, "flow", &json!({})).await;
    let ended = harness.ended(id).await;
    assert_eq!(ended.status, ExecutionStatus::Completed, "{:?}", result(&ended));
    assert_eq!(result(&ended), expected);
    harness
}

/// A loop of many rounds.
async fn a_loop_of_many_rounds_ends<F: Fixture>() {
    let rounds = repetitions::<F>(1_000);
    let graph = json!({
        "version": "1.0",
        "vars": {"n": 0},
        "tasks": [
            {"name": "s", "action": "test.echo", "input": {}, "on_success": "a"},
            {"name": "a", "action": "test.echo", "input": {"n": "{{ n + 1 }}"}, "next": [
                {"publish": [{"n": "{{ result().n }}"}]},
                {"when": format!("{{{{ n < {rounds} }}}}"), "do": ["a"]},
            ]},
        ],
        "output_map": {"n": "{{ n }}"},
    });
    run::<F>(graph, rounds + 1, json!({"n": rounds, "succeeded": true})).await.finish().await;
}

/// Fifty branches that meet again.
async fn fifty_branches_meet<F: Fixture>() {
    let branches: Vec<String> = (0..50).map(|n| format!("b{n}")).collect();
    let mut tasks = vec![json!({
        "name": "s", "action": "test.echo", "input": {}, "next": [{"do": branches}],
    })];
    for name in &branches {
        tasks.push(json!({
            "name": name, "action": "test.echo", "input": {"name": name}, "on_success": "j",
        }));
    }
    tasks.push(json!({
        "name": "j", "join": "all", "action": "test.echo",
        "input": {"first": "{{ task.b0.name }}", "last": "{{ task.b49.name }}"},
    }));
    let output = json!({"first": "{{ task.j.first }}", "last": "{{ task.j.last }}"});
    let graph = json!({"version": "1.0", "tasks": tasks, "output_map": output});
    let expected = json!({"first": "b0", "last": "b49", "succeeded": true});
    run::<F>(graph, 52, expected).await.finish().await;
}

/// Workflows ten deep.
async fn ten_levels_are_nested<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    harness.action("level0", "pure.sh").await;
    for level in 1..=10 {
        let below = format!("test.level{}", level - 1);
        let graph = json!({
            "version": "1.0",
            "tasks": [{"name": "below", "action": below, "input": {"n": "{{ parameters.n + 1 }}"}}],
            "output_map": {"n": "{{ task.below.n }}"},
        });
        harness.workflow(&format!("level{level}"), graph).await;
    }
    harness.expect(10);
    let top = ComponentRef::parse("test.level10").expect("a ref");
    let id = harness.request(&top, "top", &json!({"n": 0})).await;
    assert_eq!(result(&harness.ended(id).await), json!({"n": 10, "succeeded": true}));
    harness.finish().await;
}

/// Many runs at the same time, each with a fork and a join.
async fn many_run_at_once<F: Fixture>() {
    let many = repetitions::<F>(500);
    let mut harness = Harness::<F>::start(Default::default()).await;
    harness.action("echo", "pure.sh").await;
    let graph = json!({
        "version": "1.0",
        "tasks": [
            {"name": "a", "action": "test.echo", "input": {"n": "{{ parameters.n }}"}, "on_success": "j"},
            {"name": "b", "action": "test.echo", "input": {"n": 1}, "on_success": "j"},
            {"name": "j", "join": "all", "action": "test.echo", "input": {"n": "{{ task.a.n + task.b.n }}"}},
        ],
        "output_map": {"n": "{{ task.j.n }}"},
    });
    let workflow = harness.workflow("flow", graph).await;
    harness.expect(many * 3);
    let mut ids = vec![];
    for n in 0..many {
        ids.push(harness.request(&workflow, &format!("{n}"), &json!({"n": n})).await);
    }
    for (n, id) in ids.into_iter().enumerate() {
        assert_eq!(result(&harness.ended(id).await), json!({"n": n + 1, "succeeded": true}));
    }
    harness.finish().await;
}

attune_tests::on_both! {
    a_loop_of_many_rounds_ends,
    fifty_branches_meet,
    ten_levels_are_nested,
    many_run_at_once,
}

/// Commits for each of so many items.
async fn commits_per_item<F: Fixture>(items: usize) -> f64 {
    let graph = json!({
        "version": "1.0",
        "tasks": [{
            "name": "a", "action": "test.echo", "input": {"n": "{{ item }}"},
            "with_items": format!("{{{{ range({items}) }}}}"), "concurrency": 20,
        }],
        "output_map": {"count": "{{ task.a.total_count }}", "last": "{{ task.a.results[-1].n }}"},
    });
    let expected = json!({"count": items, "last": items - 1, "succeeded": true});
    let harness = run::<F>(graph, items, expected).await;
    let commits = harness.recording.calls().get("commit").copied().unwrap_or(0);
    harness.finish().await;
    // A count of at most millions, so nothing is lost.
    commits as f64 / items as f64
}

/// An item costs as many commits among a thousand as among a hundred.
async fn items_cost_the_same_however_many_there_are<F: Fixture>() {
    let few = commits_per_item::<F>(100).await;
    let many = commits_per_item::<F>(1_000).await;
    assert!(many <= few * 1.2, "{few} of 100, {many} of 1,000");
    assert!(many < 6.0, "an execution without a workflow takes about four: {many}");
}

/// The last item of a part of the list cannot be rendered while nothing else runs: the next part is begun all the same.
async fn an_item_that_cannot_be_made_holds_nobody_up<F: Fixture>() {
    let graph = json!({
        "version": "1.0",
        "tasks": [
            {"name": "a", "action": "test.echo", "input": {"n": "{{ 1 / (99 - index) }}"},
             "with_items": "{{ range(103) }}", "on_failure": "b"},
            {"name": "b", "action": "test.echo", "input": {}},
        ],
        "output_map": {"failed": "{{ task.a.failed_items }}", "count": "{{ task.a.total_count }}"},
    });
    let expected = json!({"failed": [99], "count": 103, "succeeded": true});
    run::<F>(graph, 103, expected).await.finish().await;
}

attune_tests::on! { counted on attune_tests::embedded::Embedded:
    items_cost_the_same_however_many_there_are,
    an_item_that_cannot_be_made_holds_nobody_up,
}
