//! Running an action.

use async_trait::async_trait;
use attune_domain::catalogue::{OutputFormat, ParameterDelivery, ParameterFormat};
use attune_domain::id::ExecutionId;
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use serde_json::{Map, Value};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// One run of an action, with its secrets in place. Never stored, never logged.
pub struct Invocation {
    /// Which execution.
    pub execution: ExecutionId,
    /// Which attempt.
    pub attempt: u32,
    /// Which action.
    pub action_ref: ComponentRef,
    /// What it runs on.
    pub runtime: Runtime,
    /// File, inline code or built-in.
    pub entrypoint: String,
    /// The pack's folder, where it has one.
    pub pack_dir: Option<PathBuf>,
    /// Parameters with defaults applied and secrets restored.
    pub parameters: Map<String, Value>,
    /// How they reach the process.
    pub parameter_delivery: ParameterDelivery,
    /// How they are written.
    pub parameter_format: ParameterFormat,
    /// How output is read.
    pub output_format: OutputFormat,
    /// After this it is stopped.
    pub timeout: Duration,
    /// The rule that asked, if one did.
    pub rule_ref: Option<String>,
    /// The trigger of its event.
    pub trigger_ref: Option<String>,
    /// Values to strike out of logs and results.
    pub secrets: Vec<String>,
    /// Token for the process, if its action has permission sets.
    pub api_token: Option<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// `completed`, `failed` or `cancelled`.
    pub status: ExecutionStatus,
    /// The result object, secrets struck out.
    pub result: Value,
}

/// Completes when the run is to be stopped.
pub type Cancelled = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs actions.
#[async_trait]
pub trait Runner: Send + Sync {
    /// Runs an action to its end. There is no error: what goes wrong is the run's outcome.
    async fn run(&self, invocation: Invocation, cancelled: Cancelled) -> Outcome;

    /// Whether running this entry point again after a crash does no harm, so that its claim need not
    /// be durable before it starts.
    fn is_pure(&self, runtime: Runtime, entrypoint: &str) -> bool;
}
