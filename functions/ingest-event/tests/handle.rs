//! What each caller says, over the embedded ports.

use crate::embedded::open;
use attune_aws::{Clients, EventBridgeSchedules};
use attune_catalogue::triggers::{self, NewTrigger};
use attune_domain::event::Event;
use attune_domain::payload::Payload;
use attune_domain::reference::ComponentRef;
use attune_journey::layout;
use attune_local::Local;
use attune_ports::Query;
use attune_ports::records::Index;
use chrono::{SubsecRound, TimeDelta, Utc};
use ingest_event::Error;
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

struct World {
    local: Local,
    schedules: EventBridgeSchedules,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let (folder, local) = open();
        let (records, clock) = (local.ports.records.clone(), local.ports.clock.clone());
        let schedules =
            EventBridgeSchedules::new(records, clock, Arc::new(Clients::default()), None);
        Self { local, schedules, _folder: folder }
    }

    /// Makes a trigger of that configuration; answers the generation of its timer.
    async fn trigger(&self, name: &str, config: Value) -> Option<i64> {
        let new = NewTrigger {
            reference: ComponentRef::parse(name).expect("a ref"),
            pack_ref: None,
            label: name.to_owned(),
            description: None,
            enabled: true,
            param_schema: None,
            out_schema: None,
            config: Some(config),
        };
        let trigger = triggers::create(&self.local.ports, &new).await.expect("it can be made");
        trigger.timer.map(|timer| timer.generation)
    }

    async fn handle(&self, payload: Value) -> Result<Value, Error> {
        ingest_event::handle(&self.local.ports, &self.schedules, payload).await
    }

    /// The events of a trigger, oldest first.
    async fn events(&self, trigger: &str) -> Vec<Event> {
        self.local.ports.records.settle().await.expect("it settles");
        let query = Query::index(Index::By, layout::events_of_trigger(trigger), 100);
        let found = self.local.ports.records.query(&query).await.expect("it can be read");
        found.records.iter().map(|record| record.decode().expect("an event")).collect()
    }
}

fn payload(event: &Event) -> &Value {
    event.payload.as_ref().and_then(Payload::inline).expect("a small payload")
}

#[tokio::test]
async fn a_timers_own_schedule_makes_one_event_for_a_tick() {
    let world = World::new();
    let config = json!({"type": "interval", "minutes": 5});
    let generation = world.trigger("my.timer", config).await.unwrap();
    let anchor = Utc::now().trunc_subsecs(0) - TimeDelta::minutes(12);
    let fired = anchor + TimeDelta::minutes(10);
    let timer = json!({
        "spec": {"type": "interval", "seconds": 300}, "anchor": anchor, "generation": generation,
    });
    let schedule = json!({"name": "trigger/my.timer", "timer": timer});
    // As Scheduler says it, again, and as an emulator does that fills in nothing.
    for said in [fired.to_rfc3339(), fired.to_rfc3339(), "<aws.scheduler.scheduled-time>".into()] {
        let timer = json!({"timer": {"schedule": schedule, "scheduled_at": said}});
        world.handle(timer).await.unwrap();
    }
    let events = world.events("my.timer").await;
    assert_eq!(events.len(), 1);
    assert_eq!(payload(&events[0])["execution_count"], 2);
}

#[tokio::test]
async fn ticks_of_a_batch_fail_one_by_one() {
    let world = World::new();
    let config = json!({"type": "interval", "seconds": 10});
    let generation = world.trigger("my.timer", config).await.unwrap();
    let now = Utc::now().trunc_subsecs(0);
    let message = |id: &str, generation: i64, seconds: i64| {
        let tick = json!({
            "name": "trigger/my.timer", "generation": generation, "missed": 0, "count": seconds,
            "scheduled_at": now + TimeDelta::seconds(seconds),
        });
        json!({"messageId": id, "eventSource": "aws:sqs", "body": json!({"tick": tick}).to_string()})
    };
    let records = json!([
        message("one", generation, 1),
        message("again", generation, 1),
        {"messageId": "torn", "eventSource": "aws:sqs", "body": "{\"tick\": {"},
        message("old", generation - 1, 2),
        {"messageId": "stranger", "eventSource": "aws:sqs", "body": "{\"v\": 1}"},
        message("two", generation, 3),
    ]);
    let response = world.handle(json!({"Records": records})).await.unwrap();
    let failed = json!([{"itemIdentifier": "torn"}, {"itemIdentifier": "stranger"}]);
    assert_eq!(response, json!({"batchItemFailures": failed}));
    let counts: Vec<Value> = world
        .events("my.timer")
        .await
        .iter()
        .map(|event| payload(event)["execution_count"].clone())
        .collect();
    assert_eq!(counts, [json!(1), json!(3)]);
}

#[tokio::test]
async fn an_event_of_the_cloud_becomes_one_of_its_trigger() {
    let world = World::new();
    let config = json!({"type": "cloud_event", "event_pattern": {"source": ["my.shop"]}});
    world.trigger("my.ordered", config).await;
    let event = json!({
        "version": "0", "id": "6a7e8feb", "detail-type": "Ordered", "source": "my.shop",
        "account": "111122223333", "time": "2026-06-01T10:00:00Z", "region": "eu-west-1",
        "resources": [], "detail": {"item": "tea"},
    });
    for _ in 0..2 {
        let delivered = json!({"trigger_ref": "my.ordered", "event": event});
        world.handle(json!({"cloud_event": delivered})).await.unwrap();
    }
    let events = world.events("my.ordered").await;
    assert_eq!(events.len(), 1);
    assert_eq!(payload(&events[0]), &event);
    assert_eq!(events[0].source_ref.as_deref(), Some("my.shop"));
    triggers::set_enabled(&world.local.ports, "my.ordered", false).await.unwrap();
    let mut late = event.clone();
    late["id"] = "other".into();
    let delivered = json!({"trigger_ref": "my.ordered", "event": late});
    world.handle(json!({"cloud_event": delivered})).await.unwrap();
    assert_eq!(world.events("my.ordered").await.len(), 1, "a disabled trigger wants none");
}

#[tokio::test]
async fn what_nobody_sends_is_refused() {
    let world = World::new();
    for stranger in
        [json!({}), json!({"detail": {}}), json!({"timer": 7}), json!({"cloud_event": {}})]
    {
        let refused = world.handle(stranger.clone()).await;
        assert!(matches!(refused, Err(Error::Unreadable(_))), "{stranger}: {refused:?}");
    }
}
