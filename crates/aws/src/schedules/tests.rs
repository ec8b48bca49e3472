//! Schedules over real records, with a Scheduler and a queue that only take notes, and fail on demand.

use super::service::Service;
use super::{Entry, EventBridgeSchedules, Input, failed};
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_domain::catalogue::Timer;
use attune_domain::timer::TimerSpec;
use attune_ports::runner::{Cancelled, Invocation, Outcome};
use attune_ports::{Clock, Runner, Schedule, Schedules, Tick, Unavailable};
use chrono::TimeDelta;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Notes what exists and what was sent. Counts down to a failure, where it is to fail.
#[derive(Default)]
struct Notes {
    entries: Mutex<BTreeMap<String, Entry>>,
    sent: Mutex<Vec<Tick>>,
    until_failure: Mutex<Option<u32>>,
}

impl Notes {
    fn call(&self) -> Result<(), Unavailable> {
        let mut left = self.until_failure.lock();
        match left.as_mut() {
            None => Ok(()),
            Some(0) => Err(failed("the test says no")),
            Some(more) => {
                *more -= 1;
                Ok(())
            }
        }
    }
}

#[async_trait]
impl Service for Notes {
    async fn create(&self, entry: &Entry) -> Result<(), Unavailable> {
        self.call()?;
        self.entries.lock().entry(entry.name.clone()).or_insert_with(|| entry.clone());
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        self.call()?;
        self.entries.lock().remove(name);
        Ok(())
    }

    async fn send(&self, ticks: &[Tick], _: Timestamp) -> Result<(), Unavailable> {
        self.call()?;
        self.sent.lock().extend_from_slice(ticks);
        Ok(())
    }
}

/// A clock that is set by hand.
struct Hand(Mutex<Timestamp>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

struct Nobody;

#[async_trait]
impl Runner for Nobody {
    async fn run(&self, _: Invocation, _: Cancelled) -> Outcome {
        unreachable!("no timer runs an action")
    }

    fn is_pure(&self, _: attune_domain::runtime::Runtime, _: &str) -> bool {
        false
    }
}

struct World {
    schedules: EventBridgeSchedules,
    notes: Arc<Notes>,
    clock: Arc<Hand>,
    _local: attune_local::Local,
    _folder: tempfile::TempDir,
}

const START: &str = "2026-06-01T10:00:00Z";

fn start() -> Timestamp {
    START.parse().expect("a time")
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = attune_local::Config::default();
        let local = attune_local::open(folder.path(), &config, Arc::new(Nobody)).expect("it opens");
        let notes = Arc::new(Notes::default());
        let clock = Arc::new(Hand(Mutex::new(start())));
        let schedules = EventBridgeSchedules {
            records: local.ports.records.clone(),
            clock: clock.clone(),
            service: notes.clone(),
        };
        Self { schedules, notes, clock, _local: local, _folder: folder }
    }

    fn wait(&self, seconds: i64) {
        *self.clock.0.lock() += TimeDelta::seconds(seconds);
    }

    /// What exists in Scheduler, as its expressions.
    fn entries(&self) -> Vec<String> {
        let mut all: Vec<_> =
            self.notes.entries.lock().values().map(|entry| entry.expression.clone()).collect();
        all.sort();
        all
    }

    /// Seconds after the start for which ticks were sent, since last asked.
    fn sent(&self) -> Vec<i64> {
        let sent = std::mem::take(&mut *self.notes.sent.lock());
        sent.iter().map(|tick| (tick.scheduled_at - start()).num_seconds()).collect()
    }

    async fn set(&self, schedule: &Schedule) {
        self.schedules.set(schedule.clone()).await.expect("it can be set");
    }

    async fn take(&self, input: Input) -> Option<Tick> {
        let text = serde_json::to_string(&input).expect("JSON");
        self.schedules.take(serde_json::from_str(&text).expect("an input")).await.expect("taken")
    }

    /// Fires every one-time schedule that is due, and the plan of the minute.
    async fn fire(&self) {
        let now = self.clock.now();
        let entries: Vec<Entry> = self.notes.entries.lock().values().cloned().collect();
        for entry in entries {
            let due = match &entry.input {
                Input::Link { at, .. } => *at <= now,
                Input::Plan {} => true,
                _ => false,
            };
            if due {
                if entry.is_once() {
                    self.notes.entries.lock().remove(&entry.name);
                }
                assert_eq!(self.take(entry.input).await, None);
            }
        }
    }

    async fn list(&self) -> Vec<(String, i64)> {
        self.schedules.list().await.expect("they can be listed")
    }
}

fn schedule(config: &Value, generation: i64) -> Schedule {
    let spec = TimerSpec::parse_config(config).expect("a timer");
    Schedule { name: "rule/p.t".into(), timer: Timer { spec, anchor: start(), generation } }
}

fn every(seconds: u32) -> Value {
    json!({"type": "interval", "seconds": seconds})
}

fn once_after(seconds: i64) -> Value {
    let at = start() + TimeDelta::seconds(seconds);
    json!({"type": "one_shot", "fire_at": at.to_rfc3339()})
}

#[tokio::test]
async fn a_whole_minute_interval_has_a_schedule_of_its_own() {
    let world = World::new();
    let schedule = schedule(&every(60), 1);
    world.set(&schedule).await;
    // The first ones are planned, as Scheduler needs a while.
    assert_eq!(world.sent(), [60, 120]);
    assert_eq!(world.entries(), ["rate(1 minute)"]);
    let entry = world.notes.entries.lock().values().next().cloned().expect("it is there");
    assert_eq!(entry.start, Some(start() + TimeDelta::seconds(180)));
    assert!(entry.name.len() <= 64 && !entry.is_once());

    // It fires for the third tick, or for some moment close to it, or without telling.
    world.wait(187);
    let Input::Timer { schedule: carried, .. } = entry.input else { panic!("not a timer's input") };
    for said in ["2026-06-01T10:03:00Z", "2026-06-01T10:02:59Z", "<aws.scheduler.scheduled-time>"] {
        let input = Input::Timer { schedule: carried.clone(), scheduled_at: said.into() };
        let tick = world.take(input).await.expect("a tick");
        assert_eq!((tick.scheduled_at - start()).num_seconds(), 180, "{said}");
        assert_eq!((tick.count, tick.missed, tick.generation), (3, 0, 1));
    }
    world.schedules.remove("rule/p.t").await.expect("it can be removed");
    assert!(world.entries().is_empty() && world.list().await.is_empty());
}

#[tokio::test]
async fn a_new_setting_replaces_the_old_one() {
    let world = World::new();
    for (config, generation, entries) in [
        (every(60), 1, vec!["rate(1 minute)"]),
        (every(300), 2, vec!["rate(5 minutes)"]),
        (every(300), 2, vec!["rate(5 minutes)"]),
        // An older one comes late.
        (every(60), 1, vec!["rate(5 minutes)"]),
        (json!({"type": "cron", "expression": "0 9 * * *"}), 3, vec!["cron(0 9 * * ? *)"]),
        (once_after(7_230), 4, vec!["at(2026-06-01T11:59:00)"]),
        (every(10), 5, vec!["rate(1 minute)"]),
    ] {
        world.set(&schedule(&config, generation)).await;
        assert_eq!(world.entries(), entries, "{generation}");
    }
    assert_eq!(world.list().await, [("rule/p.t".to_owned(), 5)]);
    assert!(world.notes.entries.lock().contains_key("plan"), "the plan's, and no other");
}

#[tokio::test]
async fn seconds_ride_on_the_plan_of_the_minute() {
    let world = World::new();
    world.set(&schedule(&every(45), 1)).await;
    assert_eq!(world.sent(), [45, 90]);
    let mut all = vec![45, 90];
    for _ in 0..4 {
        world.wait(60);
        world.fire().await;
        all.extend(world.sent());
        // Firing twice plans nothing anew.
        world.fire().await;
        assert!(world.sent().is_empty());
    }
    assert_eq!(all, [45, 90, 135, 180, 225, 270, 315, 360]);
    world.schedules.remove("rule/p.t").await.expect("it can be removed");
    assert_eq!(world.entries().len(), 1, "the next plan finds that there is nothing to plan");
    world.fire().await;
    assert!(world.entries().is_empty() && world.sent().is_empty());
}

#[tokio::test]
async fn a_far_one_shot_is_precise_to_the_second() {
    let world = World::new();
    world.set(&schedule(&once_after(7_230), 1)).await;
    assert_eq!((world.sent(), world.entries().len()), (vec![], 1));
    world.wait(7_230 - 90);
    world.fire().await;
    assert_eq!(world.sent(), [7_230]);
    assert!(world.entries().is_empty());
    assert_eq!(world.list().await.len(), 1, "it stays until its rule lets it go");
    world.wait(3_600);
    world.set(&schedule(&once_after(7_230), 1)).await;
    assert!(world.sent().is_empty(), "it ticks once");
}

#[tokio::test]
async fn sparse_ticks_are_chained_and_dense_ones_ride() {
    let world = World::new();
    // Three times ten seconds apart, every day at noon.
    let config = json!({"type": "cron", "expression": "0,10,20 0 12 * * *"});
    world.set(&schedule(&config, 1)).await;
    let mut all = Vec::new();
    for _ in 0..(26 * 60 + 5) {
        world.wait(60);
        world.fire().await;
        all.extend(world.sent());
        assert_eq!(world.list().await.len(), 1);
    }
    let noon = 7_200;
    let next = noon + 86_400;
    assert_eq!(all, [noon, noon + 10, noon + 20, next, next + 10, next + 20]);
    assert_eq!(world.entries().len(), 1);
    let stored = super::stored::load(&*world.schedules.records, "rule/p.t").await;
    let stored = stored.expect("it can be read").expect("it is there");
    let super::Course::Link { progress, .. } = stored.value.course else { panic!("not chained") };
    assert_eq!(progress.count, 6);
}

#[tokio::test]
async fn a_plan_that_got_lost_is_noticed_and_made_up_for() {
    for config in [every(10), once_after(3_600)] {
        let world = World::new();
        let schedule = schedule(&config, 1);
        world.set(&schedule).await;
        world.sent();
        world.notes.entries.lock().clear();
        world.wait(3_600 + 301);
        let overdue = [("rule/p.t".to_owned(), super::OVERDUE)];
        assert_eq!(world.list().await, overdue, "{config}");
        world.set(&schedule).await;
        let made_up = world.notes.sent.lock()[0].clone();
        let expected = if config == every(10) { 3_900 } else { 3_600 };
        assert_eq!((made_up.scheduled_at - start()).num_seconds(), expected);
        assert_eq!(made_up.missed, if config == every(10) { 377 } else { 0 });
        assert_eq!(world.list().await.len(), 1);
    }
}

#[tokio::test]
async fn a_failure_anywhere_is_repaired_by_setting_again() {
    let configs = [every(60), every(10), once_after(7_200)];
    for old in &configs {
        for new in &configs {
            for failing in 0..6 {
                let world = World::new();
                world.set(&schedule(old, 1)).await;
                *world.notes.until_failure.lock() = Some(failing);
                let first = world.schedules.set(schedule(new, 2)).await;
                *world.notes.until_failure.lock() = None;
                if first.is_err() && world.list().await.contains(&("rule/p.t".into(), 2)) {
                    // All was done but the plan's schedule, which an hour shows.
                    world.wait(3_600);
                    assert!(!world.list().await.contains(&("rule/p.t".into(), 2)));
                }
                world.set(&schedule(new, 2)).await;
                assert_eq!(world.list().await, [("rule/p.t".to_owned(), 2)]);
                world.schedules.remove("rule/p.t").await.expect("it can be removed");
                world.fire().await;
                assert!(world.entries().is_empty(), "{old} {new} {failing}: {:?}", world.entries());
            }
        }
    }
}

#[tokio::test]
async fn what_nobody_wants_is_removed_when_it_fires() {
    let world = World::new();
    world.set(&schedule(&every(60), 1)).await;
    let tick = world.notes.sent.lock()[0].clone();
    world.schedules.unwanted(&tick).await.expect("looked at");
    assert_eq!(world.entries().len(), 1, "its record names it");
    let leftover = Entry::own(&schedule(&every(60), 0), "rate(1 minute)".into(), "UTC", start());
    world.notes.create(&leftover).await.expect("made");
    world.schedules.unwanted(&Tick { generation: 0, ..tick }).await.expect("removed");
    assert_eq!(world.entries().len(), 1);
}
