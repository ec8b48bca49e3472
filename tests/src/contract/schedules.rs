//! Schedules: what is to tick, and the ticks.

use super::{Ending, Fixture, Options, TakeTick};
use crate::eventually::eventually;
use attune_domain::Timestamp;
use attune_domain::catalogue::Timer;
use attune_domain::timer::TimerSpec;
use attune_ports::{Ports, Schedule, Tick, Unavailable};
use chrono::{TimeDelta, Utc};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

const NAME: &str = "rule/p.timer";

fn schedule(name: &str, generation: i64, config: &Value, anchor: Timestamp) -> Schedule {
    let spec = TimerSpec::parse_config(config).expect("the timer is right");
    Schedule { name: name.to_owned(), timer: Timer { spec, anchor, generation } }
}

fn every_second() -> Value {
    json!({"type": "interval", "seconds": 1})
}

fn once_at(moment: Timestamp) -> Value {
    json!({"type": "one_shot", "fire_at": moment.to_rfc3339()})
}

async fn set(ports: &Ports, schedule: Schedule) {
    ports.schedules.set(schedule).await.expect("it can be set");
}

async fn list(ports: &Ports) -> Vec<(String, i64)> {
    let mut all = ports.schedules.list().await.expect("they can be listed");
    all.sort();
    all
}

/// Gathers ticks, and refuses as many as it is told to.
#[derive(Clone, Default)]
struct Gathered {
    ticks: Arc<Mutex<Vec<Tick>>>,
    refusals: Arc<Mutex<u32>>,
}

impl Gathered {
    fn refusing(count: u32) -> Self {
        Self { refusals: Arc::new(Mutex::new(count)), ..Self::default() }
    }

    fn take(&self) -> TakeTick {
        let own = self.clone();
        Arc::new(move |tick| {
            own.ticks.lock().push(tick.clone());
            let mut refusals = own.refusals.lock();
            if *refusals > 0 {
                *refusals -= 1;
                return Err(Unavailable::new("the test", "not now"));
            }
            Ok(())
        })
    }

    fn of(&self, name: &str) -> Vec<Tick> {
        self.ticks.lock().iter().filter(|tick| tick.name == name).cloned().collect()
    }

    /// The ticks of a schedule once there are so many.
    async fn until(&self, name: &str, count: usize) -> Vec<Tick> {
        eventually(&format!("{count} ticks of {name}"), async || {
            let ticks = self.of(name);
            (ticks.len() >= count).then_some(ticks)
        })
        .await
    }
}

/// Names and generations are listed; an older generation does not replace a newer one.
pub async fn schedules_are_set_replaced_and_removed<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let far = json!({"type": "interval", "hours": 1});
    let now = Utc::now();
    assert!(list(ports).await.is_empty());
    set(ports, schedule(NAME, 5, &far, now)).await;
    set(ports, schedule("sensor/p.two", 1, &far, now)).await;
    let two = ("sensor/p.two".to_owned(), 1);
    assert_eq!(list(ports).await, [(NAME.to_owned(), 5), two.clone()]);
    for (generation, kept) in [(5, 5), (6, 6), (4, 6)] {
        set(ports, schedule(NAME, generation, &far, now)).await;
        assert_eq!(list(ports).await, [(NAME.to_owned(), kept), two.clone()], "set {generation}");
    }
    for _ in 0..2 {
        ports.schedules.remove(NAME).await.expect("removing nothing succeeds");
        assert_eq!(list(ports).await, std::slice::from_ref(&two));
    }
    set(ports, schedule(NAME, 1, &far, now)).await;
    assert_eq!(list(ports).await.len(), 2, "what was removed can be set anew");
}

/// What was set or removed before settling is so after a crash.
pub async fn schedules_survive_a_crash_once_settled<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let far = json!({"type": "cron", "expression": "0 0 1 1 *", "timezone": "Europe/Berlin"});
    for name in ["rule/p.a", "rule/p.b", "rule/p.c"] {
        set(fixture.ports(), schedule(name, 3, &far, Utc::now())).await;
    }
    fixture.ports().schedules.remove("rule/p.b").await.expect("it can be removed");
    fixture.ports().records.settle().await.expect("it settles");
    fixture.restart(Ending::Crash).await;
    let kept = [("rule/p.a".to_owned(), 3), ("rule/p.c".to_owned(), 3)];
    assert_eq!(list(fixture.ports()).await, kept);
}

/// Ticks lie on the grid of the anchor, one after the other, counted, none before it is due.
pub async fn an_interval_ticks_on_its_grid<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let gathered = Gathered::default();
    fixture.deliver_ticks(gathered.take());
    let anchor = Utc::now() - TimeDelta::milliseconds(300);
    set(fixture.ports(), schedule(NAME, 2, &every_second(), anchor)).await;
    let ticks = gathered.until(NAME, 3).await;
    assert!(Utc::now() >= ticks[2].scheduled_at, "not before it is due");
    for (n, tick) in (1..).zip(&ticks) {
        assert_eq!(tick.generation, 2);
        assert_eq!(tick.count, n);
        let since = tick.scheduled_at - anchor;
        assert_eq!(since.subsec_nanos(), 0, "{since} after the anchor");
    }
    let passed = |pair: &[Tick]| (pair[1].scheduled_at - pair[0].scheduled_at).num_seconds();
    for pair in ticks.windows(2) {
        assert_eq!(
            passed(pair),
            1 + i64::try_from(pair[1].missed).expect("few"),
            "none is left out"
        );
    }
}

/// A one-shot fires once: not again after a restart, and not at all before its moment.
pub async fn a_one_shot_ticks_once_even_over_a_restart<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let gathered = Gathered::default();
    let moment = Utc::now() + TimeDelta::milliseconds(120);
    set(fixture.ports(), schedule(NAME, 1, &once_at(moment), Utc::now())).await;
    fixture.restart(Ending::Clean).await;
    fixture.deliver_ticks(gathered.take());
    let tick = gathered.until(NAME, 1).await.remove(0);
    assert!(Utc::now() >= moment);
    let late = (tick.scheduled_at - moment).abs();
    assert!(late < TimeDelta::milliseconds(1), "scheduled for {}", tick.scheduled_at);
    assert_eq!((tick.count, tick.missed), (1, 0));

    // A later one-shot shows that the ticks before it were all there are.
    let mut probe = Utc::now() + TimeDelta::milliseconds(50);
    set(fixture.ports(), schedule("rule/p.probe", 1, &once_at(probe), Utc::now())).await;
    gathered.until("rule/p.probe", 1).await;
    // That a tick was taken is noted after it was: only then may the deployment end.
    fixture.ports().records.settle().await.expect("it settles");
    fixture.restart(Ending::Clean).await;
    fixture.deliver_ticks(gathered.take());
    probe = Utc::now() + TimeDelta::milliseconds(50);
    set(fixture.ports(), schedule("rule/p.last", 1, &once_at(probe), Utc::now())).await;
    gathered.until("rule/p.last", 1).await;
    assert_eq!(gathered.of(NAME).len(), 1);
}

/// A moment before the anchor is accepted and never comes.
pub async fn a_moment_that_has_passed_never_ticks<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let gathered = Gathered::default();
    fixture.deliver_ticks(gathered.take());
    let past = once_at(Utc::now() - TimeDelta::hours(1));
    set(fixture.ports(), schedule(NAME, 1, &past, Utc::now())).await;
    let soon = once_at(Utc::now() + TimeDelta::milliseconds(60));
    set(fixture.ports(), schedule("rule/p.probe", 1, &soon, Utc::now())).await;
    gathered.until("rule/p.probe", 1).await;
    assert!(gathered.of(NAME).is_empty());
}

/// A tick comes again, the same, until somebody takes it.
pub async fn a_tick_that_was_not_taken_comes_again<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let gathered = Gathered::refusing(2);
    fixture.deliver_ticks(gathered.take());
    let moment = once_at(Utc::now() + TimeDelta::milliseconds(50));
    set(fixture.ports(), schedule(NAME, 9, &moment, Utc::now())).await;
    let ticks = gathered.until(NAME, 3).await;
    assert!(ticks.iter().all(|tick| *tick == ticks[0]), "{ticks:?}");
    let probe = once_at(Utc::now() + TimeDelta::milliseconds(50));
    set(fixture.ports(), schedule("rule/p.probe", 1, &probe, Utc::now())).await;
    gathered.until("rule/p.probe", 1).await;
    assert_eq!(gathered.of(NAME).len(), 3, "once taken, it is over");
}

/// Neither a removed schedule nor an older generation ticks on.
pub async fn a_schedule_that_is_removed_or_replaced_stops<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let gathered = Gathered::default();
    fixture.deliver_ticks(gathered.take());
    let ports = fixture.ports();
    let anchor = Utc::now() - TimeDelta::milliseconds(800);
    set(ports, schedule("rule/p.removed", 1, &every_second(), anchor)).await;
    set(ports, schedule("rule/p.replaced", 1, &every_second(), anchor)).await;
    gathered.until("rule/p.removed", 1).await;
    gathered.until("rule/p.replaced", 1).await;
    ports.schedules.remove("rule/p.removed").await.expect("it can be removed");
    set(ports, schedule("rule/p.replaced", 2, &every_second(), Utc::now())).await;
    let removed = gathered.of("rule/p.removed").len();
    let ticks = eventually("the new generation has ticked twice", async || {
        let ticks = gathered.of("rule/p.replaced");
        (ticks.iter().filter(|tick| tick.generation == 2).count() >= 2).then_some(ticks)
    })
    .await;
    let first = ticks.iter().position(|tick| tick.generation == 2).expect("it has ticked");
    assert!(ticks[first..].iter().all(|tick| tick.generation == 2), "{ticks:?}");
    assert_eq!(ticks[first].count, 1, "a new generation counts anew");
    assert_eq!(gathered.of("rule/p.removed").len(), removed);
}

/// What went by while nothing ran fires once, at the next start, and says how much it stands for.
pub async fn what_was_missed_ticks_once<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let gathered = Gathered::default();
    let anchor = Utc::now() - TimeDelta::milliseconds(900);
    set(fixture.ports(), schedule(NAME, 1, &every_second(), anchor)).await;
    fixture.deliver_ticks(gathered.take());
    gathered.until(NAME, 1).await;
    let probe = once_at(Utc::now() + TimeDelta::milliseconds(30));
    set(fixture.ports(), schedule("rule/p.probe", 1, &probe, Utc::now())).await;
    gathered.until("rule/p.probe", 1).await;
    fixture.ports().records.settle().await.expect("it settles");
    fixture.restart(Ending::Clean).await;
    let before = gathered.of(NAME);
    let last = before.last().expect("it has ticked").clone();
    eventually("three more ticks went by", async || {
        (Utc::now() > last.scheduled_at + TimeDelta::milliseconds(3_100)).then_some(())
    })
    .await;
    fixture.deliver_ticks(gathered.take());
    if !F::SLEEPS {
        // What was planned before waited to be taken in, in whatever order; none is left out.
        eventually("every tick has come", async || {
            let mut ticks = gathered.of(NAME);
            ticks.sort_by_key(|tick| tick.scheduled_at);
            ticks.dedup_by_key(|tick| tick.scheduled_at);
            let follows = |pair: &[Tick]| {
                let passed = (pair[1].scheduled_at - pair[0].scheduled_at).num_seconds();
                passed == 1 + i64::try_from(pair[1].missed).expect("few")
            };
            (ticks.len() >= before.len() + 2 && ticks.windows(2).all(follows)).then_some(())
        })
        .await;
        return;
    }
    let ticks = gathered.until(NAME, before.len() + 2).await;
    let (made_up, next) = (&ticks[before.len()], &ticks[before.len() + 1]);
    let between = (made_up.scheduled_at - last.scheduled_at).num_seconds();
    assert!(between >= 3);
    assert_eq!(i64::try_from(made_up.missed).expect("few"), between - 1, "one of them is this one");
    assert_eq!(made_up.count, last.count + 1);
    assert_eq!(
        next.scheduled_at - made_up.scheduled_at,
        TimeDelta::seconds(1 + next.missed as i64)
    );
}
