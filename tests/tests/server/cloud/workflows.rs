//! Workflows in Step Functions: the state machine, the function and what the template connects them with.

use attune_domain::id::ExecutionId;
use attune_ports::orchestrator::ThreadStep;
use attune_tests::cloud::Deployed;
use attune_tests::server::{Client, until, until_within, upload, write_files};
use serde_json::{Value, json};
use std::time::Duration;

/// Transitions of a task: the step that takes note of the one before and begins this, and the choice after it.
const TRANSITIONS_OF_A_TASK: usize = 2;
/// How many processes are killed.
const KILLS: usize = 5;
/// How long it may take until all is mended: an emulated step that nobody answers is taken again after half a minute,
/// and some are hit more than once.
const MENDED: Duration = Duration::from_secs(300);

/// The names of the states that a thread's execution entered, once it has ended as it should.
async fn states_of(stack: &Deployed, name: &str) -> Vec<String> {
    let sfn = stack.clients().sfn().await;
    let machine = stack.state_machine();
    let arn = format!("{}:{name}", machine.replacen(":stateMachine:", ":execution:", 1));
    let status = until("the execution ends", async || {
        let found = sfn.describe_execution().execution_arn(&arn).send().await;
        let status = found.expect("there is an execution").status;
        (status.as_str() != "RUNNING").then_some(status)
    })
    .await;
    assert_eq!(status.as_str(), "SUCCEEDED");
    let history = sfn.get_execution_history().execution_arn(&arn).max_results(1000).send().await;
    let events = history.expect("an execution has a history").events;
    let entered = events.iter().filter_map(|event| event.state_entered_event_details());
    entered.map(|details| details.name().to_owned()).collect()
}

/// Brings in a workflow of two tasks, the second of which says what the first came to.
async fn greeting(stack: &Deployed, client: &Client) {
    let folder = stack.folder().join("flows");
    write_files(
        &folder,
        &[
            ("pack.yaml", "ref: flows\nlabel: Flows\nversion: \"1.0.0\"\n"),
            (
                "workflows/greet.yaml",
                "ref: flows.greet\nlabel: Greet\nversion: \"1.0.0\"\n\
                parameters:\n  who: {type: string, required: true}\n\
                tasks:\n  - name: first\n    action: core.echo\n    input: {message: \"Hello {{ parameters.who }}\"}\n    \
                next: [{when: \"{{ succeeded() }}\", publish: [{said: \"{{ result().stdout }}\"}], do: [second]}]\n  \
                - name: second\n    action: core.echo\n    input: {message: \"{{ said }}!\"}\n\
                output_map:\n  said: \"{{ said }}\"\n",
            ),
        ],
    );
    let uploaded = upload(client, &folder, false).await;
    assert_eq!(uploaded.status, 201, "{}", uploaded.text);
}

/// What such a workflow came to.
fn said(execution: &Value) -> Option<&str> {
    execution["result"]["said"].as_str().map(str::trim)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_of_a_run_that_is_gone_ends() {
    let stack = Deployed::start().await;
    let run = ExecutionId::new(stack.ports().ids.next());
    let step = ThreadStep { run, thread: 3, hop: 1, sequence: 8 };
    stack.ports().orchestrator.start(step).await.expect("it can be begun");
    assert_eq!(states_of(&stack, &format!("{run}-3-1")).await, ["Step", "Route", "End"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_costs_two_transitions() {
    let stack = Deployed::start().await;
    let client = stack.client().await;
    greeting(&stack, &client).await;
    let id = client.execute("flows.greet", json!({"who": "Ada"})).await;
    let execution = client.reaches(id, "completed").await;
    assert_eq!(said(&execution), Some("Hello Ada"), "{execution}");
    let states = states_of(&stack, &format!("{id}-0-0")).await;
    // The last step finds that nothing is left to do.
    assert_eq!(states.len(), TRANSITIONS_OF_A_TASK * (2 + 1) + 1, "{states:?}");
    assert_eq!(states.last().map(String::as_str), Some("End"));
    assert_eq!(stack.left().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_go_on_although_the_function_dies_under_their_steps() {
    let stack = Deployed::start().await;
    let client = stack.client().await;
    greeting(&stack, &client).await;
    let mut ids = Vec::new();
    let mut killed = 0;
    while killed < KILLS {
        ids.push(client.execute("flows.greet", json!({"who": "Ada"})).await);
        // Whatever it is doing: between two steps it only waits for the next.
        killed += stack.kill("advance-workflow");
    }
    let mut left = ids.clone();
    until_within(MENDED, "every run ends", async || {
        stack.sweep().await;
        let mut running = Vec::new();
        for id in left.drain(..) {
            let execution = client.execution(id).await;
            match execution["status"].as_str() {
                Some("completed") => {
                    assert_eq!(said(&execution), Some("Hello Ada"), "{execution}");
                }
                Some("failed" | "abandoned" | "timeout" | "cancelled") => panic!("{execution}"),
                _ => running.push(id),
            }
        }
        left = running;
        left.is_empty().then_some(())
    })
    .await;
    // Two tasks each, and none of them twice.
    let executions = client.rows("/api/v1/executions").await;
    assert_eq!(executions.len(), 3 * ids.len());
    until("nothing is left behind", async || stack.left().await.is_empty().then_some(())).await;
}
