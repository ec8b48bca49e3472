//! Triggers with webhooks and timers, sensors, policies, lists, and the repair of schedules.

mod support;

use attune_catalogue::policies::NewPolicy;
use attune_catalogue::sensors::NewSensor;
use attune_catalogue::triggers::{NewTrigger, TriggerChange};
use attune_catalogue::{
    Error, cloud_events, layout, packs, policies, read, rules, secrets, sensors, timers, triggers,
};
use attune_domain::catalogue::{Rule, Sensor, Timer, Trigger};
use attune_domain::id::IdentityId;
use attune_domain::policy::{Method, Rate, Scope, Terms};
use attune_ports::{Schedule, Subscription};
use serde_json::json;
use support::{World, every, new_rule, new_trigger, reference};

#[tokio::test]
async fn a_webhook_key_opens_one_trigger_until_it_is_closed() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let refused = triggers::regenerate_webhook(ports, "p.one").await;
    assert!(matches!(refused, Err(Error::Refused(_))), "a closed webhook has no key to renew");
    let key = |trigger: Trigger| trigger.webhook.unwrap().key;
    let first = key(triggers::enable_webhook(ports, "p.one").await.unwrap());
    assert_eq!((first.len(), &first[..3]), (35, "wh_"));
    assert_eq!(key(triggers::enable_webhook(ports, "p.one").await.unwrap()), first, "kept");
    let second = key(triggers::regenerate_webhook(ports, "p.one").await.unwrap());
    assert_ne!(second, first);
    assert!(read::trigger_by_webhook(ports, &first).await.unwrap().is_none(), "the old key died");
    let found = read::trigger_by_webhook(ports, &second).await.unwrap().unwrap();
    assert_eq!(found.reference.as_str(), "p.one");
    assert!(triggers::disable_webhook(ports, "p.one").await.unwrap().webhook.is_none());
    assert!(read::trigger_by_webhook(ports, &second).await.unwrap().is_none());

    let third = key(triggers::enable_webhook(ports, "p.one").await.unwrap());
    triggers::delete(ports, "p.one").await.unwrap();
    assert!(read::trigger_by_webhook(ports, &third).await.unwrap().is_none());
}

#[tokio::test]
async fn a_triggers_own_timer_ticks_while_it_is_enabled() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let config = Some(json!({"type": "interval", "seconds": 10}));
    for (name, new) in [
        ("p.by_config", NewTrigger { config: config.clone(), ..new_trigger("p.by_config") }),
        ("p.by_schema", NewTrigger { param_schema: config.clone(), ..new_trigger("p.by_schema") }),
    ] {
        triggers::create(ports, &new).await.unwrap();
        let first = world.scheduled().await[0].clone();
        assert_eq!(first.0, format!("trigger/{name}"));
        triggers::set_enabled(ports, name, false).await.unwrap();
        assert!(world.scheduled().await.is_empty(), "{name} while disabled");
        triggers::set_enabled(ports, name, true).await.unwrap();
        let again = world.scheduled().await[0].clone();
        assert!(again.1 > first.1, "{name} starts anew");
        let label = TriggerChange { label: Some("x".into()), ..TriggerChange::default() };
        triggers::update(ports, name, &label).await.unwrap();
        assert_eq!(world.scheduled().await, [again], "{name} keeps its grid");
        triggers::delete(ports, name).await.unwrap();
        assert!(world.scheduled().await.is_empty(), "{name} is gone");
    }
    for bad in [json!({"type": "interval", "seconds": 0}), json!({"type": "moon"}), json!({})] {
        let new = NewTrigger { config: Some(bad.clone()), ..new_trigger("p.bad") };
        let error = triggers::create(ports, &new).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{bad}: {error:?}");
    }
    assert!(read::get::<Trigger>(ports, "p.bad").await.unwrap().is_none());
}

fn new_sensor(name: &str) -> NewSensor {
    NewSensor {
        reference: reference(name),
        pack_ref: "my".into(),
        label: name.into(),
        description: None,
        enabled: true,
        entrypoint: "watch.py".into(),
        runtime_ref: "core.python".into(),
        trigger_ref: "p.one".into(),
        param_schema: None,
        config: Some(json!({"type": "cron", "expression": "0 * * * *", "timezone": "Europe/Rome"})),
        placement: Default::default(),
    }
}

#[tokio::test]
async fn a_sensors_timer_follows_the_sensor() {
    let world = World::furnished().await;
    let ports = &world.ports;
    sensors::create(ports, &new_sensor("p.sensor")).await.unwrap();
    assert_eq!(world.scheduled().await.len(), 1);
    sensors::set_enabled(ports, "p.sensor", false).await.unwrap();
    assert!(world.scheduled().await.is_empty());
    sensors::set_enabled(ports, "p.sensor", true).await.unwrap();
    sensors::delete(ports, "p.sensor").await.unwrap();
    assert!(world.scheduled().await.is_empty());
    for (what, new) in [
        ("an unknown trigger", NewSensor { trigger_ref: "p.no".into(), ..new_sensor("p.bad") }),
        (
            "a bad time zone",
            NewSensor {
                config: Some(json!({"type": "cron", "expression": "0 * * * *", "timezone": "X/Y"})),
                ..new_sensor("p.bad")
            },
        ),
    ] {
        assert!(sensors::create(ports, &new).await.is_err(), "{what}");
        assert!(read::get::<Sensor>(ports, "p.bad").await.unwrap().is_none(), "{what}");
    }
}

#[tokio::test]
async fn schedules_that_went_astray_are_repaired() {
    let world = World::furnished().await;
    let ports = &world.ports;
    for name in ["p.lost", "p.old", "p.right"] {
        rules::create(ports, &every(10, name)).await.unwrap();
    }
    let expected = world.scheduled().await;
    let rule: Rule = read::require(ports, "p.old").await.unwrap();
    let timer = rule.timer.unwrap();
    ports.schedules.remove("rule/p.lost").await.unwrap();
    ports.schedules.remove("rule/p.old").await.unwrap();
    let old = Timer { generation: timer.generation - 1, ..timer.clone() };
    for (name, timer) in [("rule/p.old", old), ("rule/p.ghost", timer)] {
        ports.schedules.set(Schedule { name: name.into(), timer }).await.unwrap();
    }
    assert_eq!(timers::reconcile(ports).await.unwrap(), 3, "lost, old and ghost");
    assert_eq!(world.scheduled().await, expected);
    assert_eq!(timers::reconcile(ports).await.unwrap(), 0);
}

#[tokio::test]
async fn a_subscription_follows_its_trigger() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let buses = async || {
        let all = ports.cloud_events.list().await.unwrap();
        all.into_iter().map(|one| (one.trigger_ref.to_string(), one.bus)).collect::<Vec<_>>()
    };
    let config = |bus: Option<&str>| {
        let pattern = json!({"source": ["aws.s3"]});
        Some(json!({"type": "cloud_event", "event_pattern": pattern, "event_bus": bus}))
    };
    let default = [("p.cloud".to_owned(), None)];
    let new = NewTrigger { config: config(None), ..new_trigger("p.cloud") };
    let made = triggers::create(ports, &new).await.unwrap();
    assert!(made.cloud_event.is_some() && made.timer.is_none());
    assert_eq!(buses().await, default);
    triggers::set_enabled(ports, "p.cloud", false).await.unwrap();
    assert!(buses().await.is_empty(), "while disabled");
    triggers::set_enabled(ports, "p.cloud", true).await.unwrap();
    assert_eq!(buses().await, default);
    let change = |config| TriggerChange { config, ..TriggerChange::default() };
    triggers::update(ports, "p.cloud", &change(config(Some("orders")))).await.unwrap();
    assert_eq!(buses().await, [("p.cloud".to_owned(), Some("orders".to_owned()))]);

    // A lost one, a wrong one and one of a trigger that is gone.
    let other = NewTrigger { config: config(None), ..new_trigger("p.lost") };
    triggers::create(ports, &other).await.unwrap();
    let wanted = buses().await;
    let all = ports.cloud_events.list().await.unwrap();
    ports.cloud_events.unsubscribe(&reference("p.lost")).await.unwrap();
    for name in ["p.cloud", "p.ghost"] {
        let wrong = Subscription { trigger_ref: reference(name), bus: None, ..all[0].clone() };
        ports.cloud_events.subscribe(&wrong).await.unwrap();
    }
    assert_eq!(cloud_events::reconcile(ports).await.unwrap(), 3);
    assert_eq!(buses().await, wanted);
    assert_eq!(cloud_events::reconcile(ports).await.unwrap(), 0);

    let timer = Some(json!({"type": "interval", "seconds": 10}));
    let changed = triggers::update(ports, "p.cloud", &change(timer)).await.unwrap();
    assert!(changed.cloud_event.is_none() && changed.timer.is_some());
    triggers::delete(ports, "p.lost").await.unwrap();
    assert!(buses().await.is_empty());
    let bad = Some(json!({"type": "cloud_event", "event_pattern": {"source": "aws.s3"}}));
    let error = triggers::update(ports, "p.cloud", &change(bad)).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(text) if text.contains("event_pattern.source")));
}

fn new_policy(name: &str) -> NewPolicy {
    NewPolicy {
        reference: reference(name),
        description: None,
        scope: Scope::Action(reference("p.act")),
        terms: Terms { limit: Some(1), ..Terms::default() },
        parameters: vec![],
        priority_parameter: None,
        max_attempts: 1,
        enabled: true,
    }
}

#[tokio::test]
async fn every_change_of_a_policy_is_noticed() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let key = layout::policies_generation();
    let mut seen = vec![world.generation(&key).await];
    policies::create(ports, &new_policy("p.few")).await.unwrap();
    seen.push(world.generation(&key).await);
    let changed = policies::update(ports, "p.few", |policy| {
        policy.enabled = false;
        policy.terms.method = Method::Cancel;
        Ok(())
    });
    assert!(!changed.await.unwrap().enabled);
    seen.push(world.generation(&key).await);
    policies::delete(ports, "p.few").await.unwrap();
    seen.push(world.generation(&key).await);
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[tokio::test]
async fn a_bad_policy_is_refused_and_leaves_nothing() {
    let world = World::furnished().await;
    let before = world.everything().await;
    let bad = || new_policy("p.bad");
    let terms = |terms: Terms| NewPolicy { terms, ..bad() };
    let rate = Rate { limit: 1, per_seconds: 0, burst: None };
    for (what, new) in [
        ("no executions at all", terms(Terms { limit: Some(0), ..Terms::default() })),
        ("a period of nothing", terms(Terms { rate: Some(rate), ..Terms::default() })),
        ("no wait", terms(Terms { wait_timeout_seconds: Some(0), ..Terms::default() })),
        ("no attempt", NewPolicy { max_attempts: 0, ..bad() }),
        ("a broken path", NewPolicy { parameters: vec!["a..b".into()], ..bad() }),
        ("an unknown action", NewPolicy { scope: Scope::Action(reference("p.no")), ..bad() }),
        ("an unknown identity", NewPolicy { scope: Scope::Identity(IdentityId::new(9)), ..bad() }),
    ] {
        assert!(policies::create(&world.ports, &new).await.is_err(), "{what}");
        assert_eq!(world.everything().await, before, "{what}");
    }
}

#[tokio::test]
async fn lists_are_in_the_order_of_refs_and_know_their_length() {
    let world = World::furnished().await;
    let ports = &world.ports;
    for n in [3, 1, 5, 2, 4] {
        let enabled = n % 2 == 1;
        let new = rules::NewRule { enabled, ..new_rule(&format!("p.r{n}")) };
        rules::create(ports, &new).await.unwrap();
    }
    ports.records.settle().await.unwrap();
    let names = |found: read::Listing<Rule>| {
        let names: Vec<_> = found.items.iter().map(|rule| rule.reference.to_string()).collect();
        (names.join(" "), found.total)
    };
    let part = |after: Option<&str>, offset, limit| read::Part {
        after: after.map(str::to_owned),
        offset,
        limit,
    };
    for (part, all, enabled) in [
        (read::Part::ALL, ("p.r1 p.r2 p.r3 p.r4 p.r5", 5), ("p.r1 p.r3 p.r5", 3)),
        (part(None, 1, 2), ("p.r2 p.r3", 5), ("p.r3 p.r5", 3)),
        (part(Some("p.r3"), 0, 9), ("p.r4 p.r5", 5), ("p.r5", 3)),
        (part(None, 9, 9), ("", 5), ("", 3)),
    ] {
        let (expected, total) = all;
        let found = names(read::page::<Rule>(ports, &part).await.unwrap());
        assert_eq!(found, (expected.to_owned(), total), "{part:?}");
        let (expected, total) = enabled;
        let found = names(read::filtered(ports, &part, |rule: &Rule| rule.enabled).await.unwrap());
        assert_eq!(found, (expected.to_owned(), total), "{part:?}, enabled");
    }
}

#[tokio::test]
async fn an_id_is_found_as_long_as_it_is_that_definitions() {
    let world = World::furnished().await;
    let first = read::require::<Trigger>(&world.ports, "p.one").await.unwrap().id.get();
    let found: Trigger = read::by_id(&world.ports, first).await.unwrap();
    assert_eq!(found.reference.as_str(), "p.one");
    triggers::delete(&world.ports, "p.one").await.unwrap();
    world.trigger("p.one").await;
    let error = read::by_id::<Trigger>(&world.ports, first).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Trigger '{first}' not found"));
}

#[tokio::test]
async fn secrets_of_a_configuration_survive_being_sent_back_as_marks() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let change = packs::PackChange {
        conf_schema: Some(
            json!({"token": {"type": "string", "secret": true}, "url": {"type": "string"}}),
        ),
        config: Some(json!({"token": "hush", "url": "a"})),
        ..packs::PackChange::default()
    };
    let stored = packs::update(ports, "my", &change).await.unwrap();
    let mut shown = stored.clone();
    packs::redact(&mut shown);
    assert!(!shown.config.to_string().contains("hush"));
    let mut config = shown.config;
    config["url"] = json!("b");
    let change = packs::PackChange { config: Some(config), ..packs::PackChange::default() };
    let stored = packs::update(ports, "my", &change).await.unwrap();
    let mut opened = stored.config.clone();
    secrets::restore(&*ports.vault, &stored, &mut opened).await.unwrap();
    assert_eq!(opened, json!({"token": "hush", "url": "b"}));
}
