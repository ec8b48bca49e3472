//! Batches of messages: which are dealt with, which come again.

use attune_function::{Elsewhere, batch};
use attune_journey::dispatch::Failed;
use attune_local::{Config, Local};
use attune_ports::Delivery;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use std::sync::Arc;
use tempfile::TempDir;

const STANDARD: &str = include_str!("events/standard.json");
const ORDERED: &str = include_str!("events/ordered.json");

fn open() -> (TempDir, Local) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let local = attune_local::open(folder.path(), &Config::default(), Arc::new(Elsewhere))
        .expect("the folder can be opened");
    (folder, local)
}

fn event(text: &str) -> SqsEvent {
    serde_json::from_str(text).expect("the event can be read")
}

fn failures(response: &SqsBatchResponse) -> Vec<&str> {
    let mut failures: Vec<_> =
        response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect();
    failures.sort_unstable();
    failures
}

/// Deals with a batch whose step fails for some, by receipt; answers who failed and whom the step saw.
async fn deal(text: &str, failing: &[&str]) -> (SqsBatchResponse, Vec<String>) {
    let (_folder, local) = open();
    let mut seen = Vec::new();
    let response = batch::deal(&local.ports, event(text), async |deliveries: Vec<Delivery>| {
        seen = deliveries.iter().map(|delivery| delivery.receipt.0.clone()).collect();
        let is_failing = |delivery: &&Delivery| failing.contains(&delivery.receipt.0.as_str());
        deliveries.iter().filter(is_failing).map(|it| Failed::new(it, "for a test")).collect()
    })
    .await;
    (response, seen)
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone() {
    let (response, seen) = deal(STANDARD, &[]).await;
    assert_eq!(seen, ["AQEB-one", "AQEB-three"]);
    assert_eq!(failures(&response), ["5c1a7a2e-0d3c-4f47-9d3a-2b8f6f1c0002"]);
}

#[tokio::test]
async fn what_the_step_could_not_do_comes_again() {
    let (response, _) = deal(STANDARD, &["AQEB-three"]).await;
    let expected = ["5c1a7a2e-0d3c-4f47-9d3a-2b8f6f1c0002", "5c1a7a2e-0d3c-4f47-9d3a-2b8f6f1c0003"];
    assert_eq!(failures(&response), expected);
}

#[tokio::test]
async fn in_an_ordered_queue_the_rest_of_the_group_fails_with_what_cannot_be_read() {
    let (response, seen) = deal(ORDERED, &[]).await;
    assert_eq!(seen, ["AQEB-1", "AQEB-2", "AQEB-5"]);
    assert_eq!(failures(&response), ["m-3", "m-4"]);
}

#[tokio::test]
async fn the_answer_has_the_shape_that_lambda_reads() {
    let (response, _) = deal(ORDERED, &["AQEB-2"]).await;
    let answer = serde_json::to_value(&response).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert_eq!(failures.len(), 3);
    assert!(failures.iter().all(|failure| failure["itemIdentifier"].is_string()), "{answer}");
}

#[tokio::test]
async fn a_batch_without_anything_readable_does_not_reach_the_step() {
    let (response, seen) = deal(r#"{"Records": []}"#, &[]).await;
    assert_eq!((failures(&response).len(), seen.len()), (0, 0));
}
