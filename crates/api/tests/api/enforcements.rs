//! Enforcements: what rules decided.

use crate::server::{Server, steady};
use attune_api::auth::token::Use;
use attune_domain::enforcement::Enforcement;
use attune_domain::event::{Event, Matched, Matching};
use attune_domain::id::{EnforcementId, EventId, RuleId};
use attune_domain::reference::ComponentRef;
use attune_domain::schema::Schema;
use attune_domain::status::EnforcementStatus;
use attune_journey::layout;
use attune_ports::records::{Commit, Index, Kind, Record};
use serde_json::json;

/// Stores what matching would have: a rule's decision with a secret parameter.
async fn decided(server: &Server, rule: &str, status: EnforcementStatus) -> EnforcementId {
    let ports = &server.ports;
    let id = EnforcementId::new(ports.ids.next());
    let schema =
        json!({"message": {"type": "string"}, "password": {"type": "string", "secret": true}});
    let mut config = json!({"message": "hi", "password": "hunter2"});
    let secrets = Schema::parse(Some(&schema)).unwrap().redact(&mut config);
    let plain = serde_json::to_vec(&secrets).unwrap();
    let sealed = ports.vault.seal(&format!("enforcement/{id}"), &plain).await.unwrap();
    let enforcement = Enforcement {
        id,
        rule: Some(RuleId::new(11)),
        rule_ref: ComponentRef::parse(rule).unwrap(),
        trigger_ref: ComponentRef::parse("test.door").unwrap(),
        action_ref: ComponentRef::parse("test.echo").unwrap(),
        event: EventId::new(12),
        config: Some(config.into()),
        secrets: Some(sealed),
        conditions: json!([]),
        permission_set_refs: None,
        executor: None,
        status,
        execution: None,
        created: ports.clock.now(),
        resolved_at: None,
    };
    let sort = layout::sort_of(id.get());
    let record = Record::new(Kind::Enforcement, layout::enforcement(id), &enforcement)
        .at(Index::List, Kind::Enforcement.as_str(), &sort)
        .at(Index::By, layout::enforcements_of_rule(rule), sort)
        .counted("enforcement");
    let key = layout::event(enforcement.event);
    let known = ports.records.get(&key).await.unwrap();
    let mut event = known.map_or_else(|| event(&enforcement), |known| known.decode().unwrap());
    let action_ref = enforcement.action_ref.clone();
    event.matching.enforcements.push(Matched { enforcement: id, action_ref });
    let commit = Commit::new().create(record).put(Record::new(Kind::Event, key, &event));
    ports.records.commit(commit).await.unwrap();
    ports.records.settle().await.unwrap();
    id
}

/// The event that an enforcement is of.
fn event(enforcement: &Enforcement) -> Event {
    Event {
        id: enforcement.event,
        trigger: None,
        trigger_ref: enforcement.trigger_ref.clone(),
        payload: Some(json!({"who": "ann"}).into()),
        config: None,
        source: None,
        source_ref: None,
        rule: None,
        rule_ref: None,
        created: enforcement.created,
        matching: Matching::default(),
    }
}

#[tokio::test]
async fn shapes_of_an_enforcement() {
    let server = Server::start().await;
    let id = decided(&server, "test.knock", EnforcementStatus::Created).await;
    let read = server.get(&format!("/api/v1/enforcements/{id}")).await.body;
    assert!(!read.to_string().contains("hunter2"), "{read}");
    insta::assert_json_snapshot!("enforcement", steady(read));
    insta::assert_json_snapshot!(
        "enforcement_list",
        steady(server.get("/api/v1/enforcements").await.body)
    );
    let executions = server.get(&format!("/api/v1/enforcements/{id}/executions")).await.body;
    assert_eq!(executions["data"], json!([]));
}

#[tokio::test]
async fn secrets_need_decrypt() {
    let mut server = Server::start().await;
    let id = decided(&server, "test.knock", EnforcementStatus::Created).await;
    let path = format!("/api/v1/enforcements/{id}?include_secret_values=true");
    assert_eq!(server.get(&path).await.status, 403, "an admin holds no enforcements:decrypt");
    server.token = server.sign(&server.claims(Use::Worker, "1", "worker:1")).await;
    let config = server.get(&path).await.body["data"]["config"].clone();
    assert_eq!(config, json!({"message": "hi", "password": "hunter2"}));
}

#[tokio::test]
async fn enforcements_are_found_by_what_they_are_of() {
    let server = Server::start().await;
    let knock = decided(&server, "test.knock", EnforcementStatus::Created).await.get();
    let ring = decided(&server, "test.ring", EnforcementStatus::Disabled).await.get();
    for (query, expected) in [
        ("", vec![ring, knock]),
        ("?rule_ref=test.knock", vec![knock]),
        ("?rule_ref=test.*", vec![]),
        ("?rule=11", vec![ring, knock]),
        ("?rule=1", vec![]),
        ("?event=12", vec![ring, knock]),
        ("?event=12&rule_ref=test.ring", vec![ring]),
        ("?event=13", vec![]),
        ("?status=disabled", vec![ring]),
        ("?trigger_ref=test.door", vec![ring, knock]),
        ("?trigger_ref=test.window", vec![]),
    ] {
        let body = server.get(&format!("/api/v1/enforcements{query}")).await.body;
        let ids: Vec<_> = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
    assert_eq!(server.get("/api/v1/enforcements?status=odd").await.status, 400);
}
