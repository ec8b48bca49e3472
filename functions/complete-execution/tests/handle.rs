//! A batch of ended executions, over the embedded ports.

use attune_function::Elsewhere;
use attune_local::{Config, Local};
use aws_lambda_events::sqs::SqsBatchResponse;
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

#[tokio::test]
async fn what_is_no_more_is_done_with_and_the_rest_of_a_group_fails_with_a_stray() {
    let (_folder, local) = open();
    let batch = serde_json::from_str(include_str!("event.json")).unwrap();
    let response = complete_execution::handle(&local.ports, batch).await;
    assert_eq!(failures(&response), ["stray", "after"]);
}
