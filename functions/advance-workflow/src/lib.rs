//! Takes steps of workflows, for the threads that Step Functions executes (`statemachines/workflow.asl.json`).
//!
//! The state machine calls with a step and a token, and waits until the token is answered. Where the thread has
//! nothing to wait for, this function answers it; else it stores the token, and whoever sees the end of what the
//! thread waits for answers.

use attune_function::{Environment, Invocation, environment};
use attune_journey::workflow::{self, Limits};
use attune_ports::orchestrator::ThreadStep;
use attune_ports::{Ports, Unavailable};
use rand::RngExt;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// What is left of the function's time when it gives up: enough to say so.
const GRACE: Duration = Duration::from_secs(5);
/// The longest pause before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(100);
/// What it doubles to.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What the state machine calls with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Task {
    /// The step that is to be taken.
    pub step: ThreadStep,
    /// With what the state machine waits for the answer.
    pub token: String,
}

/// Bounds of runs, as the environment says.
///
/// # Errors
/// [`environment::Error`] where a variable makes no sense.
pub fn limits(environment: &Environment) -> Result<Limits, environment::Error> {
    let limits = Limits::default();
    let steps = environment.parsed("ATTUNE_WORKFLOW_STEP_LIMIT", "a number", limits.steps)?;
    Ok(Limits { steps: steps.max(1), ..limits })
}

/// Takes a step, and answers its token unless the thread waits.
///
/// What does not answer is asked again until little of the function's time is left: a failure costs the state machine
/// events of its bounded history.
///
/// # Errors
/// [`Unavailable`] where the step was not taken or the token not answered in time; the state machine calls again,
/// which does no harm.
pub async fn handle(
    ports: &Ports,
    limits: Limits,
    invocation: &Invocation,
    Task { step, token }: Task,
) -> Result<(), Unavailable> {
    let deadline = Instant::now() + invocation.remaining().saturating_sub(GRACE);
    let then =
        insist(deadline, async || workflow::advance(ports, limits, step, &token).await).await;
    // Not one loop: once the token is answered, the thread is at its next step, and this one's is over.
    let done = match then {
        Ok(Some(then)) => {
            insist(deadline, async || ports.orchestrator.tell(&token, then).await).await
        }
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    done.inspect_err(|error| {
        let ThreadStep { run, thread, hop, sequence } = step;
        tracing::error!(%run, thread, hop, sequence, error = error as &dyn std::error::Error, "a step was not taken");
    })
}

/// Attempts something until it succeeds, with growing pauses, or the deadline comes.
async fn insist<T>(
    deadline: Instant,
    attempt: impl AsyncFn() -> Result<T, Unavailable>,
) -> Result<T, Unavailable> {
    let mut longest = PAUSE;
    let mut last = Unavailable::new("the step", "the function's time is over");
    loop {
        match timeout_at(deadline, attempt()).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => last = error,
            Err(_) => return Err(last),
        }
        tracing::warn!(error = &last as &dyn std::error::Error, "a step is attempted again");
        // Many threads may meet the same trouble: they should not come back together.
        let pause = longest.mul_f64(rand::rng().random_range(0.5..=1.0));
        if Instant::now() + pause >= deadline {
            return Err(last);
        }
        sleep(pause).await;
        longest = (longest * 2).min(LONGEST_PAUSE);
    }
}
