//! Packs from files: stored once, kept as people changed them, completed after a crash.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use attune_catalogue::packs::{self, PackChange};
use attune_catalogue::{
    Error, Installed, Origin, PermissionSet, install, links, policies, read, rules, timers,
};
use attune_domain::catalogue::{Action, Pack, Rule, Sensor, Trigger};
use attune_domain::policy::Policy;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use support::{World, new_rule};
use tempfile::TempDir;

const FILES: [(&str, &str); 7] = [
    (
        "pack.yaml",
        "ref: demo\nlabel: Demo\nversion: \"1.0.0\"\nsystem: true\nconfig: {url: here}\n",
    ),
    ("triggers/a.yaml", "ref: demo.seen\nlabel: Seen\n"),
    ("actions/act.yaml", "ref: demo.act\nlabel: Act\nentry_point: echo hi\n"),
    ("rules/on.yaml", "ref: demo.on\nlabel: On\ntrigger_ref: demo.seen\naction_ref: demo.act\n"),
    (
        "rules/wide.yaml",
        "ref: demo.wide\nlabel: Wide\ntrigger_ref: demo.seen\naction_ref: other.unknown\n",
    ),
    (
        "sensors/tick.yaml",
        "ref: demo.tick\nlabel: Tick\nrunner_type: native\ntrigger_types: [demo.seen]\n\
         config: {type: interval, seconds: 60}\n",
    ),
    ("policies/few.yaml", "ref: demo.few\naction_ref: demo.act\nthreshold: 2\n"),
];

fn files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        write(folder.path(), path, text);
    }
    folder
}

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

async fn installed(world: &World, folder: &TempDir, origin: Origin) -> Result<Installed, Error> {
    let pack = attune_packs::load(folder.path()).unwrap_or_else(|errors| panic!("{errors}"));
    install(&world.ports, &pack, Some("/packs/demo"), origin).await
}

const FORCED: Origin = Origin::Registration { force: true };

#[tokio::test]
async fn a_pack_brings_all_its_definitions() {
    let (world, folder) = (World::new(), files());
    let done = installed(&world, &folder, Origin::Startup).await.unwrap();
    assert!(done.created && done.pack.is_standard);
    assert_eq!(done.pack.config, json!({"url": "here"}));
    let [warning] = done.warnings.as_slice() else { panic!("{:?}", done.warnings) };
    assert!(warning.contains("demo.wide") && warning.contains("other.unknown"), "{warning}");
    let ports = &world.ports;
    let rule: Rule = read::require(ports, "demo.on").await.unwrap();
    assert_eq!(world.bound("demo.seen").await, [rule.id.get()]);
    let sensor: Sensor = read::require(ports, "demo.tick").await.unwrap();
    assert_eq!(world.scheduled().await[0].1, sensor.timer.unwrap().generation);
    let policy: Policy = read::require(ports, "demo.few").await.unwrap();
    assert_eq!(policy.terms.limit, Some(2));
    for adhoc in [
        read::require::<Action>(ports, "demo.act").await.unwrap().is_adhoc,
        read::require::<Trigger>(ports, "demo.seen").await.unwrap().is_adhoc,
    ] {
        assert!(!adhoc);
    }
}

#[tokio::test]
async fn installing_again_writes_nothing() {
    let (world, folder) = (World::new(), files());
    installed(&world, &folder, Origin::Startup).await.unwrap();
    let before = (world.everything().await, world.scheduled().await);
    for origin in [Origin::Startup, FORCED] {
        assert!(!installed(&world, &folder, origin).await.unwrap().created);
        assert_eq!((world.everything().await, world.scheduled().await), before, "{origin:?}");
    }
    let refused = installed(&world, &folder, Origin::Registration { force: false }).await;
    assert!(matches!(refused, Err(Error::Conflict(_))));
}

#[tokio::test]
async fn what_people_changed_survives_restarts() {
    let (world, folder) = (World::new(), files());
    installed(&world, &folder, Origin::Startup).await.unwrap();
    let ports = &world.ports;
    let id = read::require::<Pack>(ports, "demo").await.unwrap().id;
    let change = PackChange { config: Some(json!({"url": "there"})), ..PackChange::default() };
    packs::update(ports, "demo", &change).await.unwrap();
    rules::set_enabled(ports, "demo.on", false).await.unwrap();
    policies::delete(ports, "demo.few").await.unwrap();

    installed(&world, &folder, Origin::Startup).await.unwrap();
    let pack: Pack = read::require(ports, "demo").await.unwrap();
    assert_eq!((pack.id, pack.config), (id, json!({"url": "there"})));
    assert!(!read::require::<Rule>(ports, "demo.on").await.unwrap().enabled);
    assert!(read::get::<Policy>(ports, "demo.few").await.unwrap().is_none(), "stays deleted");

    installed(&world, &folder, FORCED).await.unwrap();
    assert!(read::get::<Policy>(ports, "demo.few").await.unwrap().is_some(), "asked for");
}

#[tokio::test]
async fn files_that_changed_win_and_files_that_went_take_their_definitions_along() {
    let (world, folder) = (World::new(), files());
    installed(&world, &folder, Origin::Startup).await.unwrap();
    let ports = &world.ports;
    let before: Rule = read::require(ports, "demo.on").await.unwrap();
    let adhoc = rules::NewRule {
        pack_ref: "demo".into(),
        trigger_ref: "demo.seen".into(),
        action_ref: "demo.act".into(),
        ..new_rule("demo.mine")
    };
    rules::create(ports, &adhoc).await.unwrap();
    write(folder.path(), "rules/on.yaml", &FILES[3].1.replace("label: On", "label: Off"));
    fs::remove_file(folder.path().join("sensors/tick.yaml")).unwrap();
    fs::remove_file(folder.path().join("policies/few.yaml")).unwrap();
    installed(&world, &folder, Origin::Startup).await.unwrap();

    let after: Rule = read::require(ports, "demo.on").await.unwrap();
    assert_eq!((after.label.as_str(), after.id, after.created), ("Off", before.id, before.created));
    assert!(read::get::<Sensor>(ports, "demo.tick").await.unwrap().is_none());
    assert!(read::get::<Policy>(ports, "demo.few").await.unwrap().is_none());
    assert!(world.scheduled().await.is_empty());
    assert!(read::get::<Rule>(ports, "demo.mine").await.unwrap().is_some(), "ad-hoc rules stay");
}

#[tokio::test]
async fn a_rule_that_was_left_out_comes_when_its_action_has_come() {
    let (world, folder) = (World::new(), files());
    installed(&world, &folder, Origin::Startup).await.unwrap();
    world.pack("my").await;
    world.action("other.unknown").await;
    let done = installed(&world, &folder, Origin::Startup).await.unwrap();
    assert!(done.warnings.is_empty(), "{:?}", done.warnings);
    assert_eq!(world.bound("demo.seen").await.len(), 2);
}

#[tokio::test]
async fn an_installation_cut_short_anywhere_is_completed_by_the_next() {
    let folder = files();
    let whole = World::new();
    installed(&whole, &folder, Origin::Startup).await.unwrap();
    let keys = |found: Vec<(attune_ports::Key, u64)>| {
        // Ids differ from world to world; how many there are does not.
        found
            .into_iter()
            .map(|(key, _)| (key.partition.clone(), !key.partition.ends_with(".id"), key.sort))
            .map(|(partition, named, sort)| (partition, if named { sort } else { String::new() }))
            .collect::<Vec<_>>()
    };
    let expected = keys(whole.everything().await);
    for commits in 0.. {
        let mut world = World::new();
        let sound = Arc::clone(&world.ports.records);
        let failing = support::failing::Failing {
            inner: Arc::clone(&sound),
            left: AtomicUsize::new(commits),
        };
        world.ports.records = Arc::new(failing);
        let done = installed(&world, &folder, Origin::Startup).await;
        world.ports.records = sound;
        if done.is_ok() {
            assert_eq!(commits, 7, "the pack, five definitions and the note: a commit each");
            return;
        }
        installed(&world, &folder, Origin::Startup).await.unwrap();
        links::reconcile(&world.ports).await.unwrap();
        timers::reconcile(&world.ports).await.unwrap();
        assert_eq!(keys(world.everything().await), expected, "after {commits} commits");
        assert_eq!(world.bound("demo.seen").await.len(), 1, "after {commits} commits");
        assert_eq!(world.scheduled().await.len(), 1, "after {commits} commits");
    }
}

#[tokio::test]
async fn deleting_a_pack_takes_all_that_is_its_own() {
    let (world, folder) = (World::furnished().await, files());
    let before = world.everything().await;
    installed(&world, &folder, Origin::Startup).await.unwrap();
    let ports = &world.ports;
    let far = rules::NewRule { action_ref: "demo.act".into(), ..new_rule("p.far") };
    rules::create(ports, &far).await.unwrap();
    let refused = packs::delete(ports, "demo", false).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "system packs need force");
    assert!(read::get::<Rule>(ports, "demo.on").await.unwrap().is_some());

    packs::delete(ports, "demo", true).await.unwrap();
    let far: Rule = read::require(ports, "p.far").await.unwrap();
    assert_eq!((far.action, far.action_ref.as_str()), (None, "demo.act"));
    assert!(world.bound("p.one").await.is_empty());
    rules::delete(ports, "p.far").await.unwrap();
    let names = |found: &[(attune_ports::Key, u64)]| {
        found
            .iter()
            .map(|(key, _)| key.clone())
            .filter(|key| key.partition != "generation")
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&world.everything().await), names(&before), "nothing is left behind");
    assert!(world.scheduled().await.is_empty());
}

#[tokio::test]
async fn the_core_pack_installs_without_a_word() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    attune_packs::builtin::write_to(folder.path()).unwrap();
    let done = installed(&world, &folder, Origin::Startup).await.unwrap();
    assert!(done.pack.is_standard && done.warnings.is_empty(), "{:?}", done.warnings);
    let rule: Rule = read::require(&world.ports, "core.timer_10s_echo").await.unwrap();
    assert_eq!(world.bound("core.intervaltimer").await, [rule.id.get()]);
    assert_eq!(world.scheduled().await[0].1, rule.timer.unwrap().generation);
    let sets = read::all::<PermissionSet>(&world.ports).await.unwrap();
    assert!(sets.iter().any(|set| set.reference.as_str() == "core.admin"));
    let before = world.everything().await;
    installed(&world, &folder, Origin::Startup).await.unwrap();
    assert_eq!(world.everything().await, before);
}
