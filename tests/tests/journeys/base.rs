//! The base journeys, each as it is, again with every message delivered twice, and again with a crash after
//! every single changing call of a port.

use attune_domain::policy::{Rate, Terms};
use attune_domain::status::ExecutionStatus;
use attune_tests::contract::Fixture;
use attune_tests::harness::{Harness, Loss, Options, PolicyTerms, RuleTerms};
use serde_json::json;

/// An event with three rules: one that runs an action, one whose condition does not hold, one more.
async fn an_event_runs(harness: &mut Harness<impl Fixture>) {
    let trigger = harness.trigger("happened").await;
    let echo = harness.action("echo", "echo.sh").await;
    let other = harness.action("other", "other.sh").await;
    let says = |conditions| RuleTerms {
        conditions,
        parameters: json!({"text": "{{ event.payload.text }}"}),
    };
    let is = |value| json!([{"field": "text", "operator": "equals", "value": value}]);
    harness.rule("always", &trigger, &echo, says(json!({}))).await;
    harness.rule("never", &trigger, &echo, says(is("something else"))).await;
    harness.rule("also", &trigger, &other, says(is("hello"))).await;

    let event = harness.event(&trigger, "once", json!({"text": "hello"}), 2).await;
    let again = harness.event(&trigger, "once", json!({"text": "hello"}), 0).await;
    assert_eq!(again, event, "the same cause is the same event");
    let executions = harness.executions_of(event).await;
    assert_eq!(executions.len(), 2);
    for execution in executions {
        assert_eq!(execution.event, Some(event));
        ran_or_died(harness, execution.status);
        if execution.status == ExecutionStatus::Completed {
            let result = execution.result.and_then(|result| result.inline().cloned());
            let expected = json!({"succeeded": true, "data": {"text": "hello"}});
            assert_eq!(result, Some(expected));
        }
    }
}

/// Four events whose action lets one run at a time.
async fn events_wait_in_line(harness: &mut Harness<impl Fixture>) {
    let trigger = harness.trigger("happened").await;
    let echo = harness.action("echo", "echo.sh").await;
    harness.rule("always", &trigger, &echo, RuleTerms::default()).await;
    harness.limit(&echo, 1).await;
    let mut events = Vec::new();
    for n in 0..4 {
        events.push(harness.event(&trigger, &format!("{n}"), json!({"n": n}), 1).await);
    }
    for event in events {
        let executions = harness.executions_of(event).await;
        assert_eq!(executions.len(), 1);
        ran_or_died(harness, executions[0].status);
    }
    assert!(harness.runner.most_at_once() <= 1, "one at a time");
}

/// Requests for something that may run again: a crash does not show at all.
async fn what_may_run_again_completes(harness: &mut Harness<impl Fixture>) {
    let noop = harness.action("noop", "pure.sh").await;
    harness.limit(&noop, 2).await;
    let mut requests = Vec::new();
    for n in 0..4 {
        requests.push(harness.request(&noop, &format!("{n}"), &json!({"n": n})).await);
    }
    for id in requests {
        assert_eq!(harness.ended(id).await.status, ExecutionStatus::Completed);
    }
}

/// A policy that allows another attempt: whoever dies with a worker runs again.
async fn another_attempt_is_made_where_the_policy_says_so(harness: &mut Harness<impl Fixture>) {
    let echo = harness.action("echo", "echo.sh").await;
    harness.policy(&echo, PolicyTerms { max_attempts: 2, ..PolicyTerms::default() }).await;
    for n in 0..2 {
        let id = harness.request(&echo, &format!("{n}"), &json!({"fail": n == 1})).await;
        let status = if n == 1 { ExecutionStatus::Failed } else { ExecutionStatus::Completed };
        assert_eq!(harness.ended(id).await.status, status);
    }
}

/// Of three in line the middle one is cancelled, whenever that comes.
async fn one_in_line_is_cancelled(harness: &mut Harness<impl Fixture>) {
    let echo = harness.action("echo", "echo.sh").await;
    harness.limit(&echo, 1).await;
    let mut requests = Vec::new();
    for n in 0..3 {
        requests.push(harness.request(&echo, &format!("{n}"), &json!({})).await);
    }
    harness.cancel(requests[1]).await;
    for (n, id) in requests.into_iter().enumerate() {
        let status = harness.ended(id).await.status;
        if n != 1 || status != ExecutionStatus::Cancelled {
            ran_or_died(harness, status);
        }
    }
}

/// Three requests under a rate that lets one go at once and the others a moment later.
async fn who_is_throttled_goes_later(harness: &mut Harness<impl Fixture>) {
    let echo = harness.action("echo", "echo.sh").await;
    let rate = Rate { limit: 100, per_seconds: 1, burst: Some(1) };
    let terms = Terms { rate: Some(rate), ..Terms::default() };
    harness.policy(&echo, PolicyTerms { terms, ..PolicyTerms::default() }).await;
    let mut requests = Vec::new();
    for n in 0..3 {
        requests.push(harness.request(&echo, &format!("{n}"), &json!({})).await);
    }
    for id in requests {
        let status = harness.ended(id).await.status;
        ran_or_died(harness, status);
    }
}

/// Two who ask people under a limit of one, and are answered in the other order: who waits holds no slot.
async fn people_are_asked(harness: &mut Harness<impl Fixture>) {
    let ask = harness.question("ask").await;
    harness.limit(&ask, 1).await;
    let mut asked = Vec::new();
    for n in 0..2 {
        let id = harness.request(&ask, &format!("{n}"), &json!({"prompt": "Go on?"})).await;
        asked.push((id, harness.asks(id).await.id));
    }
    for (n, (id, inquiry)) in asked.into_iter().enumerate().rev() {
        harness.answer(inquiry, &json!({"n": n})).await;
        let over = harness.ended(id).await;
        assert_eq!(over.status, ExecutionStatus::Completed);
        let result = over.result.and_then(|result| result.inline().cloned()).unwrap();
        assert_eq!(result["response"], json!({"n": n}));
    }
}

/// What must not run again either completed or, where its worker died, is given up.
fn ran_or_died(harness: &Harness<impl Fixture>, status: ExecutionStatus) {
    let died = harness.has_crashed() && status == ExecutionStatus::Abandoned;
    assert!(status == ExecutionStatus::Completed || died, "{status}");
}

/// Runs a journey as it is.
pub(crate) async fn at_once<F: Fixture>(journey: impl AsyncFn(&mut Harness<F>), options: Options) {
    let mut harness = Harness::start(options).await;
    journey(&mut harness).await;
    harness.finish().await;
}

/// Runs a journey with a crash after the first, the second, … changing call of a port, until it is over
/// before the crash comes. Where calls cost much, most of them are left out.
pub(crate) async fn through_every_crash<F: Fixture>(
    journey: impl AsyncFn(&mut Harness<F>),
    loss: Loss,
) {
    for calls in (1..).step_by(F::COST) {
        let options = Options { crash: Some((calls, loss)), ..Options::default() };
        let mut harness = Harness::start(options).await;
        journey(&mut harness).await;
        let is_last = !harness.has_crashed();
        harness.finish().await;
        if is_last {
            assert!(calls > 5, "a journey makes more calls than {calls}");
            return;
        }
    }
}

macro_rules! journeys {
    ($($journey:ident),* $(,)?) => {$(
        mod $journey {
            use $crate::base::{at_once, through_every_crash};
            use attune_tests::contract::Fixture;
            use attune_tests::harness::{Loss, Options};

            async fn plainly<F: Fixture>() {
                at_once::<F>(async |harness| super::$journey(harness).await, Options::default())
                    .await;
            }

            async fn with_every_message_twice<F: Fixture>() {
                let options = Options { twice: true, ..Options::default() };
                at_once::<F>(async |harness| super::$journey(harness).await, options).await;
            }

            async fn through_every_crash_that_loses_what_is_pending<F: Fixture>() {
                through_every_crash::<F>(
                    async |harness| super::$journey(harness).await,
                    Loss::Pending,
                )
                .await;
            }

            async fn through_every_crash_that_loses_nothing<F: Fixture>() {
                through_every_crash::<F>(
                    async |harness| super::$journey(harness).await,
                    Loss::Nothing,
                )
                .await;
            }

            attune_tests::on! { embedded on attune_tests::embedded::Embedded:
                plainly,
                with_every_message_twice,
                through_every_crash_that_loses_what_is_pending,
                through_every_crash_that_loses_nothing,
            }
            // What the cloud has said is so cannot be lost.
            attune_tests::on! { cloud on attune_tests::cloud::Cloud:
                plainly,
                with_every_message_twice,
                through_every_crash_that_loses_nothing,
            }
        }
    )*};
}

pub(crate) use journeys;

journeys! {
    an_event_runs,
    events_wait_in_line,
    what_may_run_again_completes,
    another_attempt_is_made_where_the_policy_says_so,
    one_in_line_is_cancelled,
    who_is_throttled_goes_later,
    people_are_asked,
}
