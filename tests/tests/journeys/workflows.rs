//! Workflows: each journey as it is, with every message and every step twice, and through crashes.

use crate::base::journeys;
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::inquiry::Status;
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus;
use attune_journey::load;
use attune_journey::retention::{self, Retention};
use attune_journey::workflow::control;
use attune_ports::{Ports, Query};
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;

/// A workflow of tasks that execute `test.echo`.
pub(super) async fn workflow(
    harness: &mut Harness<impl Fixture>,
    tasks: Value,
    output: Value,
    children: usize,
    parameters: Value,
) -> ExecutionId {
    let graph = json!({"version": "1.0", "tasks": tasks, "output_map": output});
    let workflow = harness.workflow("flow", graph).await;
    harness.expect(children);
    harness.request(&workflow, "flow", &parameters).await
}

/// An action that answers its parameters, and may run again.
pub(super) async fn echo(harness: &Harness<impl Fixture>) -> ComponentRef {
    harness.action("echo", "pure.sh").await
}

pub(super) fn task(name: &str, input: Value, more: Value) -> Value {
    let mut task = json!({"name": name, "action": "test.echo", "input": input});
    for (key, value) in more.as_object().into_iter().flatten() {
        task[key] = value.clone();
    }
    task
}

pub(super) fn result(execution: &Execution) -> Value {
    execution.result.as_ref().and_then(|result| result.inline().cloned()).unwrap_or_default()
}

pub(super) async fn completes(
    harness: &mut Harness<impl Fixture>,
    id: ExecutionId,
    expected: Value,
) {
    let ended = harness.ended(id).await;
    assert_eq!(ended.status, ExecutionStatus::Completed, "{:?}", result(&ended));
    assert_eq!(result(&ended), expected);
}

/// Two tasks, one after the other; the second reads what the first came to.
async fn a_sequence_runs(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let tasks = json!([
        task(
            "a",
            json!({"n": "{{ parameters.n }}"}),
            json!({"next": [{"publish": [{"n": "{{ result().n + 1 }}"}], "do": ["b"]}]})
        ),
        task("b", json!({"n": "{{ n }}", "was": "{{ task.a.n }}"}), json!({})),
    ]);
    let output = json!({"n": "{{ task.b.n }}", "was": "{{ task.b.was }}"});
    let id = workflow(harness, tasks, output, 2, json!({"n": 1})).await;
    completes(harness, id, json!({"n": 2, "was": 1, "succeeded": true})).await;
}

/// Three branches that meet again.
async fn branches_meet_at_a_join(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let tasks = json!([
        task("s", json!({}), json!({"next": [{"do": ["a", "b", "c"]}]})),
        task("a", json!({"n": 1}), json!({"on_success": "j"})),
        task("b", json!({"n": 2}), json!({"on_success": "j"})),
        task("c", json!({"n": 4}), json!({"on_success": "j"})),
        task("j", json!({"n": "{{ task.a.n + task.b.n + task.c.n }}"}), json!({"join": "all"})),
    ]);
    let id = workflow(harness, tasks, json!({"n": "{{ task.j.n }}"}), 5, json!({})).await;
    completes(harness, id, json!({"n": 7, "succeeded": true})).await;
}

/// Items, two at a time, of which one fails at first and is dealt with.
async fn items_are_gone_through(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let tasks = json!([
        task(
            "a",
            json!({"n": "{{ item }}", "fail": "{{ item == 2 }}"}),
            json!({
                "with_items": "{{ range(5) }}", "concurrency": 2, "on_failure": "b",
            })
        ),
        task("b", json!({"failed": "{{ task.a.failed_items }}"}), json!({})),
    ]);
    let output =
        json!({"failed": "{{ task.b.failed }}", "all": "{{ task.a.results|map(attribute='n') }}"});
    let id = workflow(harness, tasks, output, 6, json!({})).await;
    let expected = json!({"failed": [2], "all": [0, 1, 2, 3, 4], "succeeded": true});
    completes(harness, id, expected).await;
}

/// Four times round a loop.
async fn a_loop_goes_round(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let tasks = json!([
        task("s", json!({}), json!({"next": [{"publish": [{"n": 0}], "do": ["a"]}]})),
        task(
            "a",
            json!({"n": "{{ n + 1 }}"}),
            json!({"next": [
                {"publish": [{"n": "{{ result().n }}"}]},
                {"when": "{{ n < 4 }}", "do": ["a"]},
            ]})
        ),
    ]);
    let id = workflow(harness, tasks, json!({"n": "{{ n }}"}), 5, json!({})).await;
    completes(harness, id, json!({"n": 4, "succeeded": true})).await;
}

/// A task that fails twice and is tried again after a moment; then it is given up, and that is dealt with.
async fn what_fails_is_tried_again(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let tasks = json!([
        task(
            "a",
            json!({"fail": true}),
            json!({
                "retry": {"count": 2, "delay": 0.01, "backoff": "exponential"}, "on_failure": "b",
            })
        ),
        task("b", json!({"error": "{{ task.a.succeeded }}"}), json!({})),
    ]);
    let id = workflow(harness, tasks, json!({"error": "{{ task.b.error }}"}), 4, json!({})).await;
    completes(harness, id, json!({"error": false, "succeeded": true})).await;
}

/// A workflow in a workflow in a workflow.
async fn workflows_are_nested(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let inner = json!({"version": "1.0", "tasks": [
        task("a", json!({"n": "{{ parameters.n * 2 }}"}), json!({})),
    ], "output_map": {"n": "{{ task.a.n }}"}});
    harness.workflow("inner", inner).await;
    let middle = json!({"version": "1.0", "tasks": [
        {"name": "call", "action": "test.inner", "input": {"n": "{{ parameters.n + 1 }}"}},
    ], "output_map": {"n": "{{ task.call.n }}"}});
    harness.workflow("middle", middle).await;
    let tasks = json!([{"name": "call", "action": "test.middle"}]);
    let id = workflow(harness, tasks, json!({"n": "{{ task.call.n }}"}), 3, json!({"n": 3})).await;
    completes(harness, id, json!({"n": 8, "succeeded": true})).await;
}

/// A failure that nothing deals with is the workflow's.
async fn a_failure_is_the_workflows(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let tasks = json!([
        task("a", json!({"fail": true}), json!({"on_success": "b"})),
        task("b", json!({}), json!({})),
    ]);
    let id = workflow(harness, tasks, json!({}), 1, json!({})).await;
    let ended = harness.ended(id).await;
    assert_eq!(ended.status, ExecutionStatus::Failed);
    let expected = json!({"error": "Workflow failed: 1 task(s) failed: a", "succeeded": false});
    assert_eq!(result(&ended), expected);
}

/// An action of which one runs at a time, in a workflow that wants three at once.
async fn policies_hold_inside_workflows(harness: &mut Harness<impl Fixture>) {
    let echo = echo(harness).await;
    harness.limit(&echo, 1).await;
    let tasks = json!([task(
        "a",
        json!({"n": "{{ item }}"}),
        json!({"with_items": "{{ range(3) }}", "concurrency": 3})
    )]);
    let output = json!({"all": "{{ task.a.results|map(attribute='n') }}"});
    let id = workflow(harness, tasks, output, 3, json!({})).await;
    completes(harness, id, json!({"all": [0, 1, 2], "succeeded": true})).await;
    assert!(harness.runner.most_at_once() <= 1, "one at a time");
}

/// Nothing to do at all, in several ways.
async fn there_may_be_nothing_to_do(harness: &mut Harness<impl Fixture>) {
    echo(harness).await;
    let tasks = json!([
        task("a", json!({}), json!({"with_items": "{{ [] }}", "on_success": "b"})),
        task("b", json!({}), json!({"when": "{{ parameters.on }}"})),
    ]);
    let output = json!({"count": "{{ task.a.total_count }}"});
    let id = workflow(harness, tasks, output, 0, json!({"on": false})).await;
    completes(harness, id, json!({"count": 0, "succeeded": true})).await;
}

journeys! {
    a_sequence_runs,
    branches_meet_at_a_join,
    items_are_gone_through,
    a_loop_goes_round,
    what_fails_is_tried_again,
    workflows_are_nested,
    a_failure_is_the_workflows,
    policies_hold_inside_workflows,
    there_may_be_nothing_to_do,
}

/// Paused in a fork: what runs ends, nothing new begins; resumed, it goes on.
async fn a_paused_run_goes_on_where_it_was<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    harness.runner.hold();
    let tasks = json!([
        task("s", json!({}), json!({"when": "{{ false }}", "next": [{"do": ["a", "b"]}]})),
        task("a", json!({"n": 1}), json!({"on_success": "j"})),
        task("b", json!({"n": 2}), json!({"on_success": "j"})),
        task("j", json!({"n": "{{ task.a.n + task.b.n }}"}), json!({"join": 2})),
    ]);
    let id = workflow(&mut harness, tasks, json!({"n": "{{ task.j.n }}"}), 3, json!({})).await;
    let runner = std::sync::Arc::clone(&harness.runner);
    harness.until("both branches run", async |_| (runner.starts().len() == 2).then_some(())).await;
    control::pause(harness.ports(), id).await.expect("it can be paused");
    control::pause(harness.ports(), id).await.expect("pausing twice is harmless");
    harness.runner.release(2);
    harness
        .until("both branches have ended", async |ports| {
            let run =
                control::find(ports, id).await.expect("runs can be read").expect("there is one");
            run.threads.values().all(|thread| thread.in_flight() == 0).then_some(())
        })
        .await;
    harness.sweep().await;
    assert_eq!(harness.runner.starts().len(), 2, "nothing new begins");
    harness.runner.let_go();
    control::resume(harness.ports(), id).await.expect("it can be resumed");
    completes(&mut harness, id, json!({"n": 3, "succeeded": true})).await;
    assert!(control::resume(harness.ports(), id).await.is_err(), "it is over");
    harness.finish().await;
}

/// Cancelled while one item runs and others wait: the running one ends by itself, the others are not begun.
async fn a_cancelled_run_lets_its_children_finish<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    harness.runner.hold();
    let tasks = json!([
        task(
            "a",
            json!({"n": "{{ item }}"}),
            json!({"with_items": "{{ range(4) }}", "on_complete": "b"})
        ),
        task("b", json!({}), json!({})),
    ]);
    let id = workflow(&mut harness, tasks, json!({}), 1, json!({})).await;
    let runner = std::sync::Arc::clone(&harness.runner);
    harness.until("an item runs", async |_| (runner.starts().len() == 1).then_some(())).await;
    harness.cancel(id).await;
    assert_eq!(harness.execution(id).await.status, ExecutionStatus::Canceling);
    harness.runner.let_go();
    let ended = harness.ended(id).await;
    assert_eq!(ended.status, ExecutionStatus::Cancelled);
    let expected = json!({"error": "Workflow cancelled", "succeeded": false});
    assert_eq!(result(&ended), expected);
    let child = harness.runner.started()[0];
    assert_eq!(harness.execution(child).await.status, ExecutionStatus::Completed);
    harness.finish().await;
}

/// The children that the threads of a run wait for, once each has one.
async fn child_of(harness: &mut Harness<impl Fixture>, id: ExecutionId) -> Vec<ExecutionId> {
    let all = async |ports: &Ports| {
        let run = control::find(ports, id).await.expect("runs can be read")?;
        let children: Option<Vec<_>> =
            run.threads.values().map(|thread| thread.working()?.child).collect();
        children.filter(|children| !children.is_empty())
    };
    harness.until("every thread has a child", all).await
}

/// Cancelled while people are asked, in a task and in a workflow below it: nobody would read the answer.
async fn a_cancelled_run_asks_no_longer<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    let ask = harness.question("ask").await;
    let asks = json!({"name": "ask", "action": ask, "input": {"prompt": "Well?"}});
    let inner = json!({"version": "1.0", "tasks": [asks]});
    harness.workflow("inner", inner).await;
    let below = json!({"name": "below", "action": "test.inner", "input": {}});
    let outer = json!({"version": "1.0", "tasks": [asks, below]});
    let outer = harness.workflow("outer", outer).await;
    harness.expect(3);
    let id = harness.request(&outer, "outer", &json!({})).await;
    let [asking, inner] = child_of(&mut harness, id).await[..] else { panic!("two tasks began") };
    let [deep] = child_of(&mut harness, inner).await[..] else { panic!("one task began below") };
    let inquiries = [harness.asks(asking).await, harness.asks(deep).await];
    harness.cancel(id).await;
    assert_eq!(harness.ended(id).await.status, ExecutionStatus::Cancelled);
    assert_eq!(harness.ended(inner).await.status, ExecutionStatus::Cancelled);
    for asked in inquiries {
        assert_eq!(harness.inquiry(asked.id).await.status, Status::Cancelled);
        assert_eq!(harness.ended(asked.execution).await.status, ExecutionStatus::Cancelled);
    }
    harness.finish().await;
}

/// Cancelled with the policy that stops what runs, two workflows deep.
async fn a_cancelled_run_stops_its_children_if_it_says_so<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    harness.runner.hold();
    echo(&harness).await;
    let inner = json!({"version": "1.0", "tasks": [task("a", json!({}), json!({}))]});
    harness.workflow("inner", inner).await;
    let outer = json!({
        "version": "1.0", "cancellation_policy": "cancel_running",
        "tasks": [{"name": "call", "action": "test.inner", "input": {}}],
    });
    let outer = harness.workflow("outer", outer).await;
    harness.expect(2);
    let id = harness.request(&outer, "outer", &json!({})).await;
    let runner = std::sync::Arc::clone(&harness.runner);
    harness.until("the innermost runs", async |_| (runner.starts().len() == 1).then_some(())).await;
    harness.cancel(id).await;
    assert_eq!(harness.ended(id).await.status, ExecutionStatus::Cancelled);
    let child = harness.runner.started()[0];
    assert_eq!(harness.ended(child).await.status, ExecutionStatus::Cancelled);
    harness.finish().await;
}

/// Done again from what failed: only that runs, and what follows it.
async fn only_what_failed_is_done_again<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    let tasks = json!([
        task("a", json!({"n": 1}), json!({"on_success": "b"})),
        task(
            "b",
            json!({"fail": "{{ parameters.fail }}", "n": "{{ task.a.n + 1 }}"}),
            json!({"on_success": "c"})
        ),
        task("c", json!({"n": "{{ task.b.n + 1 }}"}), json!({})),
    ]);
    let output = json!({"n": "{{ task.c.n }}"});
    let id = workflow(&mut harness, tasks, output, 2, json!({"fail": true})).await;
    assert_eq!(harness.ended(id).await.status, ExecutionStatus::Failed);
    harness.expect(3);
    let parameters = json!({"fail": false}).as_object().cloned();
    let again = control::Again { parameters, ..control::Again::default() };
    let repeated = control::repeat(harness.ports(), id, again).await.expect("something failed");
    assert_eq!(repeated.original_execution, Some(id));
    completes(&mut harness, repeated.id, json!({"n": 3, "succeeded": true})).await;
    let started: Vec<_> =
        harness.runner.starts().iter().map(|start| start.parameters["n"].clone()).collect();
    assert_eq!(started, [1, 2, 2, 3], "`a` did not run again");
    harness.finish().await;
}

/// A thread hands over to a fresh execution of its orchestrator after every second step.
async fn a_long_thread_hands_over<F: Fixture>() {
    let options = Options { hop: Some(2), ..Options::default() };
    let mut harness = Harness::<F>::start(options).await;
    echo(&harness).await;
    let tasks = json!([
        task(
            "a",
            json!({"n": "{{ n + 1 }}"}),
            json!({"next": [
                {"publish": [{"n": "{{ result().n }}"}]},
                {"when": "{{ n < 9 }}", "do": ["a"]},
            ]})
        ),
        task("s", json!({}), json!({"next": [{"publish": [{"n": 0}], "do": ["a"]}]})),
    ]);
    let id = workflow(&mut harness, tasks, json!({"n": "{{ n }}"}), 10, json!({})).await;
    completes(&mut harness, id, json!({"n": 9, "succeeded": true})).await;
    harness.finish().await;
}

/// A loop that would not end: the server's limit ends it.
async fn a_loop_ends_at_the_limit<F: Fixture>() {
    let options = Options { steps: Some(3), ..Options::default() };
    let mut harness = Harness::<F>::start(options).await;
    echo(&harness).await;
    let again = json!({"next": [{"do": ["a"]}]});
    let tasks = json!([task("s", json!({}), again.clone()), task("a", json!({}), again)]);
    let id = workflow(&mut harness, tasks, json!({}), 3, json!({})).await;
    let ended = harness.ended(id).await;
    let error = "Workflow failed: the workflow has entered more than 3 tasks";
    assert_eq!(ended.status, ExecutionStatus::Failed);
    assert_eq!(result(&ended), json!({"error": error, "succeeded": false}));
    harness.finish().await;
}

/// What is past its retention goes, and takes along what it has come to on its way.
async fn a_run_is_forgotten_with_its_execution<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    let long = "x".repeat(2_000);
    let tasks = json!([task(
        "a",
        json!({"n": "{{ item }}", "text": long}),
        json!({
            "with_items": "{{ range(30) }}", "concurrency": 30, "next": [{"publish": ["whole"]}],
        })
    )]);
    let output = json!({"count": "{{ whole.total_count }}"});
    let id = workflow(&mut harness, tasks, output, 30, json!({})).await;
    completes(&mut harness, id, json!({"count": 30, "succeeded": true})).await;
    let ports = harness.ports().clone();
    ports.records.settle().await.expect("it settles");
    let kept = async |partition: String| {
        let page = ports.records.query(&Query::partition(partition, 10)).await;
        page.expect("records can be queried").records.len()
    };
    let gathered = format!("gathered/{id}/a/1");
    assert_eq!((kept(format!("run/{id}")).await, kept(gathered.clone()).await), (1, 2));
    let nothing = Retention { events: Duration::ZERO, executions: Duration::ZERO };
    harness.later(TimeDelta::seconds(1));
    harness
        .until("all is forgotten", async |ports| {
            retention::apply(ports, &nothing, 1_000).await.expect("it can be forgotten");
            let execution = load::execution(ports, id).await.expect("executions can be read");
            execution.is_none().then_some(())
        })
        .await;
    assert_eq!((kept(format!("run/{id}")).await, kept(gathered).await), (0, 0));
}

attune_tests::on_both! {
    a_long_thread_hands_over,
    a_loop_ends_at_the_limit,
    a_run_is_forgotten_with_its_execution,
    a_paused_run_goes_on_where_it_was,
    a_cancelled_run_asks_no_longer,
    a_cancelled_run_lets_its_children_finish,
    a_cancelled_run_stops_its_children_if_it_says_so,
    only_what_failed_is_done_again,
}
