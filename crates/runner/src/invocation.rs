//! One run of an action, as the caller describes it.

use attune_domain::catalogue::{OutputFormat, ParameterDelivery, ParameterFormat};
use attune_domain::runtime::Runtime;
use serde_json::{Map, Value};
use std::{fmt, path::PathBuf, time::Duration};

/// One run of one action.
#[derive(Clone)]
pub struct Invocation {
    /// The execution's id; names the log files and the process record.
    pub execution: i64,
    /// Which attempt at the execution this is, from 1. A later attempt starts its logs afresh.
    pub attempt: u32,
    /// The full ref of the action, `pack.name`.
    pub action_ref: String,
    /// The ref of the action's pack.
    pub pack_ref: String,
    /// What the action runs on.
    pub runtime: Runtime,
    /// A file under the pack's `actions` folder, a built-in's name, or inline shell code.
    pub entrypoint: String,
    /// The pack's root folder; inline code and built-ins do without.
    pub pack_dir: Option<PathBuf>,
    /// The parameters, with defaults applied and secrets in clear.
    pub parameters: Map<String, Value>,
    /// How the parameters reach the process.
    pub parameter_delivery: ParameterDelivery,
    /// How the parameters are encoded.
    pub parameter_format: ParameterFormat,
    /// How standard output is read.
    pub output_format: OutputFormat,
    /// How long the action may take before it is ended.
    pub timeout: Duration,
    /// The rule that caused the execution.
    pub rule_ref: Option<String>,
    /// The trigger that caused the execution.
    pub trigger_ref: Option<String>,
    /// Values to redact from logs, results and errors. The API token is always one of them.
    pub secrets: Vec<String>,
    /// The token for the action's own calls of the API.
    pub api_token: Option<String>,
    /// The base URL of the API; an address that means "any" becomes the loopback address.
    pub api_url: String,
}

/// Names the run only: parameters and secrets stay out of logs.
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
