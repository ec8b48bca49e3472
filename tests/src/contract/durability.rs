//! Records: what a crash leaves.

use super::records::{commit, held, record, tallied};
use super::{Ending, Fixture, Options, repetitions};
use attune_domain::id::EventId;
use attune_domain::message::Step;
use attune_ports::records::{Commit, Error, Expect, Write};
use attune_ports::{Key, Outgoing, Ports, Query, Queue};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::runtime::Handle;

/// What has settled is there after a crash; so is everything after a clean end.
pub async fn settled_records_survive_a_crash<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let key = Key::new("p", "a");
    commit(fixture.ports(), Commit::new().put(record("p", "a", &json!(1)).counted("a"))).await;
    fixture.ports().records.settle().await.expect("it settles");
    fixture.restart(Ending::Crash).await;
    assert_eq!(held(fixture.ports(), &key).await, Some((json!(1), 1)));

    commit(fixture.ports(), Commit::new().put(record("p", "a", &json!(2)).counted("a"))).await;
    fixture.restart(Ending::Clean).await;
    assert_eq!(held(fixture.ports(), &key).await, Some((json!(2), 2)));
    tallied(&fixture, "a", &[("a", 1)]).await;
}

/// Settling never hangs: not at the start, and not after what has left nothing to write.
pub async fn settling_returns_although_nothing_is_to_be_written<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let settle = async |when: &str| {
        let settled = tokio::time::timeout(Duration::from_secs(20), ports.records.settle()).await;
        settled.unwrap_or_else(|_| panic!("settling hangs {when}")).expect("it settles");
    };
    settle("at the start").await;
    for _ in 0..repetitions::<F>(20) {
        commit(ports, Commit::new().create(record("p", "a", &json!(1)))).await;
        commit(ports, Commit::new().delete(Key::new("p", "a"), Expect::Any)).await;
        settle("after a record that came and went").await;
        send(ports, 1).await;
        let taken = ports.queues.receive(Queue::Match, 1, Duration::from_secs(20)).await;
        let receipts = taken.expect("readable").into_iter().map(|taken| taken.receipt).collect();
        ports.queues.acknowledge(Queue::Match, receipts).await.expect("it is noted");
        settle("after a message that came and went").await;
    }
    commit(ports, Commit::new().check(Key::new("p", "a"), Expect::Absent)).await;
    settle("after a commit that wrote nothing").await;
}

async fn send(ports: &Ports, event: i64) {
    let step = Step::EventCreated { event: EventId::new(event) };
    let message = Outgoing::new(step.into(), "", 0);
    ports.queues.send(Queue::Match, vec![message]).await.expect("it can be sent");
}

/// A commit and the message after it, many times, then a crash: never a message without its commit, and
/// never a later commit without the earlier message.
pub async fn messages_follow_their_commits<F: Fixture>() {
    let messages = repetitions::<F>(400) as i64;
    for pause in [0, 3, 6, 9].into_iter().take(repetitions::<F>(4)) {
        let mut fixture = F::fresh(Options::default()).await;
        let ports = fixture.ports().clone();
        for n in 1..=messages {
            commit(&ports, Commit::new().put(record("p", &format!("{n:04}"), &json!(n)))).await;
            send(&ports, n).await;
            if n % 100 == pause {
                let ports = ports.clone();
                tokio::spawn(async move { ports.records.settle().await });
            }
        }
        fixture.restart(Ending::Crash).await;
        let ports = fixture.ports();
        let found = ports.records.query(&Query::partition("p", 1000)).await.expect("readable");
        let commits = found.records.len() as u64;
        let messages = ports.queues.depth(Queue::Match).await.expect("readable");
        assert!(
            commits == messages || commits == messages + 1,
            "{commits} commits and {messages} messages survived"
        );
    }
}

/// A tally does not know of records that a crash took.
pub async fn tallies_agree_with_the_records_after_a_crash<F: Fixture>() {
    for round in 0..repetitions::<F>(10) {
        let mut fixture = F::fresh(Options::default()).await;
        for n in 0..repetitions::<F>(200) + round * 37 {
            let record = record("p", &n.to_string(), &json!(n)).counted("all");
            commit(fixture.ports(), Commit::new().put(record)).await;
            if n % 50 == 0 {
                let ports = fixture.ports().clone();
                tokio::spawn(async move { ports.records.settle().await });
                tokio::task::yield_now().await;
            }
        }
        fixture.restart(Ending::Crash).await;
        let records = &fixture.ports().records;
        let found = records.query(&Query::partition("p", 1000)).await.expect("readable");
        let count = found.records.len() as u64;
        let expected = [("all", count)];
        tallied(&fixture, "all", if count > 0 { &expected } else { &[] }).await;
    }
}

/// Keys that the sequences of commits write to.
const KEYS: u8 = 6;

#[derive(Clone, Debug)]
enum Expectation {
    Absent,
    Current,
    Outdated,
    Any,
}

#[derive(Clone, Debug)]
struct Change {
    key: u8,
    remove: bool,
    expect: Expectation,
}

#[derive(Clone, Debug)]
enum Move {
    Commit(Vec<Change>),
    /// Wait until all is durable.
    Settle,
    /// Ask for durability, and go on meanwhile.
    Nudge,
    Restart(Ending),
}

fn steps() -> impl Strategy<Value = Vec<Move>> {
    let expect = prop_oneof![
        2 => Just(Expectation::Absent),
        4 => Just(Expectation::Current),
        1 => Just(Expectation::Outdated),
        4 => Just(Expectation::Any),
    ];
    let change = (0..KEYS, prop::bool::weighted(0.3), expect)
        .prop_map(|(key, remove, expect)| Change { key, remove, expect });
    let step = prop_oneof![
        30 => prop::collection::vec(change, 0..4).prop_map(Move::Commit),
        2 => Just(Move::Settle),
        4 => Just(Move::Nudge),
        1 => Just(Move::Restart(Ending::Crash)),
        1 => Just(Move::Restart(Ending::Clean)),
    ];
    prop::collection::vec(step, 1..80)
}

/// What one partition holds: sort key to body and version.
type Held = BTreeMap<String, (Value, u64)>;

/// The states that the store went through, one a commit, and which of them must survive.
struct Model {
    states: Vec<Held>,
    settled: usize,
}

impl Model {
    fn now(&self) -> &Held {
        self.states.last().expect("there is always the empty state")
    }

    /// What the commit is as the store gets it, and what holds after it where it succeeds.
    fn decide(&self, number: usize, changes: &[Change]) -> (Commit, Option<Held>) {
        let mut commit = Commit::new().put(record("p", "number", &json!(number)));
        let mut after = self.now().clone();
        let mut holds = true;
        apply(&mut after, "number", Some(json!(number)));
        for change in changes {
            let sort = change.key.to_string();
            let key = Key::new("p", &*sort);
            if commit.writes.iter().any(|write| *write.key() == key) {
                continue;
            }
            let version = self.now().get(&sort).map_or(0, |(_, version)| *version);
            let (expect, is_met) = match change.expect {
                Expectation::Absent => (Expect::Absent, version == 0),
                Expectation::Current if version == 0 => (Expect::Absent, true),
                Expectation::Current => (Expect::Version(version), true),
                Expectation::Outdated => (Expect::Version(version + 1), false),
                Expectation::Any => (Expect::Any, true),
            };
            holds &= is_met;
            if change.remove {
                commit = commit.delete(key, expect);
                apply(&mut after, &sort, None);
            } else {
                let record = record("p", &sort, &json!(number));
                commit.writes.push(Write::Put { record, expect });
                apply(&mut after, &sort, Some(json!(number)));
            }
        }
        (commit, holds.then_some(after))
    }
}

fn apply(held: &mut Held, sort: &str, body: Option<Value>) {
    match body {
        None => drop(held.remove(sort)),
        Some(body) => {
            let version = held.get(sort).map_or(0, |(_, version)| *version);
            held.insert(sort.to_owned(), (body, version + 1));
        }
    }
}

async fn observed(ports: &Ports) -> Held {
    let page = ports.records.query(&Query::partition("p", 100)).await.expect("readable");
    let entry = |found: attune_ports::Record| {
        (found.key.sort.clone(), (found.decode().expect("JSON"), found.version))
    };
    page.records.into_iter().map(entry).collect()
}

async fn run<F: Fixture>(steps: Vec<Move>) -> Result<(), TestCaseError> {
    let mut fixture = F::fresh(Options::default()).await;
    let mut model = Model { states: vec![Held::new()], settled: 0 };
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Move::Commit(changes) => {
                let (commit, after) = model.decide(number, &changes);
                let result = fixture.ports().records.commit(commit).await;
                prop_assert_eq!(result.is_ok(), after.is_some(), "{:?}", result);
                prop_assert!(matches!(result, Ok(()) | Err(Error::Stale(_))), "{:?}", result);
                model.states.extend(after);
            }
            Move::Settle => {
                fixture.ports().records.settle().await.expect("it settles");
                model.settled = model.states.len() - 1;
            }
            Move::Nudge => {
                let ports = fixture.ports().clone();
                tokio::spawn(async move { ports.records.settle().await });
                tokio::task::yield_now().await;
            }
            Move::Restart(ending) => {
                fixture.restart(ending).await;
                let survived = observed(fixture.ports()).await;
                let found = model.states.iter().rposition(|state| *state == survived);
                prop_assert!(found.is_some(), "no state the store was ever in: {:?}", survived);
                let found = found.unwrap_or(0);
                let least =
                    if ending == Ending::Clean { model.states.len() - 1 } else { model.settled };
                prop_assert!(found >= least, "{} of {} states survived", found, least);
                model.states.truncate(found + 1);
                model.settled = found;
            }
        }
        prop_assert_eq!(&observed(fixture.ports()).await, model.now());
        for key in 0..KEYS {
            let sort = key.to_string();
            let held = held(fixture.ports(), &Key::new("p", &*sort)).await;
            prop_assert_eq!(held.as_ref(), model.now().get(&sort));
        }
    }
    Ok(())
}

/// Random commits with settling, crashes and clean ends in between, against a model that is a map: every
/// read agrees with it, and what a crash leaves is a state that the store was in, no older than what had
/// settled.
pub async fn what_survives_a_crash_is_a_prefix<F: Fixture>() {
    let cases = repetitions::<F>(48) as u32;
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&steps(), |steps| Handle::current().block_on(run::<F>(steps)))
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
