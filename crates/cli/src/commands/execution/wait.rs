//! Waiting for the end of an execution.

use crate::client::{Client, Error};
use crate::exit::FAILED;
use anyhow::Context;
use attune_domain::status::ExecutionStatus;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// How soon to look for the first time, and how seldom at last. Most actions take less than a
/// second; those that take an hour need not be asked about ten times a second.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// The execution as it is when it has ended, with a spinner on stderr meanwhile.
///
/// # Errors
/// When the server stops answering.
pub async fn with_spinner(client: &Client, execution: Value) -> anyhow::Result<Value> {
    let id = execution["id"].as_u64().context("the server answered an execution without id")?;
    let spinner = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} execution {prefix}: {msg} {elapsed}")
    {
        spinner.set_style(style);
    }
    spinner.set_prefix(id.to_string());
    spinner.enable_steady_tick(Duration::from_millis(100));
    let ended = until_over(client, id, |execution| {
        spinner.set_message(status(execution).to_owned());
        Ok(())
    })
    .await
    .with_context(|| format!("cannot tell how execution {id} went on"));
    spinner.finish_and_clear();
    ended
}

/// Looks at an execution until it has ended, and hands every change of its status to `changed`,
/// the status at the first look included.
///
/// # Errors
/// When the server stops answering, and those of `changed`.
pub async fn until_over(
    client: &Client,
    id: u64,
    mut changed: impl FnMut(&Value) -> std::io::Result<()>,
) -> anyhow::Result<Value> {
    let mut pause = FIRST;
    let mut known = String::new();
    loop {
        let execution = look(client, id).await?;
        if status(&execution) != known {
            status(&execution).clone_into(&mut known);
            changed(&execution)?;
        }
        if is_over(&execution) {
            return Ok(execution);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST);
    }
}

/// One look at an execution.
///
/// # Errors
/// When the server does not answer, or refuses.
pub async fn look(client: &Client, id: u64) -> Result<Value, Error> {
    client.get(&["executions", &id.to_string()]).await
}

/// Success if the execution completed.
pub fn exit_code(execution: &Value) -> ExitCode {
    if status(execution) == ExecutionStatus::Completed.as_str() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

/// The status of an execution, as the wire has it.
pub fn status(execution: &Value) -> &str {
    execution["status"].as_str().unwrap_or_default()
}

/// Whether the execution has ended. A status that is unknown here comes from a newer server, and
/// is taken for one that something follows.
pub fn is_over(execution: &Value) -> bool {
    status(execution).parse().is_ok_and(ExecutionStatus::is_terminal)
}
