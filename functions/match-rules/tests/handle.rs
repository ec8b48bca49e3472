//! A batch of events, over the embedded ports.

use attune_domain::reference::ComponentRef;
use attune_function::Elsewhere;
use attune_journey::ingest::{self, NewEvent};
use attune_journey::load;
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
async fn an_event_is_matched_and_what_is_none_comes_again() {
    let (_folder, local) = open();
    let new = NewEvent {
        trigger_ref: ComponentRef::parse("test.happened").unwrap(),
        trigger: None,
        payload: None,
        config: None,
        source: None,
        source_ref: None,
        rule: None,
        cause: None,
    };
    let event = ingest::event(&local.ports, new).await.unwrap();
    let batch = include_str!("event.json").replace("4711", &event.id.to_string());
    for delivery in ["first", "second"] {
        let batch = serde_json::from_str(&batch).unwrap();
        let response = match_rules::handle(&local.ports, batch).await;
        assert_eq!(failures(&response), ["stray", "future"], "{delivery} delivery");
        let event = load::event(&local.ports, event.id).await.unwrap().unwrap();
        assert!(event.matching.done);
    }
}
