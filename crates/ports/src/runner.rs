//! Running an action.

use async_trait::async_trait;
use attune_domain::catalogue::{OutputFormat, ParameterDelivery, ParameterFormat};
use attune_domain::execution::Printed;
use attune_domain::id::ExecutionId;
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use serde_json::{Map, Value};
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// One run of an action, with its secrets in place. Never stored, never logged.
#[derive(Clone)]
pub struct Invocation {
    /// Which execution; names its logs.
    pub execution: ExecutionId,
    /// Which attempt at it, from 1. A later one starts its logs afresh.
    pub attempt: u32,
    /// Which action.
    pub action_ref: ComponentRef,
    /// What it runs on.
    pub runtime: Runtime,
    /// A file under the pack's `actions` folder, a built-in's name, or inline shell code.
    pub entrypoint: String,
    /// The pack's root folder; inline code and built-ins do without.
    pub pack_dir: Option<PathBuf>,
    /// Parameters with defaults applied and secrets restored.
    pub parameters: Map<String, Value>,
    /// How they reach the process.
    pub parameter_delivery: ParameterDelivery,
    /// How they are written.
    pub parameter_format: ParameterFormat,
    /// How standard output is read.
    pub output_format: OutputFormat,
    /// After this it is stopped.
    pub timeout: Duration,
    /// The rule that asked, if one did.
    pub rule_ref: Option<String>,
    /// The trigger of its event.
    pub trigger_ref: Option<String>,
    /// Values to strike out of logs, results and errors. The API token is always one of them.
    pub secrets: Vec<String>,
    /// Token for the process, if its action has permission sets.
    pub api_token: Option<String>,
}

/// Names the run and nothing else: neither parameters nor secrets get into logs.
impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("execution", &self.execution)
            .field("attempt", &self.attempt)
            .field("action_ref", &self.action_ref)
            .field("runtime", &self.runtime)
            .finish_non_exhaustive()
    }
}

/// How a run ended and what is stored for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// `completed` (exit code 0 and nothing amiss), `cancelled` (somebody asked for it), or `failed`:
    /// another exit code, a signal, the time limit, or no start at all.
    pub status: ExecutionStatus,
    /// The result object, secrets struck out. Always with `succeeded`; with `exit_code` (-1 where a
    /// signal, the time limit or a cancel ended the run) and `duration_ms` if the action was
    /// started; with `error` unless it completed. Then `data` (the parsed output) or `stdout`,
    /// `stderr_log` (a path within the logs), `timed_out`, `cancelled`, `queue_ack`, and for
    /// truncated streams `stdout_truncated`, `stdout_bytes_truncated` and their stderr twins where
    /// they apply.
    pub result: Value,
    /// What was printed, where that is little and is to be kept with the execution; `None`, it is in
    /// [`crate::Logs`].
    pub printed: Option<Printed>,
}

impl Outcome {
    /// An outcome whose output, if any, is in the logs.
    #[must_use]
    pub const fn new(status: ExecutionStatus, result: Value) -> Self {
        Self { status, result, printed: None }
    }
}

/// Completes when the run is to be stopped.
pub type Cancelled = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs actions.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Runs an action to its end, which comes at the latest some grace after its time limit. When
    /// `cancelled` is done, the action is ended. There is no error: what goes wrong is the run's outcome.
    /// Dropping the future ends the action too.
    async fn run(&self, invocation: Invocation, cancelled: Cancelled) -> Outcome;

    /// Whether running this entry point again after a crash does no harm, so that its claim need not
    /// be durable before it starts.
    fn is_pure(&self, runtime: Runtime, entrypoint: &str) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_invocation_shows_no_secret() {
        let invocation = Invocation {
            execution: ExecutionId::new(4711),
            attempt: 1,
            action_ref: ComponentRef::parse("mine.action").unwrap(),
            runtime: Runtime::Shell,
            entrypoint: "curl -H hunter2".into(),
            pack_dir: None,
            parameters: json!({"password": "hunter2"}).as_object().unwrap().clone(),
            parameter_delivery: ParameterDelivery::default(),
            parameter_format: ParameterFormat::default(),
            output_format: OutputFormat::default(),
            timeout: Duration::from_secs(1),
            rule_ref: None,
            trigger_ref: None,
            secrets: vec!["hunter2".into()],
            api_token: Some("hunter2".into()),
        };
        let shown = format!("{invocation:?}");
        assert!(shown.contains("4711") && shown.contains("mine.action"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
