//! What is too large for a record: it ends with an error, where it would be tried again for ever; and what is only
//! too large together goes in several commits.

use super::secrets::demand;
use super::workflows::{completes, echo, result, task, workflow};
use attune_domain::status::{EnforcementStatus, ExecutionStatus};
use attune_journey::request::NewExecution;
use attune_journey::workflow::control;
use attune_journey::{load, request};
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, RuleTerms, new_execution};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// More tasks at the same time than a run's record has room for.
const TOO_MANY: usize = 4_000;

fn names() -> Vec<String> {
    (0..TOO_MANY).map(|n| format!("t{n}")).collect()
}

fn tasks() -> Vec<Value> {
    names().into_iter().map(|name| json!({"name": name, "action": "test.echo"})).collect()
}

fn too_large() -> Value {
    let error = "Workflow failed: the run's record would be larger than 400 KB: \
        the workflow has too many tasks, or too many at the same time";
    json!({"error": error, "succeeded": false})
}

/// Variables of so many bytes, which children inherit.
fn variables(bytes: usize) -> BTreeMap<String, String> {
    BTreeMap::from([("LONG".to_owned(), "x".repeat(bytes))])
}

/// A fork into too many tasks, beside a branch that works: that one ends, and then the run has failed.
async fn a_run_that_grows_too_large_fails<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    harness.runner.hold();
    let mut all = tasks();
    all.push(task("w", json!({}), json!({"on_success": "after"})));
    all.push(task("after", json!({}), json!({})));
    all.push(task("s", json!({}), json!({"when": "{{ false }}", "next": [{"do": names()}]})));
    let id = workflow(&mut harness, all.into(), json!({}), 1, json!({})).await;
    let runner = Arc::clone(&harness.runner);
    harness
        .until("the run fails, and a branch works", async |ports| {
            let run = control::find(ports, id).await.expect("runs can be read")?;
            (run.fault.is_some() && runner.starts().len() == 1).then_some(())
        })
        .await;
    assert_eq!(harness.execution(id).await.status, ExecutionStatus::Running);
    harness.runner.let_go();
    let ended = harness.ended(id).await;
    assert_eq!((ended.status, result(&ended)), (ExecutionStatus::Failed, too_large()));
    let run = control::find(harness.ports(), id).await.expect("runs can be read").expect("is kept");
    assert!(run.threads.is_empty(), "{} threads are left", run.threads.len());
    harness.finish().await;
}

/// A workflow that begins at too many tasks.
async fn a_run_that_is_too_large_at_once_fails<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    let id = workflow(&mut harness, tasks().into(), json!({}), 0, json!({})).await;
    let ended = harness.ended(id).await;
    assert_eq!((ended.status, result(&ended)), (ExecutionStatus::Failed, too_large()));
    harness.finish().await;
}

/// Children that inherit so much that few of them fit into one commit.
async fn large_children_are_made_in_several_commits<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    let tasks = json!([task(
        "a",
        json!({"n": "{{ item }}"}),
        json!({"with_items": "{{ range(24) }}", "concurrency": 24})
    )]);
    let output = json!({"count": "{{ task.a.total_count }}"});
    let graph = json!({"version": "1.0", "tasks": tasks, "output_map": output});
    let flow = harness.workflow("flow", graph).await;
    harness.expect(24);
    let new = new_execution(&flow, "flow", &json!({}));
    let id = harness.request_with(NewExecution { env_vars: variables(200_000), ..new }).await;
    completes(&mut harness, id, json!({"count": 24, "succeeded": true})).await;
    harness.finish().await;
}

/// A line of executions that are too large to be served in one commit.
async fn a_line_of_large_executions_is_served<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    let echo = echo(&harness).await;
    let policy = harness.limit(&echo, 1).await;
    harness.runner.hold();
    let mut ids = vec![];
    for n in 0..25 {
        let new = new_execution(&echo, &n.to_string(), &json!({}));
        let new = NewExecution { env_vars: variables(220_000), ..new };
        ids.push(harness.request_with(new).await);
    }
    for id in &ids {
        harness
            .until("it is admitted", async |ports| {
                let found = load::execution(ports, *id).await.expect("executions can be read");
                found.filter(|execution| execution.place.is_some())
            })
            .await;
    }
    harness.change_policy(&policy, |policy| policy.enabled = false).await;
    // Nobody ends meanwhile, who would have a few of the others begin.
    let runner = Arc::clone(&harness.runner);
    harness.until("all of them run", async |_| (runner.running() == 25).then_some(())).await;
    harness.runner.let_go();
    for id in ids {
        assert_eq!(harness.ended(id).await.status, ExecutionStatus::Completed);
    }
    harness.finish().await;
}

/// Who asks for too much is told at once.
async fn a_request_that_leaves_no_room_is_refused<F: Fixture>() {
    let harness = Harness::<F>::start(Default::default()).await;
    let echo = echo(&harness).await;
    let new = new_execution(&echo, "large", &json!({}));
    let new = NewExecution { env_vars: variables(300_000), ..new };
    let refused = request::execution(harness.ports(), new).await;
    assert!(matches!(refused, Err(request::Error::TooLarge)), "{refused:?}");
    harness.finish().await;
}

/// Secrets that a rule takes from events: too large for an execution, or even for an enforcement. Another rule of the
/// same event is not held up.
async fn too_large_a_secret_ends_what_it_is_for<F: Fixture>() {
    let mut harness = Harness::<F>::start(Default::default()).await;
    let trigger = harness.trigger("happened").await;
    let (login, echo) = (harness.action("login", "login.sh").await, echo(&harness).await);
    demand(&harness, &login, json!({"token": {"type": "string", "secret": true}})).await;
    let parameters = json!({"token": "{{ event.payload.token }}"});
    harness.rule("secret", &trigger, &login, RuleTerms { parameters, ..Default::default() }).await;
    harness.rule("plain", &trigger, &echo, RuleTerms::default()).await;

    // A sealed secret takes twice its bytes.
    let event = harness.event(&trigger, "large", json!({"token": "x".repeat(150_000)}), 2).await;
    for execution in harness.executions_of(event).await {
        let expected = match execution.action_ref == login {
            true => (ExecutionStatus::Failed, json!("Its secrets are too large")),
            false => (ExecutionStatus::Completed, Value::Null),
        };
        assert_eq!((execution.status, result(&execution)["error"].clone()), expected);
    }

    let event = harness.event(&trigger, "huge", json!({"token": "x".repeat(250_000)}), 1).await;
    harness
        .until("one is executed, the other is not", async |ports| {
            let event = load::event(ports, event).await.expect("events can be read")?;
            let mut all = vec![];
            for matched in event.matching.enforcements {
                let found = load::enforcement(ports, matched.enforcement).await;
                let found = found.expect("enforcements can be read")?;
                all.push((found.action_ref == login, found.status));
            }
            let wanted =
                [(true, EnforcementStatus::Disabled), (false, EnforcementStatus::Processed)];
            wanted.iter().all(|one| all.contains(one)).then_some(())
        })
        .await;
    harness.finish().await;
}

attune_tests::on_both! {
    a_run_that_grows_too_large_fails,
    a_run_that_is_too_large_at_once_fails,
    large_children_are_made_in_several_commits,
    a_line_of_large_executions_is_served,
    a_request_that_leaves_no_room_is_refused,
    too_large_a_secret_ends_what_it_is_for,
}
