//! Webhooks, events, enforcements.

use crate::server::{Server, WEBHOOK, steady};
use attune_api::auth::token::Use;
use attune_ports::Queue;
use axum::http::{Method, header};
use serde_json::{Value, json};

#[tokio::test]
async fn a_webhook_becomes_an_event() {
    let server = Server::start().await;
    let mut request = server.request(
        Method::POST,
        &format!("/api/v1/webhooks/{WEBHOOK}"),
        Some(&json!({"payload": {"who": "ann"}, "headers": {"x": "y"}, "source_ip": "10.0.0.1"})),
    );
    request.headers_mut().remove(header::AUTHORIZATION);
    request.headers_mut().insert("x-real-ip", "192.0.2.7".parse().unwrap());
    request.headers_mut().insert(header::USER_AGENT, "test/1".parse().unwrap());
    let answer = server.answer(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.body["data"]["event_id"].as_i64().unwrap();
    insta::assert_json_snapshot!("webhook", steady(answer.body));
    let event = server.get(&format!("/api/v1/events/{id}")).await;
    insta::assert_json_snapshot!("webhook_event", steady(event.body));
    let depth = server.ports.queues.depth(Queue::Match).await.unwrap();
    assert_eq!(depth, 1, "it is to be matched");
}

#[tokio::test]
async fn any_payload_is_taken_as_it_is() {
    let server = Server::start().await;
    for payload in [json!({}), json!([1, 2]), json!("text"), json!(0), json!(false), Value::Null] {
        let path = format!("/api/v1/webhooks/{WEBHOOK}");
        let answer = server.post(&path, json!({"payload": payload})).await;
        let id = answer.body["data"]["event_id"].as_i64().unwrap();
        let event = server.get(&format!("/api/v1/events/{id}")).await.body;
        assert_eq!(event["data"]["payload"], payload);
    }
    let body = server.get("/api/v1/events?per_page=6").await.body;
    let told: Vec<_> =
        body["data"].as_array().unwrap().iter().map(|e| e["has_payload"] == true).collect();
    assert_eq!(told, [false, true, true, true, true, true], "null is no payload");
}

#[tokio::test]
async fn events_are_reported_by_sensors_and_by_whoever_may() {
    let mut server = Server::start().await;
    let report =
        json!({"trigger_type": "test.window", "payload": {"open": true}, "config": {"a": 1}});
    let answer = server.post("/api/v1/events", report.clone()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    insta::assert_json_snapshot!("event", steady(answer.body));
    server.token = server.sign(&server.claims(Use::Sensor, "9", "test.eye")).await;
    let answer = server.post("/api/v1/events", report).await;
    assert_eq!(answer.body["data"]["source_ref"], "test.eye", "{}", answer.body);
}

#[tokio::test]
async fn an_event_of_the_cloud_that_is_forwarded_twice_is_one() {
    let server = Server::start().await;
    let config = json!({"type": "cloud_event", "event_pattern": {"source": ["my.shop"]}});
    let trigger = json!({"ref": "test.ordered", "label": "Ordered", "config": config});
    let made = server.post("/api/v1/triggers", trigger).await;
    assert_eq!((made.status.as_u16(), &made.body["data"]["config"]), (201, &config));
    let shown = server.get("/api/v1/triggers/test.ordered").await;
    assert_eq!(shown.body["data"]["config"], config);
    let mut ids = Vec::new();
    for id in ["a", "a", "b"] {
        let payload = json!({"id": id, "source": "my.shop", "detail-type": "x", "detail": {}});
        let event = json!({"trigger_ref": "test.ordered", "payload": payload});
        let answer = server.post("/api/v1/events", event).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        ids.push(answer.body["data"]["id"].as_i64().unwrap());
    }
    assert!(ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn events_are_found_by_what_they_are_of() {
    let server = Server::start().await;
    for (trigger_ref, count) in [("test.door", 2), ("test.window", 1)] {
        for _ in 0..count {
            let body = json!({"trigger_ref": trigger_ref});
            assert_eq!(server.post("/api/v1/events", body).await.status, 201);
        }
    }
    for (query, count) in [
        ("", 3),
        ("?trigger_ref=test.door", 2),
        ("?trigger_ref=test.*", 3),
        ("?trigger_ref=*.window", 1),
        ("?trigger_ref=test.nope", 0),
        ("?trigger=5", 0),
        ("?rule_ref=a.b", 0),
        ("?source=1", 0),
    ] {
        let body = server.get(&format!("/api/v1/events{query}")).await.body;
        assert_eq!(body["data"].as_array().map(Vec::len), Some(count), "{query}: {body}");
    }
    let first = server.get("/api/v1/events?per_page=1").await.body;
    insta::assert_json_snapshot!("event_list", {
        let mut first = steady(first);
        first["pagination"]["next_cursor"] = "<cursor>".into();
        first
    });
}

#[tokio::test]
async fn a_trigger_instance_binds_an_event_to_its_rule_where_there_is_one() {
    let server = Server::start().await;
    for instance in ["rule_12345", "rule_", "something"] {
        let body = json!({"trigger_ref": "test.door", "trigger_instance_id": instance});
        let answer = server.post("/api/v1/events", body).await;
        assert_eq!(answer.status, 201, "{instance}");
        assert_eq!(answer.body["data"]["rule"], Value::Null, "{instance}");
    }
}
