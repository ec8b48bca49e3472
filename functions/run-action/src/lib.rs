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

/// How long what may take, where nobody says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// An action, where the function has that long.
    pub action: Duration,
    /// An answer to what an action asks people.
    pub inquiry: Duration,
}

/// Runs the actions of a batch, all at once.
pub async fn handle(
    ports: &Ports,
    limits: Limits,
    invocation: &Invocation,
    event: SqsEvent,
) -> SqsBatchResponse {
    let terms = terms(limits, invocation.remaining());
    batch::deal(ports, event, async |deliveries| dispatch::runs(ports, &terms, deliveries).await)
        .await
}

/// How runs behave in a function that has `remaining` left. Their claims hold until the function's own
/// deadline: only then is it certain that a worker that did not answer is dead.
fn terms(limits: Limits, remaining: Duration) -> run::Terms {
    let timeout = limits.action.min(remaining.saturating_sub(GRACE)).max(Duration::from_secs(1));
    let grace = remaining.saturating_sub(timeout);
    let longest = remaining.saturating_sub(GRACE).max(timeout);
    run::Terms { timeout, longest, grace, look: LOOK, inquiry: limits.inquiry }
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
            let limits =
                Limits { action: Duration::from_secs(limit), inquiry: Duration::from_secs(60) };
            let terms = terms(limits, remaining);
            assert_eq!(terms.timeout, Duration::from_secs(expected), "{limit} of {remaining:?}");
            assert_eq!(terms.timeout + terms.grace, remaining, "{limit} of {remaining:?}");
        }
    }
}
