//! A batch of requests, over the embedded ports.

use crate::embedded::{failures, open, request_noop};
use attune_domain::status::ExecutionStatus;
use attune_journey::load;

#[tokio::test]
async fn a_request_is_admitted_and_the_rest_of_a_group_fails_with_what_is_none() {
    let (_folder, local) = open();
    let id = request_noop(&local).await;
    let batch = include_str!("event.json").replace("4711", &id.to_string());
    let response =
        admit_execution::handle(&local.ports, serde_json::from_str(&batch).unwrap()).await;
    // Another group's request of an execution that is no more is done with.
    assert_eq!(failures(&response), ["stray", "after"]);
    let execution = load::execution(&local.ports, id).await.unwrap().unwrap();
    assert_eq!(execution.status, ExecutionStatus::Scheduled);
}
