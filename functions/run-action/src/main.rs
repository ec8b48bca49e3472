//! Starts the function.
//!
//! | variable | what |
//! |---|---|
//! | `ATTUNE_API_URL` | the API's address, for actions |
//! | `ATTUNE_ACTION_TIMEOUT_SECONDS` | time limit of an action; 300 |
//! | `ATTUNE_SHELL`, `ATTUNE_PYTHON`, `ATTUNE_NODE` | interpreters; `/bin/sh`, `python3`, `node` |
//!
//! On the managed runtimes of Python and Node, `AWS_LAMBDA_EXEC_WRAPPER` names this very program: it is
//! started with the runtime's own command as arguments, passes them over, and serves the invocations itself.

use attune_api::auth::ExecutionTokens;
use attune_aws::{Clients, CloudRunner, S3Logs};
use attune_function::Environment;
use attune_function::environment::Error;
use attune_runner::{Interpreters, Runner};
use run_action::Limits;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

fn main() -> ExitCode {
    attune_function::serve(|environment| {
        let stack = environment.stack()?;
        let config = runner_config(environment, &stack.scratch)?;
        let timeout = environment.parsed("ATTUNE_ACTION_TIMEOUT_SECONDS", "a number", 300)?;
        let bucket = stack.bucket.clone();
        let clients = Arc::<Clients>::default();
        let (logs_dir, logs) = (config.logs_dir.clone(), S3Logs::new(Arc::clone(&clients), bucket));
        let runner = CloudRunner::new(Arc::new(Runner::new(config)), logs_dir, logs);
        let worker = environment.worker();
        let mut ports = attune_aws::step_with(clients, stack, Arc::new(runner), &worker);
        let tokens = ExecutionTokens::new(ports.vault.clone(), ports.clock.clone());
        ports.tokens = Some(Arc::new(tokens));
        let limits = Limits {
            action: Duration::from_secs(timeout),
            inquiry: environment.inquiry_patience()?,
        };
        Ok(async move |event, invocation| {
            Ok(run_action::handle(&ports, limits, &invocation, event).await)
        })
    })
}

fn runner_config(
    environment: &Environment,
    scratch: &std::path::Path,
) -> Result<attune_runner::Config, Error> {
    let program = |name: &str, default: std::path::PathBuf| {
        environment.optional(name).map_or(default, Into::into)
    };
    let default = Interpreters::default();
    let api_url = environment.required("ATTUNE_API_URL")?;
    let mut config = attune_runner::Config::new(scratch, environment.worker(), api_url);
    config.interpreters = Interpreters {
        shell: program("ATTUNE_SHELL", default.shell),
        python: program("ATTUNE_PYTHON", default.python),
        node: program("ATTUNE_NODE", default.node),
    };
    // The managed runtimes' interpreters find their libraries by it.
    config.environment.push("LD_LIBRARY_PATH".to_owned());
    Ok(config)
}
