//! Workflows that are paused around a fork: what runs ends, nothing new begins until they are resumed, and then each task
//! runs once. Within a fork: [`super::workflows`].

use super::workflows::{completes, echo, task, workflow};
use attune_journey::workflow::control;
use attune_tests::contract::Fixture;
use attune_tests::harness::Harness;
use serde_json::json;
use std::sync::Arc;

/// `s`, which forks into `a` and `b`, which meet at `j`, which `e` follows; paused while the last of so many tasks runs.
async fn paused_in_the_task<F: Fixture>(number: usize) {
    let mut harness = Harness::<F>::start(Default::default()).await;
    echo(&harness).await;
    harness.runner.hold();
    let at = |name: &str, more| task(name, json!({"at": name}), more);
    let tasks = json!([
        at("s", json!({"next": [{"do": ["a", "b"]}]})),
        at("a", json!({"on_success": "j"})),
        at("b", json!({"on_success": "j"})),
        at("j", json!({"join": "all", "on_success": "e"})),
        at("e", json!({})),
    ]);
    let id = workflow(&mut harness, tasks, json!({"last": "{{ task.e.at }}"}), 5, json!({})).await;
    let runner = Arc::clone(&harness.runner);
    let started = || {
        let starts = runner.starts();
        starts.iter().map(|start| start.parameters["at"].clone()).collect::<Vec<_>>()
    };
    runner.release(number - 1);
    harness
        .until("the task runs", async |_| {
            (runner.starts().len() == number && runner.running() == 1).then_some(())
        })
        .await;
    control::pause(harness.ports(), id).await.expect("it can be paused");
    runner.release(5);
    harness
        .until("the task has ended", async |ports| {
            let run = control::find(ports, id).await.expect("runs can be read");
            let run = run.expect("there is one");
            run.threads.values().all(|thread| thread.in_flight() == 0).then_some(())
        })
        .await;
    harness.sweep().await;
    assert_eq!(started().len(), number, "nothing new begins: {:?}", started());
    control::resume(harness.ports(), id).await.expect("it can be resumed");
    completes(&mut harness, id, json!({"last": "e", "succeeded": true})).await;
    let mut all = started();
    // Which branch is the first one is left open.
    all[1..3].sort_by_key(ToString::to_string);
    assert_eq!(all, ["s", "a", "b", "j", "e"], "each once");
    harness.finish().await;
}

/// While the task runs that forks: neither branch begins.
async fn paused_before_a_fork_neither_branch_begins<F: Fixture>() {
    paused_in_the_task::<F>(1).await;
}

/// While the task runs at which the branches have met: what follows it does not begin.
async fn paused_after_a_join_what_follows_waits<F: Fixture>() {
    paused_in_the_task::<F>(4).await;
}

attune_tests::on_both! {
    paused_before_a_fork_neither_branch_begins,
    paused_after_a_join_what_follows_waits,
}
