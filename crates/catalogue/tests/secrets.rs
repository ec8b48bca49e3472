//! Secrets of rules, packs and sensors: sealed wherever they come from, and kept by who sends marks back.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use attune_catalogue::actions::ActionChange;
use attune_catalogue::packs::PackChange;
use attune_catalogue::rules::{NewRule, RuleChange};
use attune_catalogue::secrets::{Holder, restore};
use attune_catalogue::sensors::{NewSensor, SensorChange};
use attune_catalogue::{
    Definition, Origin, actions, install, layout, links, packs, read, rules, sensors,
};
use attune_domain::catalogue::{Action, Pack, Rule, Sensor};
use attune_domain::schema::redacted;
use attune_ports::records::{Commit, Expect, Kind, Record};
use serde_json::{Value, json};
use std::fs;
use support::{World, map, new_rule, reference};

const SECRET: &str = "hunter2-8c1f";
const OPEN: &str = "a-word-for-everyone";

/// Gives `p.act` parameters of which some are secret.
async fn secretive(world: &World) -> Action {
    let schema = json!({
        "token": {"type": "string", "secret": true, "minLength": 5},
        "auth": {"type": "object", "secret": true},
        "text": {"type": "string"},
    });
    let change = ActionChange { param_schema: Some(schema), ..ActionChange::default() };
    actions::update(&world.ports, "p.act", &change).await.unwrap()
}

fn rule_with(params: Value) -> NewRule {
    NewRule { action_params: map(params), ..new_rule("p.rule") }
}

fn params(params: Value) -> RuleChange {
    RuleChange { action_params: Some(map(params)), ..RuleChange::default() }
}

async fn opened<T: Holder>(world: &World, of: &T, document: &Value) -> Value {
    let mut document = document.clone();
    restore(&*world.ports.vault, of, &mut document).await.unwrap();
    document
}

async fn opened_params(world: &World, rule: &Rule) -> Value {
    opened(world, rule, &Value::Object(rule.action_params.clone())).await
}

#[tokio::test]
async fn what_a_rule_says_at_secret_places_is_sealed_and_templates_stay() {
    let world = World::furnished().await;
    secretive(&world).await;
    let auth = json!({"user": "{{ event.payload.user }}", "pins": [SECRET, null], "a/b": 4711});
    let said = json!({"token": SECRET, "auth": auth, "text": OPEN});
    let rule = rules::create(&world.ports, &rule_with(said.clone())).await.unwrap();
    let mark = redacted();
    let stored = json!({
        "token": mark, "text": OPEN,
        "auth": {"user": "{{ event.payload.user }}", "pins": mark, "a/b": mark},
    });
    assert_eq!(Value::Object(rule.action_params.clone()), stored);
    assert_eq!(opened_params(&world, &rule).await, said);
    assert!(!format!("{rule:?}").contains(SECRET));
    assert!(world.has_on_disk(OPEN).await, "what is no secret is there to be found");
    assert!(!world.has_on_disk(SECRET).await);

    let template = params(json!({"token": "{{ event.payload.token }}", "text": OPEN}));
    let rule = rules::update(&world.ports, "p.rule", &template).await.unwrap();
    assert_eq!(rule.action_params["token"], "{{ event.payload.token }}");
    assert_eq!(rule.secrets, None, "nothing is kept for what was replaced");
}

#[tokio::test]
async fn who_sends_a_mark_back_keeps_the_value() {
    let world = World::furnished().await;
    secretive(&world).await;
    let ports = &world.ports;
    let said = rule_with(json!({"token": SECRET, "text": "a"}));
    let first = rules::create(ports, &said).await.unwrap();
    let again = params(json!({"token": redacted(), "text": "a"}));
    assert_eq!(rules::update(ports, "p.rule", &again).await.unwrap(), first, "nothing changed");
    let same = params(json!({"token": SECRET, "text": "a"}));
    assert_eq!(rules::update(ports, "p.rule", &same).await.unwrap(), first, "nor here");

    let other = params(json!({"token": redacted(), "text": "b"}));
    let rule = rules::update(ports, "p.rule", &other).await.unwrap();
    assert_eq!(opened_params(&world, &rule).await, json!({"token": SECRET, "text": "b"}));
    let rule = rules::set_enabled(ports, "p.rule", false).await.unwrap();
    assert_eq!(opened_params(&world, &rule).await, json!({"token": SECRET, "text": "b"}));
    let rule = rules::update(ports, "p.rule", &params(json!({"token": "other"}))).await.unwrap();
    assert_eq!(opened_params(&world, &rule).await, json!({"token": "other"}));

    for (said, wanted) in [
        (
            json!({"auth": redacted()}),
            "action_params.auth: stands for a secret value, but none is stored there",
        ),
        (
            json!({"token": "sh"}),
            "Invalid parameters for action 'p.act': token: the value is shorter than 5 characters",
        ),
    ] {
        let error = rules::update(ports, "p.rule", &params(said)).await.unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

#[tokio::test]
async fn a_sealed_value_goes_to_no_action_that_would_show_it() {
    let world = World::furnished().await;
    secretive(&world).await;
    rules::create(&world.ports, &rule_with(json!({"token": SECRET}))).await.unwrap();
    let schema = json!({"token": {"type": "string"}});
    let open = ActionChange { param_schema: Some(schema), ..ActionChange::default() };
    actions::update(&world.ports, "p.other", &open).await.unwrap();
    let moved = RuleChange { action_ref: Some("p.other".into()), ..RuleChange::default() };
    let error = rules::update(&world.ports, "p.rule", &moved).await.unwrap_err();
    let wanted =
        "action_params: `token` is secret, but `token` is no secret parameter of the action";
    assert_eq!(error.to_string(), wanted);
    let anew = RuleChange { action_params: Some(map(json!({"token": "plain"}))), ..moved };
    let rule = rules::update(&world.ports, "p.rule", &anew).await.unwrap();
    assert_eq!((rule.action_params["token"].as_str(), rule.secrets), (Some("plain"), None));
}

#[tokio::test]
async fn an_action_that_comes_to_call_something_secret_seals_its_rules() {
    let world = World::furnished().await;
    let open = ActionChange { param_schema: Some(json!({})), ..ActionChange::default() };
    actions::update(&world.ports, "p.act", &open).await.unwrap();
    let rule = rules::create(&world.ports, &rule_with(json!({"token": SECRET}))).await.unwrap();
    assert_eq!(rule.action_params["token"], SECRET, "nobody called it secret");
    secretive(&world).await;
    let rule: Rule = read::require(&world.ports, "p.rule").await.unwrap();
    assert_eq!(rule.action_params["token"], redacted());
    assert_eq!(opened_params(&world, &rule).await, json!({"token": SECRET}));
    let key = layout::binding("p.one", rule.id.get());
    let bound = world.ports.records.get(&key).await.unwrap().unwrap();
    assert_eq!(bound.decode::<Rule>().unwrap(), rule, "matching sees the same");
}

#[tokio::test]
async fn what_a_crash_left_in_the_clear_is_sealed_by_reconciling() {
    let world = World::furnished().await;
    secretive(&world).await;
    let mut rule = rules::create(&world.ports, &rule_with(json!({"text": "a"}))).await.unwrap();
    rule.action_params.insert("token".into(), json!(SECRET));
    let binding = Record::new(Kind::Marker, layout::binding("p.one", rule.id.get()), &rule);
    for record in [rule.record(), binding] {
        let version = world.ports.records.get(&record.key).await.unwrap().unwrap().version;
        let commit = Commit::new().replace(record, version);
        world.ports.records.commit(commit).await.unwrap();
    }
    links::reconcile(&world.ports).await.unwrap();
    let rule: Rule = read::require(&world.ports, "p.rule").await.unwrap();
    assert_eq!(rule.action_params["token"], redacted());
    assert_eq!(opened_params(&world, &rule).await, json!({"token": SECRET, "text": "a"}));
    let before = world.everything().await;
    links::reconcile(&world.ports).await.unwrap();
    assert_eq!(world.everything().await, before, "once is enough");
}

fn config(config: Value) -> PackChange {
    PackChange { config: Some(config), ..PackChange::default() }
}

#[tokio::test]
async fn a_pack_keeps_the_secrets_of_its_configuration_sealed() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let schema = json!({"token": {"type": "string", "secret": true}, "url": {"type": "string"}});
    let said = json!({"token": SECRET, "url": OPEN});
    let change = PackChange { conf_schema: Some(schema), ..config(said.clone()) };
    let pack = packs::update(ports, "my", &change).await.unwrap();
    assert_eq!(pack.config, json!({"token": redacted(), "url": OPEN}));
    assert_eq!(opened(&world, &pack, &pack.config).await, said);
    assert!(world.has_on_disk(OPEN).await && !world.has_on_disk(SECRET).await);
    let same = packs::update(ports, "my", &config(said.clone())).await.unwrap();
    assert_eq!(same, pack, "the same value is sealed only once");

    // Whoever may change a schema may not thereby read what it called secret.
    let open = PackChange { conf_schema: Some(json!({})), ..config(pack.config.clone()) };
    let pack = packs::update(ports, "my", &open).await.unwrap();
    assert_eq!(pack.config["token"], redacted());
    assert_eq!(opened(&world, &pack, &pack.config).await, said);
    let pack = packs::update(ports, "my", &config(json!({"token": "plain"}))).await.unwrap();
    assert_eq!((pack.config, pack.secrets), (json!({"token": "plain"}), None));

    let error = packs::update(ports, "my", &config(json!({"a": [redacted()]}))).await.unwrap_err();
    let wanted = "config.a.0: stands for a secret value, but none is stored there";
    assert_eq!(error.to_string(), wanted);
}

#[tokio::test]
async fn a_secret_of_the_pack_is_refused_where_the_action_has_none() {
    let world = World::furnished().await;
    let ports = &world.ports;
    secretive(&world).await;
    let schema = json!({"api-key": {"type": "string", "secret": true}});
    let change = PackChange { conf_schema: Some(schema), ..PackChange::default() };
    packs::update(ports, "my", &change).await.unwrap();
    let fine = rule_with(json!({"token": "Bearer {{ pack.config.api-key }}"}));
    rules::create(ports, &fine).await.unwrap();
    let leaking = json!({"text": "Bearer {{ pack.config.api-key }}"});
    let wanted = "action_params: `pack.config.api-key` is secret, but `text` is no secret parameter of the action";
    let other = NewRule { reference: reference("p.new"), ..rule_with(leaking.clone()) };
    for refused in [
        rules::create(ports, &other).await.unwrap_err(),
        rules::update(ports, "p.rule", &params(leaking)).await.unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), wanted);
    }
    assert_eq!(read::get::<Rule>(ports, "p.new").await.unwrap(), None);
}

#[tokio::test]
async fn a_sensor_keeps_the_secrets_of_its_configuration_sealed() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let schema = json!({"key": {"type": "string", "secret": true, "minLength": 5}});
    let said = json!({"key": SECRET, "url": OPEN, "type": "interval", "seconds": 60});
    let new = NewSensor {
        reference: reference("p.watch"),
        pack_ref: "my".into(),
        label: "Watch".into(),
        description: None,
        enabled: true,
        entrypoint: "watch.py".into(),
        runtime_ref: "core.python".into(),
        trigger_ref: "p.one".into(),
        param_schema: Some(schema),
        config: Some(said.clone()),
        placement: Default::default(),
    };
    let first = sensors::create(ports, &new).await.unwrap();
    let stored = first.config.clone().unwrap();
    assert_eq!(stored["key"], redacted());
    assert_eq!(opened(&world, &first, &stored).await, said);
    assert!(first.timer.is_some());
    assert!(world.has_on_disk(OPEN).await && !world.has_on_disk(SECRET).await);

    let back = SensorChange { config: Some(stored.clone()), ..SensorChange::default() };
    assert_eq!(sensors::update(ports, "p.watch", &back).await.unwrap(), first, "marks sent back");
    let sensor = sensors::set_enabled(ports, "p.watch", false).await.unwrap();
    assert_eq!(opened(&world, &sensor, &sensor.config.clone().unwrap()).await, said);
    let short = SensorChange { config: Some(json!({"key": "sh"})), ..SensorChange::default() };
    let error = sensors::update(ports, "p.watch", &short).await.unwrap_err();
    assert!(!error.to_string().contains("\"sh\""), "{error}");
}

#[tokio::test]
async fn secrets_in_the_files_of_a_pack_are_sealed_and_sealed_only_once() {
    let files = [
        (
            "pack.yaml",
            format!(
                "ref: demo\nlabel: Demo\nversion: \"1.0.0\"\nconf_schema: {{token: {{type: string, \
                 secret: true}}}}\nconfig: {{token: {SECRET}-pack, url: {OPEN}}}\n"
            ),
        ),
        ("triggers/a.yaml", "ref: demo.seen\nlabel: Seen\n".to_owned()),
        (
            "actions/act.yaml",
            "ref: demo.act\nlabel: Act\nentry_point: echo hi\n\
             parameters: {token: {type: string, secret: true}}\n"
                .to_owned(),
        ),
        (
            "rules/on.yaml",
            format!(
                "ref: demo.on\nlabel: On\ntrigger_ref: demo.seen\naction_ref: demo.act\n\
                 action_params: {{token: {SECRET}-rule}}\n"
            ),
        ),
        (
            "sensors/look.yaml",
            format!(
                "ref: demo.look\nlabel: Look\nrunner_type: native\ntrigger_types: [demo.seen]\n\
                 parameters: {{key: {{type: string, secret: true}}}}\nconfig: {{key: {SECRET}-sensor}}\n"
            ),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let loaded = attune_packs::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    let world = World::new();
    let ports = &world.ports;
    let done = install(ports, &loaded, None, Origin::Startup).await.unwrap();
    assert_eq!(done.warnings, [""; 0]);
    let pack: Pack = read::require(ports, "demo").await.unwrap();
    let rule: Rule = read::require(ports, "demo.on").await.unwrap();
    let sensor: Sensor = read::require(ports, "demo.look").await.unwrap();
    let found = [
        opened(&world, &pack, &pack.config).await["token"].clone(),
        opened_params(&world, &rule).await["token"].clone(),
        opened(&world, &sensor, &sensor.config.clone().unwrap()).await["key"].clone(),
    ];
    assert_eq!(found, ["pack", "rule", "sensor"].map(|of| json!(format!("{SECRET}-{of}"))));
    assert!(world.has_on_disk(OPEN).await && !world.has_on_disk(SECRET).await);

    let before = world.everything().await;
    for origin in [Origin::Startup, Origin::Registration { force: true }] {
        install(ports, &loaded, None, origin).await.unwrap();
        assert_eq!(world.everything().await, before, "{origin:?}");
    }
    // Even where the note of the last time is lost, the same values make the same definitions.
    let forgotten = Commit::new().delete(layout::pack_sources("demo"), Expect::Any);
    ports.records.commit(forgotten).await.unwrap();
    install(ports, &loaded, None, Origin::Startup).await.unwrap();
    assert_eq!(read::require::<Rule>(ports, "demo.on").await.unwrap(), rule);
    assert_eq!(read::require::<Sensor>(ports, "demo.look").await.unwrap(), sensor);
}
