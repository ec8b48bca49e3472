//! Feed: what changed, in order.

use super::records::{commit, record};
use super::{Ending, Fixture, Options, repetitions};
use attune_ports::records::{Commit, Expect, Kind};
use attune_ports::{Change, Feed, FeedCursor, Key, Lagged, Ports, Record};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Long enough for whatever is to come.
const PATIENCE: Duration = Duration::from_secs(20);

async fn after(feed: &dyn Feed, cursor: FeedCursor) -> Vec<Arc<Change>> {
    let changes = tokio::time::timeout(PATIENCE, feed.after(cursor)).await;
    let changes = changes.expect("changes come").expect("the feed holds them");
    assert!(!changes.is_empty(), "the feed answers when there is something");
    changes
}

/// The next `count` changes.
async fn take(feed: &dyn Feed, mut cursor: FeedCursor, count: usize) -> Vec<Arc<Change>> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = after(feed, cursor).await;
        cursor = more.last().map_or(cursor, |change| change.cursor);
        taken.extend(more);
    }
    assert_eq!(taken.len(), count, "no more than that changed");
    taken
}

fn body(image: Option<&attune_ports::Image>) -> Option<Value> {
    image.map(|bytes| serde_json::from_slice(bytes).expect("images are JSON"))
}

async fn put(ports: &Ports, sort: &str, value: &Value) {
    commit(ports, Commit::new().put(record("p", sort, value))).await;
}

/// Old and new of each change fit together, record by record, also where many change at once.
pub async fn changes_come_in_the_order_of_versions<F: Fixture>() {
    const TASKS: usize = 8;
    let each = repetitions::<F>(40).next_multiple_of(4);
    let fixture = F::fresh(Options::default()).await;
    let feed = fixture.feed().await;
    let start = feed.head();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let ports = fixture.ports().clone();
        tasks.spawn(async move {
            let (own, shared) = (format!("own/{task}"), format!("shared/{}", task % 2));
            for n in 0..each / 4 {
                put(&ports, &own, &json!([task, n])).await;
                put(&ports, &shared, &json!([task, n])).await;
                put(&ports, &own, &json!([task, n, "again"])).await;
                commit(&ports, Commit::new().delete(Key::new("p", &*own), Expect::Any)).await;
            }
        });
    }
    let changes = take(&*feed, start, TASKS * each).await;
    while let Some(task) = tasks.join_next().await {
        task.expect("no task fails");
    }
    assert!(changes.windows(2).all(|pair| pair[0].cursor < pair[1].cursor));
    let mut known: HashMap<Key, Option<Value>> = HashMap::new();
    for change in changes {
        assert_eq!(change.kind, Kind::Event);
        let before = known.get(&change.key).cloned().flatten();
        assert_eq!(body(change.old.as_ref()), before, "{} fits what came before", change.key);
        known.insert(change.key.clone(), body(change.new.as_ref()));
    }
}

/// Whatever the feed has told is there after a crash.
pub async fn only_what_is_durable_is_told<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let feed = fixture.feed().await;
    let start = feed.head();
    for n in 0..repetitions::<F>(500) {
        put(fixture.ports(), &format!("{n:03}"), &json!(n)).await;
    }
    let told = after(&*feed, start).await;
    fixture.restart(Ending::Crash).await;
    for change in &told {
        let record = fixture.ports().records.get(&change.key).await.expect("readable");
        let kept = record.map(|record| record.body);
        assert_eq!(kept, change.new, "{} was told and lost", change.key);
    }
}

/// Marks, lanes, tickets, schedules, runs and their items are nobody's news; everything else is.
pub async fn bookkeeping_is_not_told<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let (ports, feed) = (fixture.ports(), fixture.feed().await);
    let start = feed.head();
    let all = Kind::ALL.into_iter().fold(Commit::new(), |commit, kind| {
        commit.put(Record::new(kind, Key::new("p", kind.as_str()), &json!(1)))
    });
    commit(ports, all).await;
    put(ports, "last", &json!(1)).await;
    let quiet = [Kind::Marker, Kind::Lane, Kind::Ticket, Kind::Schedule, Kind::Run, Kind::Items];
    let changes = take(&*feed, start, Kind::ALL.len() - quiet.len() + 1).await;
    assert!(changes.iter().all(|change| !quiet.contains(&change.kind)));
    assert_eq!(changes.last().map(|change| change.key.sort.as_str()), Some("last"));
}

/// Reading from a cursor twice gives the same; a reader waits at the head for what comes next.
pub async fn a_cursor_goes_on_where_it_stands<F: Fixture>() {
    let fixture = F::fresh(Options::default()).await;
    let (ports, feed) = (fixture.ports(), fixture.feed().await);
    let start = feed.head();
    for n in 0..5 {
        put(ports, "a", &json!(n)).await;
    }
    let all = take(&*feed, start, 5).await;
    let middle = all[1].cursor;
    for _ in 0..2 {
        let rest: Vec<_> =
            take(&*feed, middle, 3).await.iter().map(|c| body(c.new.as_ref())).collect();
        assert_eq!(rest, [Some(json!(2)), Some(json!(3)), Some(json!(4))]);
    }
    assert_eq!(feed.head(), all[4].cursor);
    let waiting = tokio::spawn({
        let (feed, head) = (Arc::clone(&feed), feed.head());
        async move { after(&*feed, head).await.len() }
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "there is nothing to tell yet");
    put(ports, "b", &json!(0)).await;
    assert_eq!(waiting.await.expect("it gets an answer"), 1);
}

/// A feed need not remember for ever, but it must not pass over what it forgot in silence.
pub async fn who_falls_far_behind_is_told_so<F: Fixture>() {
    let many = repetitions::<F>(10_000);
    let fixture = F::fresh(Options::default()).await;
    let (ports, feed) = (fixture.ports(), fixture.feed().await);
    let start = feed.head();
    for n in 0..many / 100 {
        let many = (0..100).fold(Commit::new(), |commit, m| {
            commit.put(record("p", &m.to_string(), &json!(n * 100 + m)))
        });
        commit(ports, many).await;
    }
    ports.records.settle().await.expect("it settles");
    match feed.after(start).await {
        Err(Lagged) => {}
        Ok(changes) => {
            let first = body(changes[0].new.as_ref());
            assert_eq!(first, Some(json!(0)), "it begins where the reader stood");
        }
    }
    let head =
        if F::FOLLOWS_AT_ONCE { feed.head() } else { told(&*feed, start, &json!(many - 1)).await };
    put(ports, "a", &json!("new")).await;
    assert_eq!(take(&*feed, head, 1).await[0].key.sort, "a", "who reads afresh goes on");
}

/// Reads on until the change to this body, and answers its cursor.
async fn told(feed: &dyn Feed, mut cursor: FeedCursor, last: &Value) -> FeedCursor {
    loop {
        match tokio::time::timeout(PATIENCE, feed.after(cursor)).await.expect("changes come") {
            Err(Lagged) => cursor = feed.head(),
            Ok(changes) => {
                let newest = changes.last().expect("the feed answers when there is something");
                cursor = newest.cursor;
                if body(newest.new.as_ref()).as_ref() == Some(last) {
                    return cursor;
                }
            }
        }
    }
}

/// After a restart an old cursor gives what came since, or a clear no; never a gap in silence.
pub async fn a_cursor_of_another_life_is_refused<F: Fixture>() {
    let mut fixture = F::fresh(Options::default()).await;
    let start = fixture.feed().await.head();
    put(fixture.ports(), "a", &json!(1)).await;
    take(&*fixture.feed().await, start, 1).await;
    put(fixture.ports(), "b", &json!(1)).await;
    fixture.restart(Ending::Clean).await;
    put(fixture.ports(), "c", &json!(1)).await;
    match tokio::time::timeout(PATIENCE, fixture.feed().await.after(start)).await {
        Ok(Err(Lagged)) => {}
        Ok(Ok(changes)) => assert_eq!(changes[0].key.sort, "a", "nothing is left out"),
        Err(_) => panic!("the feed gives no answer"),
    }
}
