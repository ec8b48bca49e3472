//! A batch of ended executions, over the embedded ports.

use crate::embedded::{failures, open};

#[tokio::test]
async fn what_is_no_more_is_done_with_and_the_rest_of_a_group_fails_with_a_stray() {
    let (_folder, local) = open();
    let batch = serde_json::from_str(include_str!("event.json")).unwrap();
    let response = complete_execution::handle(&local.ports, batch).await;
    assert_eq!(failures(&response), ["stray", "after"]);
}
