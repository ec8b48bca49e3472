//! A batch of wakes, over the embedded ports.

use crate::embedded::{failures, open};

#[tokio::test]
async fn a_lane_that_is_no_more_is_done_with_and_a_stray_comes_again() {
    let (_folder, local) = open();
    let batch = serde_json::from_str(include_str!("event.json")).unwrap();
    let response = wake_lane::handle(&local.ports, batch).await;
    assert_eq!(failures(&response), ["stray"]);
}
