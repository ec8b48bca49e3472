//! The runner as the journey's port.

use crate::{Ended, Invocation, Runner, is_pure};
use async_trait::async_trait;
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::runner::{self, Cancelled, Outcome};

/// Runs what the journey asks for, and tells processes where the API is.
pub struct Port {
    runner: Runner,
    api_url: String,
}

impl Port {
    /// A port on `runner`. `api_url` is the base URL of the API, for the actions' own calls.
    #[must_use]
    pub fn new(runner: Runner, api_url: impl Into<String>) -> Self {
        Self { runner, api_url: api_url.into() }
    }
}

#[async_trait]
impl runner::Runner for Port {
    async fn run(&self, asked: runner::Invocation, cancelled: Cancelled) -> Outcome {
        let invocation = Invocation {
            execution: asked.execution.get(),
            attempt: asked.attempt,
            pack_ref: asked.action_ref.pack().to_owned(),
            action_ref: asked.action_ref.to_string(),
            runtime: asked.runtime,
            entrypoint: asked.entrypoint,
            pack_dir: asked.pack_dir,
            parameters: asked.parameters,
            parameter_delivery: asked.parameter_delivery,
            parameter_format: asked.parameter_format,
            output_format: asked.output_format,
            timeout: asked.timeout,
            rule_ref: asked.rule_ref,
            trigger_ref: asked.trigger_ref,
            secrets: asked.secrets,
            api_token: asked.api_token,
            api_url: self.api_url.clone(),
        };
        let outcome = self.runner.run(invocation, cancelled).await;
        let status = match outcome.status {
            Ended::Completed => ExecutionStatus::Completed,
            Ended::Failed => ExecutionStatus::Failed,
            Ended::Cancelled => ExecutionStatus::Cancelled,
        };
        Outcome { status, result: outcome.result }
    }

    fn is_pure(&self, runtime: Runtime, entrypoint: &str) -> bool {
        runtime == Runtime::Native && is_pure(entrypoint)
    }
}
