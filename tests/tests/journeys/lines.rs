//! Who waits in line, in which order, how long, and what a change of the policy means for them.

use attune_domain::execution::{Execution, Holds};
use attune_domain::id::ExecutionId;
use attune_domain::policy::{Method, Terms, Window};
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus::{self, Cancelled, Completed, Failed};
use attune_journey::load;
use attune_journey::queue_stats::{self, QueueStats};
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Options, PolicyTerms};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};

/// A server whose action lets one run at a time, and holds it.
async fn held<F: Fixture>(terms: PolicyTerms) -> (Harness<F>, ComponentRef) {
    let harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    harness.policy(&echo, terms).await;
    harness.runner.hold();
    (harness, echo)
}

fn one_at_a_time() -> Terms {
    Terms { limit: Some(1), ..Terms::default() }
}

/// Asks with each of these parameters, and waits until the lane has counted all of them.
async fn ask(
    harness: &mut Harness<impl Fixture>,
    action: &ComponentRef,
    all: &[Value],
) -> Vec<ExecutionId> {
    let mut ids = Vec::new();
    for parameters in all {
        let cause = format!("{}/{}", ids.len(), harness.runner.starts().len());
        ids.push(harness.request(action, &cause, parameters).await);
    }
    let last = ids[ids.len() - 1];
    harness
        .until("all have been admitted", async |ports| {
            let found = attune_journey::load::execution(ports, last).await;
            let found = found.expect("records answer").expect("it was requested");
            let undecided = found.status == ExecutionStatus::Requested && found.place.is_none();
            (!undecided).then_some(())
        })
        .await;
    ids
}

async fn running(harness: &mut Harness<impl Fixture>, count: usize) {
    let runner = harness.runner.clone();
    harness
        .until(&format!("{count} run"), async |_| (runner.running() == count).then_some(()))
        .await;
}

async fn ended(harness: &mut Harness<impl Fixture>, ids: &[ExecutionId]) -> Vec<Execution> {
    let mut all = Vec::new();
    for id in ids {
        all.push(harness.ended(*id).await);
    }
    all
}

fn statuses(executions: &[Execution]) -> Vec<ExecutionStatus> {
    executions.iter().map(|execution| execution.status).collect()
}

fn error(execution: &Execution) -> String {
    let result = execution.result.as_ref().and_then(|result| result.inline().cloned());
    result.unwrap_or_default()["error"].as_str().unwrap_or_default().to_owned()
}

/// The method `cancel`: what finds no slot ends at once, and says why.
async fn a_policy_that_cancels_refuses_what_exceeds_it<F: Fixture>() {
    let terms = Terms { method: Method::Cancel, ..one_at_a_time() };
    let (mut harness, echo) = held::<F>(PolicyTerms { terms, ..PolicyTerms::default() }).await;
    let ids = ask(&mut harness, &echo, &[json!({}), json!({}), json!({})]).await;
    let refused = ended(&mut harness, &ids[1..]).await;
    assert_eq!(statuses(&refused), [Cancelled, Cancelled]);
    assert!(error(&refused[0]).contains("limit of 1"), "{}", error(&refused[0]));
    harness.runner.release(1);
    assert_eq!(harness.ended(ids[0]).await.status, Completed);
    // Its end and the return of its slot are two steps.
    harness
        .until("the slot is back", async |ports| {
            let first = load::execution(ports, ids[0]).await.expect("executions can be read");
            first?.place.filter(|place| place.holds == Holds::Nothing)
        })
        .await;
    let later = ask(&mut harness, &echo, &[json!({})]).await;
    harness.runner.release(1);
    assert_eq!(harness.ended(later[0]).await.status, Completed, "the slot is free again");
    assert_eq!(harness.runner.starts().len(), 2);
    harness.finish().await;
}

/// As many wait as may wait; the next is refused until somebody goes.
async fn a_full_line_refuses<F: Fixture>() {
    let terms = Terms { max_waiting: Some(2), ..one_at_a_time() };
    let (mut harness, echo) = held::<F>(PolicyTerms { terms, ..PolicyTerms::default() }).await;
    let ids = ask(&mut harness, &echo, &vec![json!({}); 5]).await;
    let refused = ended(&mut harness, &ids[3..]).await;
    assert_eq!(statuses(&refused), [Cancelled, Cancelled]);
    assert!(error(&refused[0]).contains("Queue is full"), "{}", error(&refused[0]));
    harness.runner.release(1);
    harness.ended(ids[0]).await;
    running(&mut harness, 1).await;
    let later = ask(&mut harness, &echo, &[json!({})]).await;
    harness.runner.let_go();
    let all: Vec<ExecutionId> = ids[..3].iter().chain(&later).copied().collect();
    assert_eq!(statuses(&ended(&mut harness, &all).await), [Completed; 4]);
    assert_eq!(harness.runner.started(), all);
    harness.finish().await;
}

/// The most urgent goes first, among equals the one that came first; a request's own urgency counts where
/// the policy names no parameter.
async fn the_urgent_go_first<F: Fixture>() {
    let terms = PolicyTerms {
        terms: one_at_a_time(),
        priority_parameter: Some("job.urgency".into()),
        ..PolicyTerms::default()
    };
    let (mut harness, echo) = held::<F>(terms).await;
    let urgency = |n: i64| json!({"job": {"urgency": n}});
    let all = [urgency(9), urgency(7), json!({}), urgency(0), urgency(7), urgency(5), urgency(100)];
    let ids = ask(&mut harness, &echo, &all).await;
    running(&mut harness, 1).await;
    harness.runner.let_go();
    ended(&mut harness, &ids).await;
    let order: Vec<usize> = harness
        .runner
        .started()
        .iter()
        .map(|started| ids.iter().position(|id| id == started).unwrap())
        .collect();
    assert_eq!(order, [0, 3, 2, 5, 1, 4, 6]);
    harness.finish().await;
}

/// Each value of the parameter has a line of its own.
async fn grouping_gives_each_value_its_own_line<F: Fixture>() {
    let terms = PolicyTerms {
        terms: one_at_a_time(),
        parameters: vec!["host".into()],
        ..PolicyTerms::default()
    };
    let (mut harness, echo) = held::<F>(terms).await;
    let host = |name: &str, n: u32| json!({"host": name, "n": n});
    let all = [host("a", 1), host("a", 2), host("b", 3), json!({}), host("b", 4), host("a", 5)];
    let ids = ask(&mut harness, &echo, &all).await;
    running(&mut harness, 3).await;
    let mut started = harness.runner.started();
    started.sort();
    assert_eq!(started, [ids[0], ids[2], ids[3]], "the first of each");
    let stats = queue_stats::of(harness.ports(), &echo).await.unwrap().unwrap();
    assert_eq!((stats.active, stats.queue_length), (3, 3), "the lines added up");
    harness.runner.let_go();
    ended(&mut harness, &ids).await;
    let of_a: Vec<ExecutionId> = harness
        .runner
        .started()
        .into_iter()
        .filter(|id| [0, 1, 5].map(|n| ids[n]).contains(id))
        .collect();
    assert_eq!(of_a, [ids[0], ids[1], ids[5]]);
    harness.finish().await;
}

/// Who waits longer than the policy allows fails, wherever it stands in line.
async fn who_waits_too_long_fails<F: Fixture>() {
    let terms = Terms { wait_timeout_seconds: Some(60), ..one_at_a_time() };
    let (mut harness, echo) = held::<F>(PolicyTerms { terms, ..PolicyTerms::default() }).await;
    let ids = ask(&mut harness, &echo, &vec![json!({}); 3]).await;
    running(&mut harness, 1).await;
    harness.sweep().await;
    assert_eq!(harness.execution(ids[1]).await.status, ExecutionStatus::Requested, "not yet");
    harness.later(TimeDelta::seconds(61));
    harness.sweep().await;
    let late = ended(&mut harness, &ids[1..]).await;
    assert_eq!(statuses(&late), [Failed, Failed]);
    assert!(error(&late[0]).contains("longer than the policy allows"), "{}", error(&late[0]));
    let stats = queue_stats::of(harness.ports(), &echo).await.unwrap().unwrap();
    assert_eq!((stats.active, stats.queue_length), (1, 0));

    let later = ask(&mut harness, &echo, &[json!({})]).await;
    harness.runner.let_go();
    assert_eq!(harness.ended(ids[0]).await.status, Completed);
    assert_eq!(harness.ended(later[0]).await.status, Completed);
    assert_eq!(harness.runner.starts().len(), 2);
    harness.finish().await;
}

/// A raised limit lets more of those who wait go at once, a lowered one lets nobody in until enough left.
async fn a_raised_limit_wakes_and_a_lowered_one_holds<F: Fixture>() {
    let mut harness = Harness::<F>::start(Options::default()).await;
    let echo = harness.action("echo", "echo.sh").await;
    let policy = harness.limit(&echo, 1).await;
    harness.runner.hold();
    let ids = ask(&mut harness, &echo, &vec![json!({}); 40]).await;
    running(&mut harness, 1).await;
    harness.change_policy(&policy, |policy| policy.terms.limit = Some(3)).await;
    running(&mut harness, 3).await;
    harness.change_policy(&policy, |policy| policy.terms.limit = Some(1)).await;
    let action = echo.clone();
    let stats = async |harness: &mut Harness<F>, what: &str, is: fn(&QueueStats) -> bool| {
        harness
            .until(what, async |ports| queue_stats::of(ports, &action).await.unwrap().filter(is))
            .await
    };
    stats(&mut harness, "the lane knows its new limit", |stats| stats.limit == Some(1)).await;
    harness.runner.release(2);
    let stats = stats(&mut harness, "two have left", |stats| stats.total_completed == 2).await;
    assert_eq!((stats.active, stats.queue_length), (1, 37), "nobody came in for them");
    harness.change_policy(&policy, |policy| policy.enabled = false).await;
    running(&mut harness, 38).await;
    harness.runner.let_go();
    assert_eq!(statuses(&ended(&mut harness, &ids).await), [Completed; 40]);
    harness.finish().await;
}

/// Outside its window a policy demands nothing; when the window closes, everybody may go.
async fn a_policy_holds_in_its_window_only<F: Fixture>() {
    let now = Utc::now();
    let window = |from: i64, to: i64| {
        let at = |hours| (now + TimeDelta::hours(hours)).time();
        Window { days: vec![], from: at(from), to: at(to), timezone: chrono_tz::Tz::UTC }
    };
    let closed = Terms { windows: vec![window(3, 5)], ..one_at_a_time() };
    let (mut harness, echo) =
        held::<F>(PolicyTerms { terms: closed, ..PolicyTerms::default() }).await;
    let ids = ask(&mut harness, &echo, &vec![json!({}); 3]).await;
    running(&mut harness, 3).await;
    harness.runner.let_go();
    ended(&mut harness, &ids).await;
    harness.finish().await;

    let open = Terms { windows: vec![window(-1, 1), window(7, 8)], ..one_at_a_time() };
    let (mut harness, echo) =
        held::<F>(PolicyTerms { terms: open, ..PolicyTerms::default() }).await;
    let ids = ask(&mut harness, &echo, &vec![json!({}); 3]).await;
    running(&mut harness, 1).await;
    harness.later(TimeDelta::minutes(70));
    harness.sweep().await;
    running(&mut harness, 3).await;
    harness.runner.let_go();
    assert_eq!(statuses(&ended(&mut harness, &ids).await), [Completed; 3]);
    harness.finish().await;
}

attune_tests::on_both! {
    a_policy_that_cancels_refuses_what_exceeds_it,
    a_full_line_refuses,
    the_urgent_go_first,
    grouping_gives_each_value_its_own_line,
    who_waits_too_long_fails,
    a_raised_limit_wakes_and_a_lowered_one_holds,
    a_policy_holds_in_its_window_only,
}
