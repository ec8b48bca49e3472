//! What executions of workflows are told to do.

use super::super::Context;
use super::super::execution::parameters::{self, Assignment};
use crate::exit::Usage;
use attune_domain::schema::is_redacted;
use clap::Args;
use serde_json::{Map, Value, json};

/// `attune workflow retry`.
#[derive(Args, Debug)]
pub struct Retry {
    /// Number of the execution
    pub execution: u64,
    /// Start from this task, with everything after it [default: what failed and was not dealt with]
    #[arg(long, value_name = "TASK")]
    pub from: Option<String>,
    /// Parameters that differ from those of the execution
    #[arg(value_name = "KEY=VALUE")]
    pub assignments: Vec<Assignment>,
    /// All parameters as a JSON object, or `@FILE` (`@-` for stdin); KEY=VALUE goes over it
    #[arg(long, value_name = "JSON|@FILE")]
    pub params: Option<String>,
}

/// Pauses, resumes or cancels an execution.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn tell(execution: u64, what: &str, context: &Context) -> anyhow::Result<()> {
    let path = ["workflow-executions", &execution.to_string(), what];
    Ok(context.output.object(&context.client.post(&path, None).await?)?)
}

/// Does a part of an execution again.
///
/// # Errors
/// When the server does not answer, or refuses.
pub(super) async fn retry(retry: Retry, context: &Context) -> anyhow::Result<()> {
    let id = retry.execution.to_string();
    let mut body = json!({});
    if let Some(task) = &retry.from {
        body["from_task"] = task.as_str().into();
    }
    if let Some(parameters) = changed(&retry, &id, context).await? {
        body["parameters"] = parameters.into();
    }
    let path = ["workflow-executions", &id, "retry"];
    Ok(context.output.object(&context.client.post(&path, Some(&body)).await?)?)
}

/// The parameters, where they are to be others than the first time.
async fn changed(
    retry: &Retry,
    id: &str,
    context: &Context,
) -> anyhow::Result<Option<Map<String, Value>>> {
    let whole = retry.params.as_deref().map(parameters::object).transpose()?;
    if retry.assignments.is_empty() {
        return Ok(whole);
    }
    let execution = context.client.get(&["workflow-executions", id]).await?;
    let action = execution["action_ref"].as_str().unwrap_or_default();
    let action = context.client.get(&["actions", action]).await?;
    let given = whole.is_some();
    let mut all = match (whole, &execution["config"]) {
        (Some(whole), _) => whole,
        (None, Value::Object(first)) => first.clone(),
        (None, _) => Map::new(),
    };
    all.extend(retry.assignments.iter().map(|one| one.typed(&action["param_schema"])));
    if !given && let Some((name, _)) = all.iter().find(|(_, value)| hides(value)) {
        let text = format!("{name} is secret and must be given again: add {name}=… or --params");
        return Err(Usage(text).into());
    }
    Ok(Some(all))
}

/// Whether a mark stands for a secret in a value: the mark is not what was meant.
fn hides(value: &Value) -> bool {
    is_redacted(value)
        || match value {
            Value::Array(items) => items.iter().any(hides),
            Value::Object(members) => members.values().any(hides),
            _ => false,
        }
}
