//! A batch of the stream: booked as a whole, or coming again as a whole.

use attune_aws::tally::Change;
use attune_ports::Unavailable;
use notify::{StreamEvent, StreamResponse};

fn event() -> StreamEvent {
    serde_json::from_str(include_str!("event.json")).expect("the event can be read")
}

fn change(id: &str, sequence: &str, old: Option<&str>, new: Option<&str>) -> Change {
    Change {
        id: format!("1f0b5f6d3c2a4e8f9a7b6c5d4e3f2a{id}"),
        sequence: sequence.to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_batch_is_booked_without_what_cannot_be_read() {
    let mut booked = Vec::new();
    let response = notify::handle(event(), async |changes: &[Change]| {
        booked = changes.to_vec();
        Ok(())
    })
    .await;
    let (scheduled, completed) = (Some("execution/scheduled"), Some("execution/completed"));
    let expected = [
        change("11", "300000000000000499659", None, scheduled),
        change("13", "300000000000000499660", scheduled, completed),
    ];
    assert_eq!(booked, expected);
    assert_eq!(response, StreamResponse::default());
}

#[tokio::test]
async fn what_could_not_be_booked_comes_again_from_its_start() {
    let down = async |_: &[Change]| Err(Unavailable::new("tallies", "ThrottlingException"));
    let response = serde_json::to_value(notify::handle(event(), down).await).unwrap();
    let expected =
        serde_json::json!({"batchItemFailures": [{"itemIdentifier": "300000000000000499659"}]});
    assert_eq!(response, expected);
}

#[tokio::test]
async fn a_batch_without_anything_readable_is_done_with() {
    let event = serde_json::from_str(r#"{"Records": [{"eventID": "x"}, 7]}"#).unwrap();
    let response = notify::handle(event, async |_: &[Change]| panic!("nothing to book")).await;
    assert_eq!(response, StreamResponse::default());
}
