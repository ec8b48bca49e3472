//! A batch of runs, over the embedded ports and the real runner.

use attune_catalogue::Origin;
use attune_domain::catalogue::Placement;
use attune_domain::id::ExecutionId;
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus;
use attune_function::Invocation;
use attune_journey::request::NewExecution;
use attune_journey::{dispatch, load};
use attune_local::{Config, Local};
use attune_ports::Queue;
use attune_runner::Runner;
use aws_lambda_events::sqs::SqsBatchResponse;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

fn open() -> (TempDir, Local) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let config = attune_runner::Config::new(folder.path(), "test", "http://127.0.0.1:1");
    let runner = Arc::new(Runner::new(config));
    let local = attune_local::open(folder.path(), &Config::default(), runner)
        .expect("the folder can be opened");
    (folder, local)
}

fn failures(response: &SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect()
}

/// Asks for an execution of `core.noop`, which the core pack brings.
async fn request(local: &Local) -> ExecutionId {
    let pack = tempfile::tempdir().expect("a temporary folder can be made");
    attune_packs::builtin::write_to(pack.path()).expect("the pack can be written");
    let pack = attune_packs::load(pack.path()).expect("the pack can be read");
    attune_catalogue::install(&local.ports, &pack, None, Origin::Startup)
        .await
        .expect("the pack can be installed");
    let new = NewExecution {
        action_ref: ComponentRef::parse("core.noop").expect("the name is right"),
        parameters: None,
        env_vars: BTreeMap::new(),
        permission_set_refs: vec![],
        placement: Placement::default(),
        executor: None,
        parent: None,
        priority: None,
        idempotency: None,
    };
    attune_journey::request::execution(&local.ports, new).await.expect("the request is right").id
}

#[tokio::test]
async fn an_execution_runs_once_and_what_is_none_comes_again() {
    let (_folder, local) = open();
    let id = request(&local).await;
    let requested = local.ports.queues.receive(Queue::Admit, 1, Duration::from_secs(5)).await;
    assert!(dispatch::admissions(&local.ports, requested.unwrap()).await.is_empty());
    let batch = include_str!("event.json").replace("4711", &id.to_string());
    let deadline = SystemTime::now() + Duration::from_secs(60);
    for delivery in ["first", "second"] {
        let batch = serde_json::from_str(&batch).unwrap();
        let (limit, invocation) = (Duration::from_secs(30), Invocation { deadline });
        let response = run_action::handle(&local.ports, limit, &invocation, batch).await;
        assert_eq!(failures(&response), ["stray"], "{delivery} delivery");
        let execution = load::execution(&local.ports, id).await.unwrap().unwrap();
        assert_eq!(execution.status, ExecutionStatus::Completed);
        assert_eq!(execution.attempt, 1);
    }
}
