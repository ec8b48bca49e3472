//! Records: commits and what they may expect.

use super::{Fixture, Options, repetitions};
use crate::eventually::eventually;
use attune_ports::records::{
    Commit, Error, Expect, Kind, MAX_COMMIT_BYTES, MAX_RECORD_BYTES, MAX_WRITES, Record,
};
use attune_ports::{Key, Ports};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

/// A record of a kind without meaning.
pub(super) fn record(partition: &str, sort: &str, body: &Value) -> Record {
    Record::new(Kind::Event, Key::new(partition, sort), body)
}

/// What a key holds, with its version.
pub(super) async fn held(ports: &Ports, key: &Key) -> Option<(Value, u64)> {
    let record = ports.records.get(key).await.expect("records can be read")?;
    Some((record.decode().expect("the body is JSON"), record.version))
}

/// Commits what cannot fail.
pub(super) async fn commit(ports: &Ports, commit: Commit) {
    ports.records.commit(commit).await.expect("nothing speaks against the commit");
}

/// Waits until the tallies under names that start so are these; names that nothing is counted under are left
/// out.
pub(super) async fn tallied<F: Fixture>(fixture: &F, prefix: &str, expected: &[(&str, u64)]) {
    let records = &fixture.ports().records;
    records.settle().await.expect("it settles");
    let expected: Vec<_> = expected.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    let read = async || {
        let mut tallies = records.tally(prefix).await.expect("readable");
        tallies.retain(|(_, count)| *count > 0);
        tallies
    };
    if F::FOLLOWS_AT_ONCE {
        assert_eq!(read().await, expected, "{prefix}");
    } else {
        let what = format!("the tally {expected:?}");
        eventually(&what, async || (read().await == expected).then_some(())).await;
    }
}

/// A commit's writes show in reads at once, each with the next version.
pub async fn a_commit_is_seen_by_the_next_read<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let (a, b) = (Key::new("p", "a"), Key::new("p", "b"));
    assert_eq!(held(ports, &a).await, None);

    commit(ports, Commit::new().create(record("p", "a", &json!(1)))).await;
    assert_eq!(held(ports, &a).await, Some((json!(1), 1)));
    commit(ports, Commit::new().put(record("p", "a", &json!(2)))).await;
    assert_eq!(held(ports, &a).await, Some((json!(2), 2)));

    let both = ports.records.get_all(&[b.clone(), a.clone(), b]).await.expect("readable");
    let versions: Vec<Option<u64>> =
        both.iter().map(|found| found.as_ref().map(|record| record.version)).collect();
    assert_eq!(versions, [None, Some(2), None], "in the order asked for");

    ports.records.settle().await.expect("it settles");
    commit(ports, Commit::new().delete(a.clone(), Expect::Version(2))).await;
    assert_eq!(held(ports, &a).await, None);
    commit(ports, Commit::new().put(record("p", "a", &json!(3)))).await;
    assert_eq!(held(ports, &a).await, Some((json!(3), 1)), "made anew, it counts anew");
}

/// What is over a limit is refused, what is just within is not.
pub async fn limits_are_enforced<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let many = |count: usize| {
        (0..count)
            .fold(Commit::new(), |commit, n| commit.put(record("p", &n.to_string(), &json!(n))))
    };
    // Two of the bytes are the quotes of a JSON text.
    let sized = |sort: &str, bytes: usize| record("p", sort, &json!("x".repeat(bytes - 2)));
    let heavy = |rest: usize| {
        let full = MAX_COMMIT_BYTES / MAX_RECORD_BYTES;
        let commit = (0..full)
            .fold(Commit::new(), |commit, n| commit.put(sized(&n.to_string(), MAX_RECORD_BYTES)));
        commit.put(sized("rest", MAX_COMMIT_BYTES - full * MAX_RECORD_BYTES + rest))
    };
    let twice =
        Commit::new().put(record("p", "a", &json!(1))).check(Key::new("p", "a"), Expect::Any);
    for (case, tried, fits) in [
        ("as many writes as may be", many(MAX_WRITES), true),
        ("one write too many", many(MAX_WRITES + 1), false),
        ("the largest record", Commit::new().put(sized("a", MAX_RECORD_BYTES)), true),
        ("a record one byte too large", Commit::new().put(sized("a", MAX_RECORD_BYTES + 1)), false),
        ("the largest commit", heavy(0), true),
        ("a commit one byte too large", heavy(1), false),
    ] {
        let result = ports.records.commit(tried).await;
        assert_eq!(result.is_ok(), fits, "{case}: {result:?}");
        assert!(matches!(result, Ok(()) | Err(Error::TooLarge(_))), "{case}: {result:?}");
    }
    let result = ports.records.commit(twice).await;
    let is_repeated = matches!(&result, Err(Error::Repeated(key)) if *key == Key::new("p", "a"));
    assert!(is_repeated, "one record twice: {result:?}");
}

/// Every write's expectation against every state of its record.
pub async fn expectations_decide<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    // State of the record before: version 0, absent.
    for (number, (before, expect, holds)) in [
        (0, Expect::Absent, true),
        (0, Expect::Version(1), false),
        (0, Expect::Any, true),
        (1, Expect::Absent, false),
        (1, Expect::Version(1), true),
        (1, Expect::Version(2), false),
        (2, Expect::Version(1), false),
        (2, Expect::Version(2), true),
        (2, Expect::Any, true),
    ]
    .into_iter()
    .enumerate()
    {
        for write in ["put", "delete", "check"] {
            let (partition, key) = ("p", Key::new("p", format!("{number}.{write}")));
            for version in 0..before {
                commit(ports, Commit::new().put(record(partition, &key.sort, &json!(version))))
                    .await;
            }
            let state = held(ports, &key).await;
            let tried = match write {
                "put" => {
                    let mut tried = Commit::new();
                    let record = record(partition, &key.sort, &json!("new"));
                    tried.writes.push(attune_ports::records::Write::Put { record, expect });
                    tried
                }
                "delete" => Commit::new().delete(key.clone(), expect),
                _ => Commit::new().check(key.clone(), expect),
            };
            let result = ports.records.commit(tried).await;
            let case = format!("{write} of version {before} expecting {expect:?}: {result:?}");
            let after = match (holds, write) {
                (true, "put") => Some((json!("new"), before + 1)),
                (true, "delete") => None,
                _ => state,
            };
            match result {
                Ok(()) => assert!(holds, "{case}"),
                Err(Error::Stale(stale)) => assert!(!holds && stale == key, "{case}"),
                Err(_) => panic!("{case}"),
            }
            assert_eq!(held(ports, &key).await, after, "{case}");
        }
    }
}

/// One unmet expectation, wherever it stands, leaves nothing of the others.
pub async fn a_commit_happens_whole_or_not_at_all<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let seeded = Commit::new()
        .put(record("p", "changed", &json!("before")).counted("things"))
        .put(record("p", "removed", &json!("before")).counted("things"));
    commit(ports, seeded).await;
    ports.records.settle().await.expect("it settles");
    for unmet in 0..4 {
        let mut tried = Commit::new()
            .create(record("p", "made", &json!("after")).counted("things"))
            .put(record("q", "changed", &json!("after")).counted("things"))
            .delete(Key::new("p", "removed"), Expect::Version(1));
        let check = Commit::new().check(Key::new("p", "missing"), Expect::Version(1));
        tried.writes.splice(unmet.min(3)..unmet.min(3), check.writes);
        let result = ports.records.commit(tried).await;
        assert!(matches!(result, Err(Error::Stale(_))), "{result:?}");
        assert_eq!(held(ports, &Key::new("p", "made")).await, None);
        assert_eq!(held(ports, &Key::new("q", "changed")).await, None);
        assert_eq!(held(ports, &Key::new("p", "removed")).await, Some((json!("before"), 1)));
    }
    tallied(&fixture, "things", &[("things", 2)]).await;
}

/// From its moment on an expired record is not read and does not stand in the way.
pub async fn an_expired_record_counts_as_none<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let key = Key::new("p", "a");
    let fleeting =
        record("p", "a", &json!("old")).until(Some(Utc::now() + TimeDelta::milliseconds(60)));
    commit(ports, Commit::new().create(fleeting)).await;
    ports.records.settle().await.expect("it settles");
    eventually("the record expires", async || held(ports, &key).await.is_none().then_some(()))
        .await;

    let result = ports.records.commit(Commit::new().check(key.clone(), Expect::Version(1))).await;
    assert!(matches!(result, Err(Error::Stale(_))), "{result:?}");
    commit(ports, Commit::new().create(record("p", "a", &json!("new")))).await;
    assert_eq!(held(ports, &key).await.map(|(body, _)| body), Some(json!("new")));

    let born_dead = record("p", "b", &json!(1)).until(Some(Utc::now() - TimeDelta::seconds(1)));
    commit(ports, Commit::new().put(born_dead)).await;
    assert_eq!(held(ports, &Key::new("p", "b")).await, None);
}

/// Tallies follow what is made, changed and removed, and are read by prefix.
pub async fn tallies_count_records_under_their_names<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let of = |sort: &str, tally: &str| record("p", sort, &json!(null)).counted(tally);
    let made = Commit::new()
        .put(of("a", "run/new"))
        .put(of("b", "run/new"))
        .put(of("c", "run/new"))
        .put(of("d", "other"));
    commit(ports, made).await;
    let changed = Commit::new()
        .put(of("a", "run/old"))
        .put(record("p", "b", &json!(null)))
        .delete(Key::new("p", "d"), Expect::Any)
        .delete(Key::new("p", "never"), Expect::Any);
    commit(ports, changed).await;
    tallied(&fixture, "run/", &[("run/new", 1), ("run/old", 1)]).await;
    tallied(&fixture, "other", &[]).await;
}

/// Fifty at once, each adding one ten times: conditional commits lose none of it.
pub async fn increments_at_the_same_time_lose_nothing<F: Fixture>() {
    const TASKS: u64 = 50;
    let each = repetitions::<F>(10) as u64;
    let fixture = F::fresh(Options::default()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..TASKS {
        let ports = fixture.ports().clone();
        tasks.spawn(async move {
            let key = Key::new("counter", "");
            let mut left = each;
            while left > 0 {
                let (count, version) = held(&ports, &key).await.unwrap_or((json!(0), 0));
                let next = json!(count.as_u64().expect("a number") + 1);
                let tried = Commit::new().replace(record("counter", "", &next), version);
                match ports.records.commit(tried).await {
                    Ok(()) => left -= 1,
                    Err(Error::Stale(_)) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("no task fails");
    }
    let all = TASKS * each;
    assert_eq!(held(fixture.ports(), &Key::new("counter", "")).await, Some((json!(all), all)));
}

/// The ports of a step that has read these keys ahead.
async fn step(ports: &Ports, keys: &[Key]) -> Ports {
    match ports.records.ahead(keys).await {
        Some(records) => Ports { records, ..ports.clone() },
        None => ports.clone(),
    }
}

/// Two records, and their keys.
async fn pair(ports: &Ports) -> [Key; 2] {
    commit(
        ports,
        Commit::new().create(record("ahead", "a", &json!(1))).create(record(
            "ahead",
            "b",
            &json!(1),
        )),
    )
    .await;
    ["a", "b"].map(|sort| Key::new("ahead", sort))
}

/// What one step has read ahead, no other is told: neither one that begins later, nor one that reads as usual.
pub async fn what_a_step_reads_ahead_is_its_own<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let [a, b] = pair(ports).await;
    let keys = [a.clone(), b, Key::new("ahead", "c")];
    let early = step(ports, &keys).await;
    commit(&fixture.another().await, Commit::new().put(record("ahead", "a", &json!(2)))).await;
    let late = step(ports, &keys).await;
    assert_eq!(held(&early, &keys[1]).await, Some((json!(1), 1)));
    assert_eq!(held(&early, &keys[2]).await, None);
    for ports in [ports, &late] {
        assert_eq!(held(ports, &a).await, Some((json!(2), 2)));
    }
}

/// A record that a step has written is read as it was written, although it was read ahead before.
pub async fn a_step_sees_what_it_writes<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let [a, b] = pair(fixture.ports()).await;
    let step = step(fixture.ports(), &[a.clone(), b.clone()]).await;
    commit(
        &step,
        Commit::new().replace(record("ahead", "a", &json!(2)), 1).delete(b.clone(), Expect::Any),
    )
    .await;
    assert_eq!(held(&step, &a).await, Some((json!(2), 2)));
    assert_eq!(held(&step, &b).await, None);
}

/// Somebody else was faster than a step that had read ahead: its commit fails, and it reads what is there now.
pub async fn a_decision_is_made_again_on_fresh_records<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let [a, b] = pair(fixture.ports()).await;
    let step = step(fixture.ports(), &[a.clone(), b.clone()]).await;
    let others = Commit::new().put(record("ahead", "a", &json!("theirs"))).put(record(
        "ahead",
        "b",
        &json!("theirs"),
    ));
    commit(&fixture.another().await, others).await;
    let refused = step.records.commit(Commit::new().replace(record("ahead", "a", &json!(2)), 1));
    assert!(matches!(refused.await, Err(Error::Stale(key)) if key == a));
    for key in [a, b] {
        assert_eq!(held(&step, &key).await, Some((json!("theirs"), 2)));
    }
}
