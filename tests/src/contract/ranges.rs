//! Records: ranges of partitions and of indexes.

use super::records::{commit, record};
use super::{Fixture, Options, repetitions};
use crate::eventually::eventually;
use attune_ports::records::{Commit, Expect, Index, Page};
use attune_ports::{Key, Ports, Query, Record};
use chrono::{TimeDelta, Utc};
use serde_json::json;

async fn page(ports: &Ports, query: &Query) -> Page {
    ports.records.query(query).await.expect("records can be queried")
}

/// Sort keys in the order found.
async fn sorts(ports: &Ports, query: &Query) -> Vec<String> {
    page(ports, query).await.records.into_iter().map(|found| found.key.sort).collect()
}

async fn settle(ports: &Ports) {
    ports.records.settle().await.expect("it settles");
}

/// Puts records with these sort keys into partition `p`.
async fn put(ports: &Ports, sorts: &[&str]) {
    for sort in sorts {
        commit(ports, Commit::new().put(record("p", sort, &json!(sort)))).await;
    }
}

fn all() -> Query {
    Query::partition("p", 100)
}

/// Each bound of a query, in both directions; before and after settling.
pub async fn a_partition_is_read_in_order<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    put(ports, &["b/2", "a/1", "c", "a/2", "b/10", "", "ä"]).await;
    put_elsewhere(ports).await;
    let down = || all().descending();
    let after = |query: Query, sort: &str| query.after(Some(sort.to_owned()));
    for settled in [false, true] {
        if settled {
            settle(ports).await;
        }
        for (case, query, expected) in [
            ("all", all(), &["", "a/1", "a/2", "b/10", "b/2", "c", "ä"][..]),
            ("all, largest first", down(), &["ä", "c", "b/2", "b/10", "a/2", "a/1", ""]),
            ("a prefix", all().prefix("a/"), &["a/1", "a/2"]),
            ("a prefix, largest first", down().prefix("b"), &["b/2", "b/10"]),
            ("a prefix that nothing has", all().prefix("x"), &[]),
            ("after one that is there", after(all(), "a/2"), &["b/10", "b/2", "c", "ä"]),
            ("after one that is not there", after(all(), "a/3"), &["b/10", "b/2", "c", "ä"]),
            ("down from one", after(down(), "b/10"), &["a/2", "a/1", ""]),
            ("up to one, included", all().until("a/2"), &["", "a/1", "a/2"]),
            ("down to one, included", down().until("b/2"), &["ä", "c", "b/2"]),
            ("between two", after(all(), "a/1").until("b/2"), &["a/2", "b/10", "b/2"]),
            ("down between two", after(down(), "c").until("a/2"), &["b/2", "b/10", "a/2"]),
            ("a prefix after one", after(all(), "b/10").prefix("b/"), &["b/2"]),
            ("an empty range", after(all(), "c").until("a"), &[]),
            ("nothing", Query::partition("q", 10), &[]),
        ] {
            assert_eq!(sorts(ports, &query).await, expected, "{case}, settled: {settled}");
        }
        pages_meet(ports).await;
    }
}

async fn put_elsewhere(ports: &Ports) {
    for partition in ["o", "p/", "pp"] {
        commit(ports, Commit::new().put(record(partition, "b", &json!(0)))).await;
    }
}

/// Following `next` shows everything once, in both directions and for every size of page.
async fn pages_meet(ports: &Ports) {
    for whole in [all(), all().descending()] {
        let expected = sorts(ports, &whole).await;
        for limit in 1..=expected.len() + 1 {
            let mut seen = Vec::new();
            let mut after = None;
            loop {
                let query = Query { limit, ..whole.clone() }.after(after);
                let page = page(ports, &query).await;
                assert!(page.records.len() <= limit);
                seen.extend(page.records.into_iter().map(|found| found.key.sort));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "pages of {limit}");
        }
    }
}

/// A query sees every commit that was made before it.
pub async fn a_partition_is_consistent_at_once<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let mut expected: Vec<String> = Vec::new();
    let many = repetitions::<F>(200);
    for n in 0..many {
        let sort = format!("{:03}", n * 7 % many);
        commit(ports, Commit::new().create(record("p", &sort, &json!(n)))).await;
        expected.push(sort);
        if n % 3 == 0 {
            let gone = expected.swap_remove(n / 3 % expected.len());
            commit(ports, Commit::new().delete(Key::new("p", gone), Expect::Version(1))).await;
        }
        expected.sort();
        assert_eq!(sorts(ports, &Query::partition("p", 1000)).await, expected, "after {n}");
    }
}

/// Unsettled writes lie over settled ones: added, changed, removed, and made again.
pub async fn a_partition_shows_what_is_unsettled_over_what_is_settled<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    put(ports, &["a", "c", "e", "g", "i"]).await;
    settle(ports).await;
    let changes = Commit::new()
        .delete(Key::new("p", "a"), Expect::Any)
        .put(record("p", "b", &json!("added")))
        .put(record("p", "c", &json!("changed")))
        .delete(Key::new("p", "g"), Expect::Any)
        .delete(Key::new("p", "i"), Expect::Any);
    commit(ports, changes).await;
    commit(ports, Commit::new().put(record("p", "i", &json!("again")))).await;
    for settled in [false, true] {
        let found = page(ports, &all()).await.records;
        let shown: Vec<(String, serde_json::Value)> = found
            .into_iter()
            .map(|found| (found.key.sort.clone(), found.decode().expect("JSON")))
            .collect();
        let expected = [("b", "added"), ("c", "changed"), ("e", "e"), ("i", "again")]
            .map(|(sort, body)| (sort.to_owned(), json!(body)));
        assert_eq!(shown, expected, "settled: {settled}");
        assert_eq!(sorts(ports, &Query::partition("p", 1)).await, ["b"]);
        assert_eq!(sorts(ports, &Query::partition("p", 2).descending()).await, ["i", "e"]);
        pages_meet(ports).await;
        settle(ports).await;
    }
}

/// A line that grows at one end and shrinks at the other, faster than it is written: its head is always
/// found, however few are asked for.
pub async fn what_comes_and_goes_before_it_is_written_hides_nothing<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let settling = {
        let ports = ports.clone();
        tokio::spawn(async move {
            loop {
                settle(&ports).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let (mut first, mut last) = (0_u32, 0_u32);
    for round in 0..repetitions::<F>(300) as u32 {
        let grown = (0..1 + round % 5).fold(Commit::new(), |commit, _| {
            last += 1;
            commit.create(record("p", &format!("{last:06}"), &json!(last)))
        });
        commit(ports, grown).await;
        let shrunk = (0..(round % 7).min(last - first - 1)).fold(Commit::new(), |commit, _| {
            first += 1;
            commit.delete(Key::new("p", format!("{first:06}")), Expect::Version(1))
        });
        commit(ports, shrunk).await;
        let head = format!("{:06}", first + 1);
        assert_eq!(sorts(ports, &Query::partition("p", 1)).await, [head], "round {round}");
        let tail = format!("{last:06}");
        assert_eq!(sorts(ports, &Query::partition("p", 1).descending()).await, [tail]);
    }
    settling.abort();
}

/// A record placed in two indexes.
fn placed(sort: &str, due: Option<&str>, list: &str) -> Record {
    let record = record("p", sort, &json!(sort)).at(Index::List, "list", list);
    match due {
        Some(due) => record.at(Index::Due, "due", due),
        None => record,
    }
}

/// Waits until an index shows exactly these records.
async fn shows(ports: &Ports, query: &Query, expected: &[&str]) {
    settle(ports).await;
    let what = format!("{query:?} shows {expected:?}");
    eventually(&what, async || (sorts(ports, query).await == expected).then_some(())).await;
}

/// Indexes follow a record's places: new ones, moved ones, and none any more.
pub async fn indexes_follow<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let due = Query::index(Index::Due, "due", 10);
    let list = Query::index(Index::List, "list", 10);
    let made = Commit::new()
        .put(placed("a", Some("3"), "1"))
        .put(placed("b", Some("1"), "2"))
        .put(placed("c", None, "3"));
    commit(ports, made).await;
    shows(ports, &due, &["b", "a"]).await;
    shows(ports, &list, &["a", "b", "c"]).await;

    let moved = Commit::new()
        .put(placed("a", Some("0"), "1"))
        .put(placed("b", None, "2"))
        .put(placed("c", Some("2"), "0"));
    commit(ports, moved).await;
    shows(ports, &due, &["a", "c"]).await;
    shows(ports, &list, &["c", "a", "b"]).await;

    commit(ports, Commit::new().delete(Key::new("p", "a"), Expect::Any)).await;
    shows(ports, &due, &["c"]).await;
    shows(ports, &list, &["c", "b"]).await;
    let mut found = page(ports, &due).await.records.remove(0);
    let own = ports.records.get(&Key::new("p", "c")).await.expect("readable");
    let mut own = own.expect("it is there");
    for record in [&mut found, &mut own] {
        record.places.sort_by_key(|place| place.index);
    }
    assert_eq!(found, own, "an index answers whole records");
}

/// A record stands only where it names a place; ranges of an index work as those of a partition.
pub async fn indexes_are_sparse_and_ranges_of_them_work<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    for n in 0..10 {
        let record = record("p", &format!("{n}"), &json!(n));
        let by = if n % 2 == 0 { "even" } else { "odd" };
        commit(ports, Commit::new().put(record.at(Index::By, by, format!("{:02}", 20 - n)))).await;
    }
    let even = || Query::index(Index::By, "even", 10);
    shows(ports, &even(), &["8", "6", "4", "2", "0"]).await;
    shows(ports, &even().descending(), &["0", "2", "4", "6", "8"]).await;
    shows(ports, &even().after(Some("14".into())).until("18"), &["4", "2"]).await;
    shows(ports, &Query::index(Index::By, "odd", 10).prefix("1"), &["9", "7", "5", "3", "1"]).await;
    shows(ports, &Query::index(Index::Of, "even", 10), &[]).await;
    let first = page(ports, &Query::index(Index::By, "even", 2)).await;
    assert_eq!(first.next.as_deref(), Some("14"));
    shows(ports, &even().after(first.next), &["4", "2", "0"]).await;
    let last = page(ports, &Query::index(Index::By, "even", 5)).await;
    assert_eq!(last.next, None, "nothing comes after the last");
}

/// Neither a partition nor an index shows what has expired.
pub async fn expired_records_are_not_found<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let ports = fixture.ports();
    let soon = Utc::now() + TimeDelta::milliseconds(80);
    for n in 0..6 {
        let record = record("p", &n.to_string(), &json!(n))
            .at(Index::List, "list", n.to_string())
            .until((n % 3 != 2).then_some(soon));
        commit(ports, Commit::new().put(record)).await;
    }
    let list = Query::index(Index::List, "list", 10);
    eventually("what was to expire has", async || {
        (sorts(ports, &all()).await == ["2", "5"]).then_some(())
    })
    .await;
    shows(ports, &list, &["2", "5"]).await;
    assert_eq!(
        sorts(ports, &Query::partition("p", 1)).await,
        ["2"],
        "they take no place in a page"
    );
    assert_eq!(sorts(ports, &Query::index(Index::List, "list", 1)).await, ["2"]);
}
