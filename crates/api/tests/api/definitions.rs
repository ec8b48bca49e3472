//! Packs, actions, triggers, sensors, rules and policies over HTTP.

use crate::server::{Answer, Server};
use attune_api::auth::token::Use;
use attune_domain::admission::{Lane, LaneKey};
use attune_domain::id::{IdentityId, PolicyId};
use attune_domain::identity::Identity;
use attune_domain::policy::Terms;
use attune_journey::layout;
use attune_ports::Queue;
use attune_ports::records::{Commit, Index, Kind, Record};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

impl Server {
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.answer(self.request(Method::PUT, path, Some(&body))).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.answer(self.request(Method::DELETE, path, None)).await
    }

    /// Sends a POST that must succeed; answers the data.
    pub async fn make(&self, path: &str, body: Value) -> Value {
        let mut answer = self.post(path, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
        answer.body["data"].take()
    }

    /// With pack `deploy`, action `deploy.run`, trigger `deploy.wanted`, rule `deploy.rule`.
    async fn furnished() -> Self {
        let server = Self::start().await;
        for (path, body) in [
            ("/api/v1/packs", pack()),
            ("/api/v1/actions", action()),
            ("/api/v1/triggers", trigger()),
            ("/api/v1/rules", rule()),
        ] {
            server.make(path, body).await;
        }
        server
    }
}

fn with(mut body: Value, changes: Value) -> Value {
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn pack() -> Value {
    json!({"ref": "deploy", "label": "Deploy", "version": "1.0.0"})
}

fn action() -> Value {
    json!({
        "ref": "deploy.run", "pack_ref": "deploy", "label": "Run", "entrypoint": "run.sh",
        "param_schema": {"host": {"type": "string", "required": true}},
    })
}

fn trigger() -> Value {
    json!({"ref": "deploy.wanted", "pack_ref": "deploy", "label": "Wanted"})
}

fn rule() -> Value {
    json!({
        "ref": "deploy.rule", "pack_ref": "deploy", "label": "Rule", "trigger_ref": "deploy.wanted",
        "action_ref": "deploy.run", "action_params": {"host": "{{ event.payload.host }}"},
    })
}

fn timer(params: Value) -> Value {
    with(
        rule(),
        json!({
            "ref": "deploy.tick", "trigger_ref": "core.crontimer", "trigger_params": params,
        }),
    )
}

#[tokio::test]
async fn definitions_have_the_shapes_of_the_contract() {
    let server = Server::furnished().await;
    for (path, fields) in [
        (
            "/api/v1/packs/deploy",
            "conf_schema config created dependencies description id is_standard label meta ref \
             runtime_deps tags updated version",
        ),
        (
            "/api/v1/actions/deploy.run",
            "accesses_mcp artifact_retention_limit artifact_retention_policy created \
             default_execution_permission_set_refs description entrypoint id is_adhoc label \
             log_retention_limit log_retention_policy out_schema pack pack_ref param_schema ref \
             required_worker_runtimes runtime runtime_ref runtime_version_constraint updated \
             worker_affinity worker_selector worker_tolerations workflow_def",
        ),
        (
            "/api/v1/triggers/deploy.wanted",
            "created description enabled id is_adhoc label out_schema pack pack_ref param_schema ref \
             updated webhook_enabled",
        ),
        (
            "/api/v1/rules/deploy.rule",
            "action action_params action_ref conditions created description enabled id is_adhoc label \
             owner_identity pack pack_ref permission_set_refs ref trigger trigger_params trigger_ref \
             updated",
        ),
    ] {
        let answer = server.get(path).await;
        let data = &answer.body["data"];
        let mut found: Vec<_> = data.as_object().unwrap().keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, fields.split_whitespace().collect::<Vec<_>>(), "{path}");
        let kind = path.split('/').nth(3).unwrap();
        let by_id = server.get(&format!("/api/v1/{kind}/id/{}", data["id"])).await;
        assert_eq!(by_id.body, answer.body, "{path} by id");
    }
}

#[tokio::test]
async fn a_rule_lives_over_http() {
    let server = Server::furnished().await;
    let again = server.post("/api/v1/rules", rule()).await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("CONFLICT")));
    let answer = server.post("/api/v1/rules/deploy.rule/disable", json!({})).await;
    assert_eq!(answer.body["data"]["enabled"], false);
    let enabled = server.get("/api/v1/rules/enabled").await;
    assert_eq!(enabled.body["pagination"]["total_items"], 0);
    let change = json!({
        "label": "New", "permission_set_refs": ["core.viewer"], "conditions": null, "enabled": true,
    });
    let answer = server.put("/api/v1/rules/deploy.rule", change).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["data"]["permission_set_refs"], json!(["core.viewer"]));
    let answer =
        server.put("/api/v1/rules/deploy.rule", json!({"permission_set_refs": null})).await;
    assert_eq!(answer.body["data"]["permission_set_refs"], Value::Null, "null inherits again");
    assert_eq!(answer.body["data"]["label"], "New", "what is missing stays");
    for list in [
        "/api/v1/triggers/deploy.wanted/rules",
        "/api/v1/actions/deploy.run/rules",
        "/api/v1/packs/deploy/rules",
    ] {
        let answer = server.get(list).await;
        assert_eq!(answer.body["data"][0]["ref"], "deploy.rule", "{list}: {}", answer.body);
        assert_eq!(answer.body["pagination"]["total_items"], 1, "{list}");
    }
    assert_eq!(server.delete("/api/v1/actions/deploy.run").await.body["success"], true);
    let orphan = server.get("/api/v1/rules/deploy.rule").await.body["data"].take();
    assert_eq!((&orphan["action"], &orphan["action_ref"]), (&Value::Null, &json!("deploy.run")));
    assert_eq!(server.delete("/api/v1/rules/deploy.rule").await.status, 200);
    assert_eq!(server.get("/api/v1/rules/deploy.rule").await.status, 404);
}

#[tokio::test]
async fn bad_definitions_are_refused_and_leave_nothing() {
    let server = Server::furnished().await;
    server.make("/api/v1/triggers", with(trigger(), json!({"ref": "core.crontimer"}))).await;
    let sensor = json!({
        "ref": "deploy.sensor", "pack_ref": "deploy", "label": "S", "entrypoint": "s.py",
        "runtime_ref": "core.python", "trigger_ref": "deploy.wanted",
    });
    let policy = json!({"ref": "deploy.one", "action_ref": "deploy.run", "threshold": 1});
    let (rules, actions, packs) = ("/api/v1/rules", "/api/v1/actions", "/api/v1/packs");
    let (triggers, sensors, policies) = ("/api/v1/triggers", "/api/v1/sensors", "/api/v1/policies");
    let bad = |change: Value| with(with(rule(), json!({"ref": "deploy.bad"})), change);
    let (invalid, unprocessable) = ("VALIDATION_ERROR", "UNPROCESSABLE_ENTITY");
    let before = server.tally().await;
    for (what, path, body, status, code) in [
        ("a rule's upper-case ref", rules, bad(json!({"ref": "Deploy.Bad"})), 422, unprocessable),
        ("a rule's ref with two dots", rules, bad(json!({"ref": "a.b.c"})), 422, unprocessable),
        ("a rule without label", rules, json!({"ref": "deploy.bad"}), 422, invalid),
        ("a rule's blank label", rules, bad(json!({"label": " "})), 422, invalid),
        ("a rule of no pack", rules, bad(json!({"pack_ref": "none"})), 404, "NOT_FOUND"),
        ("a rule of no action", rules, bad(json!({"action_ref": "a.none"})), 404, "NOT_FOUND"),
        ("a rule of no trigger", rules, bad(json!({"trigger_ref": "a.none"})), 404, "NOT_FOUND"),
        ("a rule without parameter", rules, bad(json!({"action_params": {}})), 422, invalid),
        (
            "a rule's wrong parameter",
            rules,
            bad(json!({"action_params": {"host": 5}})),
            422,
            invalid,
        ),
        ("parameters that are a list", rules, bad(json!({"action_params": [1]})), 422, invalid),
        ("conditions that are a text", rules, bad(json!({"conditions": "x"})), 422, invalid),
        (
            "an unknown permission set",
            rules,
            bad(json!({"permission_set_refs": ["a.b"]})),
            403,
            "FORBIDDEN",
        ),
        ("a bad cron", rules, timer(json!({"expression": "every day"})), 422, invalid),
        ("no cron", rules, timer(json!({})), 422, invalid),
        (
            "a bad time zone",
            rules,
            timer(json!({"expression": "0 0 * * * *", "timezone": "Mars/Base"})),
            422,
            invalid,
        ),
        (
            "an action of no pack",
            actions,
            with(action(), json!({"ref": "a.b", "pack_ref": "none"})),
            404,
            "NOT_FOUND",
        ),
        (
            "an action of no runtime",
            actions,
            with(action(), json!({"ref": "a.b", "runtime_ref": "cobol"})),
            404,
            "NOT_FOUND",
        ),
        (
            "an action's schema",
            actions,
            with(action(), json!({"ref": "a.b", "param_schema": {"x": 5}})),
            422,
            invalid,
        ),
        ("an action that is there", actions, action(), 409, "CONFLICT"),
        ("a pack's short ref", packs, with(pack(), json!({"ref": "p"})), 422, unprocessable),
        (
            "a pack's version",
            packs,
            with(pack(), json!({"ref": "other", "version": "one"})),
            422,
            invalid,
        ),
        (
            "a pack's config",
            packs,
            with(pack(), json!({"ref": "other", "config": []})),
            422,
            invalid,
        ),
        ("a pack that is there", packs, pack(), 409, "CONFLICT"),
        (
            "a trigger's event pattern",
            triggers,
            with(
                trigger(),
                json!({"ref": "a.b", "config": {
                    "type": "cloud_event", "event_pattern": {"source": "aws.s3"},
                }}),
            ),
            422,
            invalid,
        ),
        (
            "a trigger's interval",
            triggers,
            with(trigger(), json!({"ref": "a.b", "config": {"type": "interval", "seconds": 0}})),
            422,
            invalid,
        ),
        ("a trigger that is there", triggers, trigger(), 409, "CONFLICT"),
        (
            "a sensor of no trigger",
            sensors,
            with(sensor.clone(), json!({"trigger_ref": "a.b"})),
            404,
            "NOT_FOUND",
        ),
        (
            "a sensor of no runtime",
            sensors,
            with(sensor, json!({"runtime_ref": "cobol"})),
            404,
            "NOT_FOUND",
        ),
        (
            "a policy for nobody",
            policies,
            with(policy.clone(), json!({"threshold": 0})),
            422,
            invalid,
        ),
        (
            "a policy of no action",
            policies,
            with(policy.clone(), json!({"action_ref": "a.b"})),
            404,
            "NOT_FOUND",
        ),
        (
            "a policy's method",
            policies,
            with(policy.clone(), json!({"method": "hope"})),
            422,
            invalid,
        ),
        (
            "a policy's window",
            policies,
            with(policy, json!({"windows": [{"from": "9", "to": "10:00"}]})),
            422,
            invalid,
        ),
        (
            "a webhook key that is not there",
            "/api/v1/triggers/deploy.wanted/webhooks/regenerate",
            json!({}),
            400,
            "BAD_REQUEST",
        ),
        (
            "a folder that is not there",
            "/api/v1/packs/register",
            json!({"path": "/no/such"}),
            400,
            "BAD_REQUEST",
        ),
    ] {
        let answer = server.post(path, body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(answer.body["code"], code, "{what}: {}", answer.body);
    }
    assert_eq!(server.tally().await, before, "something was written");
    let many = json!({"ref": "deploy.many", "threshold": "many"});
    let told = server.post(policies, many).await.body["error"].take();
    assert!(told.as_str().unwrap().starts_with("threshold: "), "{told}");
    let change = json!({"trigger_params": {}, "trigger_ref": "core.crontimer", "label": "Half"});
    assert_eq!(server.put("/api/v1/rules/deploy.rule", change).await.status, 422);
    let same = server.get("/api/v1/rules/deploy.rule").await;
    assert_eq!(same.body["data"]["label"], "Rule", "nothing is changed by half");
}

#[tokio::test]
async fn webhooks_open_renew_and_close() {
    let server = Server::furnished().await;
    let step = async |step: &str| {
        let path = format!("/api/v1/triggers/deploy.wanted/webhooks/{step}");
        server.post(&path, json!({})).await.body["data"].take()
    };
    let first = step("enable").await["webhook_key"].clone();
    assert_eq!(step("enable").await["webhook_key"], first);
    let second = step("regenerate").await["webhook_key"].clone();
    let call = async |key: &Value| {
        let path = format!("/api/v1/webhooks/{}", key.as_str().unwrap());
        server.post(&path, json!({"payload": {}})).await.status.as_u16()
    };
    assert_eq!((call(&first).await, call(&second).await), (404, 200));
    let closed = step("disable").await;
    assert_eq!((&closed["webhook_enabled"], closed.get("webhook_key")), (&json!(false), None));
    assert_eq!(call(&second).await, 404);
}

#[tokio::test]
async fn a_policy_lives_over_http() {
    let server = Server::furnished().await;
    let made = server
        .make("/api/v1/policies", json!({
            "ref": "deploy.few", "action_ref": "deploy.run", "threshold": 2, "parameters": ["host"],
            "rate_limit": {"limit": 10, "per_seconds": 60},
            "windows": [{"days": ["mon"], "from": "08:00", "to": "18:00", "timezone": "Europe/Rome"}],
        }))
        .await;
    assert_eq!((&made["scope"], &made["method"]), (&json!("action"), &json!("enqueue")));
    let change = json!({"threshold": null, "pack_ref": "deploy", "windows": []});
    let answer = server.put("/api/v1/policies/deploy.few", change).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let after = &answer.body["data"];
    assert_eq!(
        (&after["threshold"], &after["scope"], &after["action_ref"], &after["rate_limit"]["limit"]),
        (&Value::Null, &json!("pack"), &Value::Null, &json!(10))
    );
    let off = server.post("/api/v1/policies/deploy.few/disable", json!({})).await;
    assert_eq!(off.body["data"]["enabled"], false);
    assert_eq!(server.get("/api/v1/policies").await.body["pagination"]["total_items"], 1);
    assert_eq!(server.delete("/api/v1/policies/deploy.few").await.status, 200);
    assert_eq!(server.get("/api/v1/policies/deploy.few").await.status, 404);
}

#[tokio::test]
async fn lanes_are_woken_by_every_change_of_their_policy() {
    let server = Server::furnished().await;
    let ports = &server.ports;
    let few = json!({"ref": "deploy.few", "action_ref": "deploy.run", "threshold": 2});
    let id = PolicyId::new(server.make("/api/v1/policies", few).await["id"].as_i64().unwrap());
    let now = ports.clock.now();
    let mut commit = Commit::new();
    for group in ["a", "b"] {
        let lane = Lane::new(LaneKey::of(id, Some(group)), id, Terms::default(), now, now);
        let record = Record::new(Kind::Lane, layout::lane(&lane.key), &lane);
        commit =
            commit.create(record.at(Index::Of, layout::lanes_of_policy(id), lane.key.as_str()));
    }
    ports.records.commit(commit).await.unwrap();
    let path = "/api/v1/policies/deploy.few";
    let disable = format!("{path}/disable");
    for (messages, method, path, body) in [
        (2, Method::PUT, path, Some(json!({"threshold": 3}))),
        (4, Method::POST, disable.as_str(), None),
        (6, Method::DELETE, path, None),
    ] {
        let request = server.request(method, path, body.as_ref());
        let answer = server.answer(request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(ports.queues.depth(Queue::Wake).await.unwrap(), messages);
    }
}

#[tokio::test]
async fn lists_are_paged() {
    let server = Server::furnished().await;
    for n in 0..5 {
        server.make("/api/v1/rules", with(rule(), json!({"ref": format!("deploy.r{n}")}))).await;
    }
    let refs = |answer: &Answer| {
        let rows = answer.body["data"].as_array().unwrap().iter();
        rows.map(|row| row["ref"].as_str().unwrap().replace("deploy.", ""))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for path in ["/api/v1/rules", "/api/v1/rules/enabled", "/api/v1/packs/deploy/rules"] {
        let first = server.get(&format!("{path}?page=1&page_size=4")).await;
        assert_eq!(refs(&first), "r0 r1 r2 r3", "{path}");
        let pagination = &first.body["pagination"];
        assert_eq!(
            (&pagination["total_items"], &pagination["has_next"]),
            (&json!(6), &json!(true))
        );
        let cursor = pagination["next_cursor"].as_str().unwrap();
        let next = server.get(&format!("{path}?page_size=4&cursor={cursor}")).await;
        assert_eq!(refs(&next), "r4 rule", "{path}");
        assert_eq!(next.body["pagination"]["has_next"], false, "{path}");
        assert_eq!(refs(&server.get(&format!("{path}?offset=3&limit=2")).await), "r3 r4", "{path}");
    }
}

/// A token of somebody with these permission sets.
pub async fn somebody(server: &Server, sets: &[&str]) -> String {
    let now = server.ports.clock.now();
    let identity = Identity {
        id: IdentityId::new(server.ports.ids.next()),
        login: "somebody".into(),
        display_name: None,
        password_hash: None,
        attributes: Value::Null,
        permission_set_refs: sets.iter().map(|set| (*set).to_owned()).collect(),
        frozen: false,
        created: now,
        updated: now,
    };
    let key = attune_catalogue::layout::identity(identity.id.get());
    let commit = Commit::new().put(Record::new(Kind::Identity, key, &identity));
    server.ports.records.commit(commit).await.unwrap();
    server.sign(&server.claims(Use::Access, &identity.id.to_string(), "somebody")).await
}

#[tokio::test]
async fn every_route_checks_what_the_caller_may_do() {
    let mut server = Server::furnished().await;
    server.post("/api/v1/triggers/deploy.wanted/webhooks/enable", json!({})).await;
    let new = |name: &str| with(rule(), json!({"ref": name}));
    // Rows: method, path, body; then what nobody special, a viewer, and an editor get.
    let rows = [
        (Method::GET, "/api/v1/rules", None, [403, 200, 200]),
        (Method::GET, "/api/v1/rules/deploy.rule", None, [403, 200, 200]),
        (Method::POST, "/api/v1/rules", Some(new("deploy.more")), [403, 403, 201]),
        (Method::POST, "/api/v1/rules/deploy.rule/disable", None, [403, 403, 200]),
        (Method::DELETE, "/api/v1/rules/deploy.rule", None, [403, 403, 403]),
        (Method::GET, "/api/v1/packs", None, [200, 200, 200]),
        (Method::GET, "/api/v1/packs/deploy", None, [404, 200, 200]),
        (Method::DELETE, "/api/v1/packs/deploy", None, [403, 403, 403]),
        (Method::GET, "/api/v1/actions/deploy.run", None, [403, 200, 200]),
        (Method::PUT, "/api/v1/actions/deploy.run", Some(json!({"label": "R"})), [403, 403, 200]),
        (Method::DELETE, "/api/v1/actions/deploy.run", None, [403, 403, 403]),
        (Method::GET, "/api/v1/triggers/deploy.wanted", None, [403, 200, 200]),
        (
            Method::POST,
            "/api/v1/triggers",
            Some(with(trigger(), json!({"ref": "a.b"}))),
            [403, 403, 403],
        ),
        (Method::POST, "/api/v1/triggers/deploy.wanted/webhooks/regenerate", None, [403, 403, 403]),
        (Method::GET, "/api/v1/sensors", None, [403, 200, 200]),
        (Method::GET, "/api/v1/policies", None, [403, 200, 200]),
        (Method::DELETE, "/api/v1/policies/deploy.none", None, [403, 403, 403]),
        (Method::GET, "/api/v1/permissions/sets", None, [403, 403, 403]),
        (Method::POST, "/api/v1/packs/register", Some(json!({"path": "/"})), [403, 403, 422]),
    ];
    let sets: [&[&str]; 3] = [&[], &["core.viewer"], &["core.editor"]];
    for (n, sets) in sets.into_iter().enumerate() {
        server.token = somebody(&server, sets).await;
        for (method, path, body, expected) in &rows {
            let answer = server.answer(server.request(method.clone(), path, body.as_ref())).await;
            assert_eq!(answer.status, expected[n], "{sets:?}: {method} {path}: {}", answer.body);
        }
        let shown = server.get("/api/v1/triggers/deploy.wanted").await;
        assert_eq!(shown.body["data"].get("webhook_key"), None, "{sets:?} must not see the key");
    }
}
