//! Rules: bound while they may fire, and only then.

mod support;

use attune_catalogue::rules::{self, NewRule, RuleChange};
use attune_catalogue::{Error, actions, layout, links, read, triggers};
use attune_domain::catalogue::Rule;
use serde_json::json;
use support::{World, every, map, new_rule, new_trigger};

#[tokio::test]
async fn a_rule_is_bound_while_it_is_enabled_and_what_it_names_exists() {
    let world = World::furnished().await;
    let ports = &world.ports;
    let rule = rules::create(ports, &new_rule("p.rule")).await.unwrap();
    let id = rule.id.get();
    let mut generation = world.generation(&layout::bindings_generation("p.one")).await;
    let steps = [
        ("made", true),
        ("disabled", false),
        ("enabled", true),
        ("without its action", false),
        ("with its action again", true),
        ("without its trigger", false),
        ("with its trigger again", true),
        ("deleted", false),
    ];
    for (n, (step, bound)) in steps.into_iter().enumerate() {
        match n {
            1 => drop(rules::set_enabled(ports, "p.rule", false).await.unwrap()),
            2 => drop(rules::set_enabled(ports, "p.rule", true).await.unwrap()),
            3 => drop(actions::delete(ports, "p.act").await.unwrap()),
            4 => drop(world.action("p.act").await),
            5 => drop(triggers::delete(ports, "p.one").await.unwrap()),
            6 => drop(world.trigger("p.one").await),
            7 => drop(rules::delete(ports, "p.rule").await.unwrap()),
            _ => {}
        }
        let expected = if bound { vec![id] } else { vec![] };
        assert_eq!(world.bound("p.one").await, expected, "{step}");
        let now = world.generation(&layout::bindings_generation("p.one")).await;
        assert!(n == 0 || now != generation, "{step}: matching must notice");
        generation = now;
        if let Some(stored) = read::get::<Rule>(ports, "p.rule").await.unwrap() {
            assert_eq!(stored.id.get(), id, "{step}");
            assert_eq!(stored.action.is_some(), n != 3, "{step}: its action's id");
            assert_eq!(stored.trigger.is_some(), n != 5, "{step}: its trigger's id");
            assert_eq!(stored.action_ref.as_str(), "p.act", "{step}: its refs stay");
        }
    }
}

#[tokio::test]
async fn a_rule_that_moves_leaves_its_old_trigger() {
    let world = World::furnished().await;
    let rule = rules::create(&world.ports, &new_rule("p.rule")).await.unwrap();
    let keys = [layout::bindings_generation("p.one"), layout::bindings_generation("p.two")];
    let before = [world.generation(&keys[0]).await, world.generation(&keys[1]).await];
    let change = RuleChange { trigger_ref: Some("p.two".into()), ..RuleChange::default() };
    rules::update(&world.ports, "p.rule", &change).await.unwrap();
    assert!(world.bound("p.one").await.is_empty());
    assert_eq!(world.bound("p.two").await, [rule.id.get()]);
    for (key, before) in keys.iter().zip(before) {
        assert_ne!(world.generation(key).await, before, "{key}");
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_writes_nothing() {
    let world = World::furnished().await;
    rules::create(&world.ports, &every(10, "p.rule")).await.unwrap();
    let before = world.everything().await;
    let change = RuleChange {
        label: Some("p.rule".into()),
        enabled: Some(true),
        trigger_params: Some(map(json!({"interval": 10, "unit": "seconds"}))),
        ..RuleChange::default()
    };
    rules::update(&world.ports, "p.rule", &change).await.unwrap();
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_timer_starts_anew_only_when_it_must() {
    let world = World::furnished().await;
    let ports = &world.ports;
    rules::create(ports, &every(10, "p.rule")).await.unwrap();
    let mut generation = world.scheduled().await[0].1;
    let params = |seconds: i64| Some(map(json!({"interval": seconds, "unit": "seconds"})));
    for (what, change, renewed) in [
        ("another label", RuleChange { label: Some("x".into()), ..Default::default() }, false),
        (
            "the same interval",
            RuleChange { trigger_params: params(10), ..Default::default() },
            false,
        ),
        ("another interval", RuleChange { trigger_params: params(20), ..Default::default() }, true),
    ] {
        rules::update(ports, "p.rule", &change).await.unwrap();
        let scheduled = world.scheduled().await;
        assert_eq!(scheduled.len(), 1, "{what}");
        assert_eq!(scheduled[0].1 != generation, renewed, "{what}");
        generation = scheduled[0].1;
    }
    rules::set_enabled(ports, "p.rule", false).await.unwrap();
    assert!(world.scheduled().await.is_empty(), "a disabled rule does not tick");
    let rule = rules::set_enabled(ports, "p.rule", true).await.unwrap();
    let timer = rule.timer.unwrap();
    assert!(timer.generation > generation, "enabling starts anew");
    assert_eq!(world.scheduled().await, [("rule/p.rule".to_owned(), timer.generation)]);
    actions::delete(ports, "p.act").await.unwrap();
    assert!(world.scheduled().await.is_empty(), "a rule without its action does not tick");
    world.action("p.act").await;
    assert_eq!(world.scheduled().await.len(), 1);
    rules::delete(ports, "p.rule").await.unwrap();
    assert!(world.scheduled().await.is_empty(), "a deleted rule does not tick");
}

#[tokio::test]
async fn a_bad_rule_is_refused_and_leaves_nothing() {
    let world = World::furnished().await;
    rules::create(&world.ports, &new_rule("p.taken")).await.unwrap();
    let before = (world.everything().await, world.scheduled().await);
    let bad = || new_rule("p.bad");
    let rows: Vec<(&str, NewRule, Expected)> = vec![
        ("a taken ref", new_rule("p.taken"), conflict),
        ("an unknown pack", NewRule { pack_ref: "q".into(), ..bad() }, missing),
        ("an unknown action", NewRule { action_ref: "p.none".into(), ..bad() }, missing),
        ("an unknown trigger", NewRule { trigger_ref: "p.none".into(), ..bad() }, missing),
        ("a ref that is none", NewRule { trigger_ref: "Nope".into(), ..bad() }, missing),
        ("no label", NewRule { label: String::new(), ..bad() }, invalid),
        ("a long label", NewRule { label: "x".repeat(256), ..bad() }, invalid),
        ("a missing parameter", NewRule { action_params: map(json!({})), ..bad() }, invalid),
        ("a wrong parameter", NewRule { action_params: map(json!({"n": "x"})), ..bad() }, invalid),
        ("no interval", NewRule { trigger_params: map(json!({})), ..every(1, "p.bad") }, invalid),
        ("interval 0", every(0, "p.bad"), invalid),
        ("interval 0, disabled", NewRule { enabled: false, ..every(0, "p.bad") }, invalid),
    ];
    for (what, new, expected) in rows {
        let error = rules::create(&world.ports, &new).await.unwrap_err();
        assert!(expected(&error), "{what}: {error:?}");
        assert_eq!((world.everything().await, world.scheduled().await), before, "{what}");
    }
}

type Expected = fn(&Error) -> bool;

fn missing(error: &Error) -> bool {
    matches!(error, Error::NotFound { .. })
}

fn conflict(error: &Error) -> bool {
    matches!(error, Error::Conflict(_))
}

fn invalid(error: &Error) -> bool {
    matches!(error, Error::Invalid(_))
}

#[tokio::test]
async fn templates_satisfy_any_parameter() {
    let world = World::furnished().await;
    let new =
        NewRule { action_params: map(json!({"n": "{{ event.payload.n }}"})), ..new_rule("p.r") };
    rules::create(&world.ports, &new).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_cannot_slip_past_the_deletion_of_its_action() {
    for _ in 0..20 {
        let world = World::furnished().await;
        let new = new_rule("p.rule");
        let (made, deleted) =
            tokio::join!(rules::create(&world.ports, &new), actions::delete(&world.ports, "p.act"));
        deleted.unwrap();
        if made.is_ok() {
            let rule: Rule = read::require(&world.ports, "p.rule").await.unwrap();
            assert_eq!(rule.action, None);
        }
        assert!(world.bound("p.one").await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rivals_leave_a_rule_whole() {
    let world = World::furnished().await;
    rules::create(&world.ports, &every(10, "p.rule")).await.unwrap();
    let rivals: Vec<_> = (0..8)
        .map(|n| {
            let ports = world.ports.clone();
            tokio::spawn(async move { rules::set_enabled(&ports, "p.rule", n % 2 == 0).await })
        })
        .collect();
    for rival in rivals {
        rival.await.unwrap().unwrap();
    }
    let rule: Rule = read::require(&world.ports, "p.rule").await.unwrap();
    assert_eq!(world.bound("core.intervaltimer").await.len(), usize::from(rule.enabled));
    assert_eq!(rule.timer.is_some(), rule.enabled);
    attune_catalogue::timers::reconcile(&world.ports).await.unwrap();
    let generations: Vec<i64> = world.scheduled().await.into_iter().map(|(_, g)| g).collect();
    assert_eq!(generations, rule.timer.iter().map(|timer| timer.generation).collect::<Vec<_>>());
}

#[tokio::test]
async fn many_rules_follow_their_trigger() {
    let world = World::furnished().await;
    for n in 0..60 {
        rules::create(&world.ports, &new_rule(&format!("p.rule{n:02}"))).await.unwrap();
    }
    triggers::delete(&world.ports, "p.one").await.unwrap();
    assert!(world.bound("p.one").await.is_empty());
    let astray = |rule: &Rule| rule.trigger.is_none();
    // Indexes are sure to have followed once everything is settled.
    world.ports.records.settle().await.unwrap();
    let found = read::rules_of_trigger(&world.ports, "p.one", &read::Part::ALL, |_| true).await;
    let found = found.unwrap();
    assert_eq!(found.total, 60, "they keep the ref");
    assert_eq!(found.items.iter().filter(|rule| astray(rule)).count(), 60, "they lose the id");
    triggers::create(&world.ports, &new_trigger("p.one")).await.unwrap();
    assert_eq!(world.bound("p.one").await.len(), 60);
}

#[tokio::test]
async fn what_a_crash_left_between_a_trigger_and_its_rules_is_repaired() {
    let world = World::furnished().await;
    rules::create(&world.ports, &new_rule("p.rule")).await.unwrap();
    // As if the process had died right after the deletion of the trigger alone.
    let key = layout::definition(attune_ports::records::Kind::Trigger, "p.one");
    let gone = attune_ports::Commit::new().delete(key, attune_ports::records::Expect::Any);
    world.ports.records.commit(gone).await.unwrap();
    links::reconcile(&world.ports).await.unwrap();
    assert!(world.bound("p.one").await.is_empty());
    let rule: Rule = read::require(&world.ports, "p.rule").await.unwrap();
    assert_eq!(rule.trigger, None);
}
