//! A run is over: its execution ends with it.

use super::load::{self, Known};
use crate::announce::Announcement;
use crate::load::Versioned;
use crate::{layout, payload, subject};
use attune_domain::Timestamp;
use attune_domain::execution::Execution;
use attune_domain::workflow::plan::{self, Ending};
use attune_domain::workflow::run::{Run, Status};
use attune_ports::records::Commit;
use attune_ports::{Ports, Unavailable};
use serde_json::Value;

/// What stands in a result where a secret was.
const STRUCK: &str = "[REDACTED]";

/// Writes a run's end into its execution, and says whom to tell.
pub(super) async fn apply(
    ports: &Ports,
    known: &Known,
    execution: &mut Execution,
    ending: Ending,
    now: Timestamp,
) -> Result<Vec<Announcement>, Unavailable> {
    let Ending { status, mut result } = ending;
    strike(&known.secrets, &mut result);
    let name = format!("executions/{}.result", execution.id);
    execution.result = Some(payload::stash(&*ports.blobs, &name, result).await?);
    // The first terminal status wins; a run whose execution was ended otherwise is over all the same.
    if execution.become_(status, now).is_err() && !execution.status.is_terminal() {
        execution.status = status;
        execution.updated = now;
    }
    Ok(Announcement::completed(execution).into_iter().collect())
}

/// Ends the execution with its run, where the last thread is gone without a step of its own. Adds to the commit that
/// stores the run, and says whom to tell.
pub(super) async fn of_run(
    ports: &Ports,
    run: &mut Run,
    commit: Commit,
) -> Result<(Commit, Vec<Announcement>), Unavailable> {
    if !run.threads.is_empty() || run.status == Status::Over {
        return Ok((commit, vec![]));
    }
    let loaded = crate::load::execution_versioned(ports, run.execution).await?;
    let Some(Versioned { body: mut execution, version, .. }) = loaded else {
        return Ok((commit, vec![]));
    };
    let definition = load::definition_of(ports, run).await?;
    let known = Known::of(ports, &execution, &run.vars).await?;
    let now = ports.clock.now();
    let uuid = || load::uuid(&*ports.ids);
    let mut context = known.context(now, 0.0, &uuid);
    if run.status != Status::Canceling {
        // What has failed may have outputs all the same.
        load::results(ports, &definition, run, &mut context, None).await?;
    }
    let Some(ended) = plan::ending(&definition, run, &mut context) else {
        return Ok((commit, vec![]));
    };
    let announcements = apply(ports, &known, &mut execution, ended, now).await?;
    let record = layout::execution_record(&execution, subject::due(&execution, now));
    Ok((commit.replace(record, version), announcements))
}

/// Strikes secrets out of a value, wherever they stand in it.
fn strike(secrets: &[String], value: &mut Value) {
    match value {
        Value::String(text) => {
            for secret in secrets {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), STRUCK);
                }
            }
        }
        Value::Number(number) if secrets.contains(&number.to_string()) => *value = STRUCK.into(),
        Value::Array(items) => items.iter_mut().for_each(|item| strike(secrets, item)),
        Value::Object(map) => map.values_mut().for_each(|item| strike(secrets, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_struck_out_wherever_they_stand() {
        let mut result = json!({"a": "pw=s3cret!", "b": [42, 7], "c": {"d": "s3cret"}, "e": true});
        strike(&["s3cret".into(), "42".into()], &mut result);
        let expected = json!({
            "a": "pw=[REDACTED]!", "b": ["[REDACTED]", 7], "c": {"d": "[REDACTED]"}, "e": true,
        });
        assert_eq!(result, expected);
    }
}
