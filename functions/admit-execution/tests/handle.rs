//! A batch of requests, over the embedded ports.

use attune_catalogue::Origin;
use attune_domain::catalogue::Placement;
use attune_domain::id::ExecutionId;
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus;
use attune_function::Elsewhere;
use attune_journey::load;
use attune_journey::request::NewExecution;
use attune_local::{Config, Local};
use aws_lambda_events::sqs::SqsBatchResponse;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

fn open() -> (TempDir, Local) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let local = attune_local::open(folder.path(), &Config::default(), Arc::new(Elsewhere))
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
async fn a_request_is_admitted_and_the_rest_of_a_group_fails_with_what_is_none() {
    let (_folder, local) = open();
    let id = request(&local).await;
    let batch = include_str!("event.json").replace("4711", &id.to_string());
    let response =
        admit_execution::handle(&local.ports, serde_json::from_str(&batch).unwrap()).await;
    // Another group's request of an execution that is no more is done with.
    assert_eq!(failures(&response), ["stray", "after"]);
    let execution = load::execution(&local.ports, id).await.unwrap().unwrap();
    assert_eq!(execution.status, ExecutionStatus::Scheduled);
}
