//! Cancelling: in line, running, and too late.

use attune_domain::status::ExecutionStatus::{self, Cancelled, Completed};
use attune_journey::{cancel, queue_stats};
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options};
use serde_json::json;

/// Who is cancelled in line is passed over; the slot goes to the one behind.
async fn who_is_cancelled_in_line_is_skipped<F: Fixture>() {
    for twice in [false, true] {
        let mut harness = Harness::<F>::start(Options { twice, ..Options::default() }).await;
        let echo = harness.action("echo", "echo.sh").await;
        harness.limit(&echo, 1).await;
        harness.runner.hold();
        let mut ids = Vec::new();
        for n in 0..4 {
            ids.push(harness.request(&echo, &n.to_string(), &json!({})).await);
        }
        let action = echo.clone();
        let waiting = async |harness: &mut Harness<F>, count: u64| {
            harness
                .until("the line has settled", async |ports| {
                    let stats = queue_stats::of(ports, &action).await.unwrap()?;
                    ((stats.active, stats.queue_length) == (1, count)).then_some(())
                })
                .await;
        };
        waiting(&mut harness, 3).await;
        harness.cancel(ids[1]).await;
        harness.cancel(ids[1]).await;
        assert_eq!(harness.execution(ids[1]).await.status, Cancelled, "at once");
        waiting(&mut harness, 2).await;
        harness.runner.let_go();
        for n in [0, 2, 3] {
            assert_eq!(harness.ended(ids[n]).await.status, Completed);
        }
        assert_eq!(harness.runner.started(), [ids[0], ids[2], ids[3]]);
        harness.finish().await;
    }
}

/// A running one hears of it, ends as cancelled, and leaves its slot.
async fn what_runs_is_stopped_and_leaves_its_slot<F: Fixture>() {
    for limit in [None, Some(1)] {
        let mut harness = Harness::<F>::start(Options::default()).await;
        let echo = harness.action("echo", "echo.sh").await;
        if let Some(limit) = limit {
            harness.limit(&echo, limit).await;
        }
        harness.runner.hold();
        let first = harness.request(&echo, "first", &json!({})).await;
        let runner = harness.runner.clone();
        harness.until("it runs", async |_| (runner.running() == 1).then_some(())).await;
        let second = harness.request(&echo, "second", &json!({})).await;
        harness.cancel(first).await;
        let over = harness.ended(first).await;
        assert_eq!(over.status, Cancelled, "limit {limit:?}");
        assert!(over.claim.is_none());
        harness.runner.let_go();
        assert_eq!(harness.ended(second).await.status, Completed, "limit {limit:?}");
        harness.finish().await;
    }
}

/// What is over cannot be cancelled, and says so; what never was, neither.
async fn what_is_over_stays_as_it_is<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    let id = harness.request(&echo, "once", &json!({})).await;
    harness.ended(id).await;
    let late = cancel::execution(harness.ports(), id).await;
    assert!(matches!(late, Err(cancel::Error::Over(Completed))), "{late:?}");
    let never = attune_domain::id::ExecutionId::new(7);
    let missing = cancel::execution(harness.ports(), never).await;
    assert!(matches!(missing, Err(cancel::Error::NotFound(id)) if id == never), "{missing:?}");
    harness.finish().await;
}

/// Cancel races with completion, many times: one of them wins, and everything is tidy either way.
async fn cancel_races_with_completion<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    harness.limit(&echo, 2).await;
    for n in 0..100 / F::COST {
        let id = harness.request(&echo, &n.to_string(), &json!({})).await;
        for _ in 0..n % 20 {
            tokio::task::yield_now().await;
        }
        harness.cancel(id).await;
        let status = harness.ended(id).await.status;
        assert!(matches!(status, ExecutionStatus::Cancelled | Completed), "{status}");
    }
    harness.finish().await;
}

attune_tests::on_both! {
    who_is_cancelled_in_line_is_skipped,
    what_runs_is_stopped_and_leaves_its_slot,
    what_is_over_stays_as_it_is,
    cancel_races_with_completion,
}
