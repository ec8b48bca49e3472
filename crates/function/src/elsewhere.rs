//! The runner of functions that run nothing.

use async_trait::async_trait;
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::runner::{Cancelled, Invocation, Outcome, Runner};
use serde_json::json;

/// Actions run elsewhere, in `run-action`: here it is only known which may run again.
pub struct Elsewhere;

#[async_trait]
impl Runner for Elsewhere {
    async fn run(&self, invocation: Invocation, _: Cancelled) -> Outcome {
        let error =
            format!("{} cannot run here: this function runs no actions", invocation.action_ref);
        Outcome::new(ExecutionStatus::Failed, json!({"succeeded": false, "error": error}))
    }

    fn is_pure(&self, runtime: Runtime, entrypoint: &str) -> bool {
        attune_runner::is_pure(runtime, entrypoint)
    }
}
