//! Rate limits: a token bucket lets a burst through, then one after the other.

use attune_domain::execution::Holds;
use attune_domain::policy::{Method, Rate, Terms};
use attune_domain::status::ExecutionStatus::{Cancelled, Completed};
use attune_journey::load;
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options, PolicyTerms};
use chrono::TimeDelta;
use serde_json::json;
use std::time::Instant;

/// A burst of three at once, then ten a second; in order, none lost.
async fn a_burst_goes_and_the_rest_follows_at_the_rate<F: Fixture>() {
    const REQUESTS: usize = 12;
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    let rate = Rate { limit: 10, per_seconds: 1, burst: Some(3) };
    let terms = Terms { rate: Some(rate), ..Terms::default() };
    harness.policy(&echo, PolicyTerms { terms, ..PolicyTerms::default() }).await;
    let since = Instant::now();
    let mut ids = Vec::new();
    for n in 0..REQUESTS {
        ids.push(harness.request(&echo, &n.to_string(), &json!({})).await);
    }
    for id in &ids {
        assert_eq!(harness.ended(*id).await.status, Completed);
    }
    let least = (REQUESTS - 3) as f64 / 10.0;
    let taken = since.elapsed().as_secs_f64();
    assert!(taken >= least - 0.01, "all went within {taken} s, {least} s at least are due");
    let mut started = harness.runner.started();
    // Those that go together start side by side: the burst, and where wakes come on whole seconds, all that
    // one of them lets go.
    let together = if F::GRAIN < std::time::Duration::from_millis(100) { 3 } else { REQUESTS };
    started[..together].sort();
    assert_eq!(started, ids);
    harness.finish().await;
}

/// A token that is there already belongs to who waits for it, and not to who comes just then.
async fn nobody_overtakes_who_waits_for_a_token<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    let rate = Rate { limit: 1, per_seconds: 1, burst: None };
    let terms = Terms { rate: Some(rate), ..Terms::default() };
    harness.policy(&echo, PolicyTerms { terms, ..PolicyTerms::default() }).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let id = harness.request(&echo, &n.to_string(), &json!({})).await;
        ids.push(id);
        // The first is over, since its end would serve who waits; the second has its ticket.
        harness
            .until("it has a place", async |ports| {
                let holds = load::execution(ports, id).await.unwrap()?.place?.holds;
                (n > 0 || holds == Holds::Nothing).then_some(())
            })
            .await;
        if n == 1 {
            // The next token is there before anybody has been woken for it.
            harness.later(TimeDelta::milliseconds(1_200));
        }
    }
    for id in &ids {
        assert_eq!(harness.ended(*id).await.status, Completed);
    }
    assert_eq!(harness.runner.started(), ids);
    harness.finish().await;
}

/// A rate whose policy cancels refuses what exceeds it.
async fn a_rate_that_cancels_refuses<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    let rate = Rate { limit: 1, per_seconds: 3600, burst: Some(2) };
    let terms = Terms { rate: Some(rate), method: Method::Cancel, ..Terms::default() };
    harness.policy(&echo, PolicyTerms { terms, ..PolicyTerms::default() }).await;
    let mut statuses = Vec::new();
    for n in 0..4 {
        let id = harness.request(&echo, &n.to_string(), &json!({})).await;
        statuses.push(harness.ended(id).await.status);
    }
    assert_eq!(statuses, [Completed, Completed, Cancelled, Cancelled]);
    harness.finish().await;
}

attune_tests::on_both! {
    a_burst_goes_and_the_rest_follows_at_the_rate,
    nobody_overtakes_who_waits_for_a_token,
    a_rate_that_cancels_refuses,
}
