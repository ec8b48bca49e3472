//! Runs actions, from the queues `run-native`, `run-shell`, `run-python` and `run-node`: the same code,
//! deployed once for each.

use attune_function::{Invocation, batch};
use attune_journey::{dispatch, run};
use attune_ports::Ports;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use std::time::Duration;

/// What is left of the function's time when an action reaches its limit: to end its process, store what it
/// printed and record the outcome.
const GRACE: Duration = Duration::from_secs(15);
/// How often a run looks whether it was cancelled. Each look is a request.
const LOOK: Duration = Duration::from_secs(2);

/// Runs the actions of a batch, all at once. `timeout` is the time limit of an action, where the function
/// has that long.
pub async fn handle(
    ports: &Ports,
    timeout: Duration,
    invocation: &Invocation,
    event: SqsEvent,
) -> SqsBatchResponse {
    let terms = terms(timeout, invocation.remaining());
    batch::deal(ports, event, async |deliveries| dispatch::runs(ports, &terms, deliveries).await)
        .await
}

/// How runs behave in a function that has `remaining` left. Their claims hold until the function's own
/// deadline: only then is it certain that a worker that did not answer is dead.
fn terms(timeout: Duration, remaining: Duration) -> run::Terms {
    let timeout = timeout.min(remaining.saturating_sub(GRACE)).max(Duration::from_secs(1));
    run::Terms { timeout, grace: remaining.saturating_sub(timeout), look: LOOK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_holds_until_the_functions_deadline() {
        let rows = [
            // limit, remaining, limit of this run
            (300, 900, 300),
            (300, 300, 285),
            (900, 900, 885),
            (300, 30, 15),
            (300, 10, 1),
        ];
        for (limit, remaining, expected) in rows {
            let remaining = Duration::from_secs(remaining);
            let terms = terms(Duration::from_secs(limit), remaining);
            assert_eq!(terms.timeout, Duration::from_secs(expected), "{limit} of {remaining:?}");
            assert_eq!(terms.timeout + terms.grace, remaining, "{limit} of {remaining:?}");
        }
    }
}
