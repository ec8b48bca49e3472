//! A batch of runs, over the embedded ports and the real runner.

use crate::embedded::{failures, open_with, request_noop};
use attune_domain::status::ExecutionStatus;
use attune_function::Invocation;
use attune_journey::{dispatch, load};
use attune_local::Local;
use attune_ports::Queue;
use attune_runner::Runner;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

fn open() -> (TempDir, Local) {
    open_with(|folder| {
        Arc::new(Runner::new(attune_runner::Config::new(folder, "test", "http://127.0.0.1:1")))
    })
}

#[tokio::test]
async fn an_execution_runs_once_and_what_is_none_comes_again() {
    let (_folder, local) = open();
    let id = request_noop(&local).await;
    let requested = local.ports.queues.receive(Queue::Admit, 1, Duration::from_secs(5)).await;
    assert!(dispatch::admissions(&local.ports, requested.unwrap()).await.is_empty());
    let batch = include_str!("event.json").replace("4711", &id.to_string());
    let deadline = SystemTime::now() + Duration::from_secs(60);
    for delivery in ["first", "second"] {
        let batch = serde_json::from_str(&batch).unwrap();
        let limit = Duration::from_secs(30);
        let limits = run_action::Limits { action: limit, inquiry: limit };
        let invocation = Invocation { deadline };
        let response = run_action::handle(&local.ports, limits, &invocation, batch).await;
        assert_eq!(failures(&response), ["stray"], "{delivery} delivery");
        let execution = load::execution(&local.ports, id).await.unwrap().unwrap();
        assert_eq!(execution.status, ExecutionStatus::Completed);
        assert_eq!(execution.attempt, 1);
    }
}
