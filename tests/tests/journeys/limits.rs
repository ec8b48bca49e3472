//! Limits under load: slots are granted in the order of sending, never more than the limit at once, and the
//! lane's own account is right at every moment.

use attune_domain::execution::{Execution, Holds};
use attune_domain::id::ExecutionId;
use attune_domain::message::Step;
use attune_domain::status::ExecutionStatus;
use attune_journey::queue_stats;
use attune_ports::records::Kind;
use attune_ports::{Feed, FeedCursor};
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at the account, where they cost something: times what they cost.
const LOOK: Duration = Duration::from_millis(5);

/// What ten clients ask for together.
const fn requests<F: Fixture>() -> usize {
    if F::COST == 1 { 1_000 } else { 50 }
}

/// Follows the feed until so many executions are over; answers the slots in the order of their grants, and
/// the most that were held at once, as far as changes of several records come in order.
async fn follow(
    feed: Arc<dyn Feed>,
    mut cursor: FeedCursor,
    requests: usize,
) -> (Vec<(u64, ExecutionId)>, isize) {
    let (mut grants, mut held, mut most, mut over) = (Vec::new(), 0_isize, 0, 0);
    let mut moment = None;
    while over < requests {
        let changes = feed.after(cursor).await.expect("the follower keeps up");
        for change in &changes {
            cursor = change.cursor;
            // A slot changes hands within one commit, whose changes are all of one moment.
            if moment != Some(change.at) {
                most = most.max(held);
                moment = Some(change.at);
            }
            if change.kind != Kind::Execution {
                continue;
            }
            let read = |image: &Option<attune_ports::Image>| -> Option<Execution> {
                image.as_ref().map(|bytes| serde_json::from_slice(bytes).expect("an execution"))
            };
            let slot =
                |execution: &Option<Execution>| match execution.as_ref()?.place.as_ref()?.holds {
                    Holds::Slot(grant) => Some(grant),
                    _ => None,
                };
            let (old, new) = (read(&change.old), read(&change.new));
            match (slot(&old), slot(&new)) {
                (None, Some(grant)) => {
                    grants.push((grant, new.expect("it holds a slot").id));
                    held += 1;
                }
                (Some(_), None) => {
                    held -= 1;
                    over += 1;
                }
                _ => {}
            }
        }
    }
    grants.sort_unstable();
    (grants, most)
}

async fn requests_of_ten_clients<F: Fixture>(limit: u32) {
    let requests = requests::<F>();
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "pure.sh").await;
    harness.limit(&echo, limit).await;
    let feed = harness.feed().await;
    let followed = tokio::spawn(follow(Arc::clone(&feed), feed.head(), requests));

    let mut asking = tokio::task::JoinSet::new();
    for client in 0..10 {
        let (own, echo) = (harness.client(), echo.clone());
        asking.spawn(async move {
            for n in 0..requests / 10 {
                own.request(&echo, &format!("{client}/{n}"), &json!({})).await;
            }
        });
    }
    harness.expect(requests);
    let watching = tokio::spawn({
        let (ports, echo) = (harness.ports().clone(), echo.clone());
        async move {
            loop {
                // Looking never waits, and who never waits keeps others from the processor; where it is a
                // request, from the service.
                tokio::task::yield_now().await;
                tokio::time::sleep(LOOK * (F::COST as u32 - 1)).await;
                let stats = queue_stats::of(&ports, &echo).await.expect("stats can be read");
                let Some(stats) = stats else { continue };
                assert!(stats.active <= u64::from(limit), "{stats:?}");
                let accounted = stats.active + stats.queue_length + stats.total_completed;
                assert_eq!(accounted, stats.total_enqueued, "{stats:?}");
                assert!(stats.queue_length == 0 || stats.active == u64::from(limit), "{stats:?}");
                if stats.total_completed == requests as u64 {
                    return;
                }
            }
        }
    });
    while let Some(asked) = asking.join_next().await {
        asked.expect("no client fails");
    }
    harness.until("all are over", async |_| followed.is_finished().then_some(())).await;
    let (grants, most) = followed.await.expect("the follower does not fail");
    watching.await.expect("the account is right at every moment");

    // Elsewhere the feed keeps the order of one record's changes only.
    assert!(most <= limit as isize || !F::FOLLOWS_AT_ONCE, "{most} slots at once");
    assert_eq!(grants.len(), requests);
    assert!(grants.iter().zip(1..).all(|((grant, _), n)| *grant == n), "grants count up");
    let sent: Vec<Step> = harness.recording.admissions(echo.as_str());
    let granted: Vec<Step> =
        grants.into_iter().map(|(_, execution)| Step::ExecutionRequested { execution }).collect();
    let first = sent.iter().zip(&granted).position(|(sent, granted)| sent != granted);
    assert_eq!(
        (first, granted.len()),
        (None, sent.len()),
        "slots are granted in the order of sending"
    );
    assert!(harness.runner.most_at_once() <= limit as usize);
    harness.finish().await;
}

async fn requests_of_ten_clients_with_a_limit_of_one<F: Fixture>() {
    requests_of_ten_clients::<F>(1).await;
}

async fn requests_of_ten_clients_with_a_limit_of_three<F: Fixture>() {
    requests_of_ten_clients::<F>(3).await;
}

async fn requests_of_ten_clients_with_a_limit_of_ten<F: Fixture>() {
    requests_of_ten_clients::<F>(10).await;
}

/// What queue-stats say while everything stands still, step by step.
async fn the_account_of_a_lane_is_exact<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    assert_eq!(queue_stats::of(harness.ports(), &echo).await.unwrap(), None, "no policy, no lane");
    harness.limit(&echo, 2).await;
    assert_eq!(queue_stats::of(harness.ports(), &echo).await.unwrap(), None, "nobody came yet");
    harness.runner.hold();
    let mut requests = Vec::new();
    for n in 0..5 {
        requests.push(harness.request(&echo, &n.to_string(), &json!({})).await);
    }
    for (released, active, waiting, completed) in
        [(0, 2, 3, 0), (1, 2, 2, 1), (1, 2, 1, 2), (2, 1, 0, 4), (1, 0, 0, 5)]
    {
        harness.runner.release(released);
        let action = echo.clone();
        let stats = harness
            .until("the lane has settled", async |ports| {
                let stats = queue_stats::of(ports, &action).await.unwrap()?;
                let found = (stats.active, stats.queue_length, stats.total_completed);
                (found == (active, waiting, completed)).then_some(stats)
            })
            .await;
        assert_eq!((stats.limit, stats.total_enqueued), (Some(2), 5));
        assert_eq!(stats.oldest.is_some(), waiting > 0);
    }
    for id in requests {
        assert_eq!(harness.execution(id).await.status, ExecutionStatus::Completed);
    }
    harness.finish().await;
}

attune_tests::on_both! {
    requests_of_ten_clients_with_a_limit_of_one,
    requests_of_ten_clients_with_a_limit_of_three,
    requests_of_ten_clients_with_a_limit_of_ten,
    the_account_of_a_lane_is_exact,
}
