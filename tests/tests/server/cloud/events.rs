//! Events that the cloud brings: timers and the event bus.

use crate::server::actions::pack;
use attune_tests::cloud::Deployed;
use attune_tests::server::{Client, until_within};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Duration;

/// Timers on whole minutes come with a look of Scheduler's, which the emulator takes every ten seconds.
const PATIENCE: Duration = Duration::from_secs(150);

async fn rule(client: &Client, name: &str, trigger: &str, params: Value) {
    let body = json!({
        "ref": name, "pack_ref": "here", "label": name, "trigger_ref": trigger,
        "trigger_params": params, "action_ref": "core.noop",
    });
    let said = client.post("/api/v1/rules", body).await;
    assert_eq!(said.status, 201, "{}", said.text);
}

/// Rows of completed executions of a rule, once there are so many.
async fn completed(client: &Client, rule: &str, count: usize) -> Vec<Value> {
    until_within(PATIENCE, &format!("{count} executions of {rule}"), async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut rows = client.rows("/api/v1/executions").await;
        rows.retain(|row| row["rule_ref"] == rule && row["status"] == "completed");
        (rows.len() >= count).then_some(rows)
    })
    .await
}

/// Payloads of a trigger's events, the oldest first.
async fn payloads(client: &Client, trigger: &str) -> Vec<Value> {
    let mut payloads = Vec::new();
    for row in client.rows("/api/v1/events").await {
        if row["trigger_ref"] == trigger {
            let id = row["id"].as_i64().expect("an id");
            let event = client.get(&format!("/api/v1/events/{id}")).await.data();
            payloads.push(event["payload"].clone());
        }
    }
    payloads.sort_by_key(|payload| moment(payload, "fired_at"));
    payloads
}

fn moment(payload: &Value, field: &str) -> DateTime<Utc> {
    let text = payload[field].as_str().unwrap_or_else(|| panic!("no {field}: {payload}"));
    text.parse().expect("a moment")
}

/// Every ten seconds, once in a few seconds, and by cron: each comes at its moment and not before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_fire_in_time_and_once() {
    let stack = Deployed::start().await;
    let client = stack.client().await;
    pack(&client, "here").await;
    rule(&client, "here.often", "core.intervaltimer", json!({"interval": 10, "unit": "seconds"}))
        .await;
    let soon = Utc::now() + TimeDelta::seconds(5);
    rule(&client, "here.once", "core.datetimetimer", json!({"fire_at": soon.to_rfc3339()})).await;
    rule(&client, "here.minutely", "core.crontimer", json!({"expression": "* * * * *"})).await;
    completed(&client, "here.often", 3).await;
    completed(&client, "here.minutely", 1).await;
    assert_eq!(completed(&client, "here.once", 1).await.len(), 1);
    let often = payloads(&client, "core.intervaltimer").await;
    let counts: Vec<_> = often.iter().map(|tick| tick["execution_count"].as_u64()).collect();
    let expected: Vec<_> = (1..=often.len() as u64).map(Some).collect();
    assert_eq!(counts, expected, "each tick came once: {often:?}");
    let once = payloads(&client, "core.datetimetimer").await;
    assert_eq!(once.len(), 1, "{once:?}");
    assert!(moment(&once[0], "fired_at") >= moment(&once[0], "fire_at"), "{once:?}");
    for tick in payloads(&client, "core.crontimer").await {
        assert!(moment(&tick, "fired_at") >= moment(&tick, "scheduled_at"), "{tick}");
    }
}

/// An event that somebody puts on the bus fires the rule whose trigger's pattern it fits, and no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_the_bus_fires_a_rule() {
    let stack = Deployed::start().await;
    let client = stack.client().await;
    pack(&client, "here").await;
    for (name, state) in [("here.up", "up"), ("here.down", "down")] {
        let body = json!({
            "ref": name, "pack_ref": "here", "label": name,
            "config": {"type": "cloud_event", "event_pattern": {
                "source": ["shop.machines"], "detail": {"state": [state]},
            }},
        });
        let said = client.post("/api/v1/triggers", body).await;
        assert_eq!(said.status, 201, "{}", said.text);
        rule(&client, &format!("{name}_rule"), name, json!({})).await;
    }
    let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
        .source("shop.machines")
        .detail_type("a machine changed")
        .detail(json!({"state": "down", "host": "db1"}).to_string())
        .build();
    let events = stack.clients().eventbridge().await;
    events.put_events().entries(entry).send().await.expect("the bus takes it");
    completed(&client, "here.down_rule", 1).await;
    let rows = client.rows("/api/v1/events").await;
    let [event] = &rows[..] else { panic!("one event: {rows:?}") };
    let id = event["id"].as_i64().expect("an id");
    let event = client.get(&format!("/api/v1/events/{id}")).await.data();
    assert_eq!(event["payload"]["detail"]["host"], "db1", "{event}");
}
