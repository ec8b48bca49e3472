//! A batch of events, over the embedded ports.

use crate::embedded::{failures, open};
use attune_domain::reference::ComponentRef;
use attune_journey::ingest::{self, NewEvent};
use attune_journey::load;

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
