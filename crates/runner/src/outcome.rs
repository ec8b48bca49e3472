//! How a run ended, and the result object that is stored for it.

use crate::{capture::Captured, log::relative_path, output, redaction::Redaction};
use attune_domain::{catalogue::OutputFormat, runtime::Runtime, status::ExecutionStatus};
use attune_ports::{
    LogStream,
    runner::{Invocation, Outcome},
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The longest error text that is taken from standard error, in bytes.
const LONGEST_ERROR: usize = 64 * 1024;

/// With more lines than this, the last one of standard error is the error text.
const ERROR_LINES: usize = 5;

/// Why a run was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    TimedOut,
    Cancelled,
}

/// What is known of a run that was started.
pub(crate) struct Ending {
    /// -1 where a signal ended it.
    pub(crate) exit_code: i32,
    pub(crate) stop: Option<Stop>,
    /// What went wrong apart from the exit code, or why the exit code is what it is.
    pub(crate) fault: Option<String>,
    pub(crate) elapsed: Duration,
    /// Data that did not come by way of standard output.
    pub(crate) data: Option<Value>,
}

/// The outcome of an action that could not be started.
pub(crate) fn early(error: &str, redaction: &Redaction) -> Outcome {
    let result = json!({"succeeded": false, "error": redaction.text(error)});
    Outcome::new(ExecutionStatus::Failed, result)
}

/// Whether the action's output is going to be parsed.
pub(crate) fn parses(invocation: &Invocation) -> bool {
    invocation.runtime == Runtime::Native || invocation.output_format != OutputFormat::Text
}

/// The outcome of an action that was started.
pub(crate) fn of(
    invocation: &Invocation,
    ending: Ending,
    stdout: &Captured,
    stderr: &Captured,
    redaction: &Redaction,
) -> Outcome {
    let status = match ending.stop {
        Some(Stop::Cancelled) => ExecutionStatus::Cancelled,
        Some(Stop::TimedOut) => ExecutionStatus::Failed,
        None if ending.exit_code == 0 && ending.fault.is_none() => ExecutionStatus::Completed,
        None => ExecutionStatus::Failed,
    };
    let completed = status == ExecutionStatus::Completed;
    let exit_code = if ending.stop == Some(Stop::TimedOut) { -1 } else { ending.exit_code };
    let mut result = Map::new();
    result.insert("exit_code".into(), exit_code.into());
    let millis = u64::try_from(ending.elapsed.as_millis()).unwrap_or(u64::MAX);
    result.insert("duration_ms".into(), millis.into());
    result.insert("succeeded".into(), completed.into());

    let data = ending.data.or_else(|| {
        let parsed = ending.stop.is_none() && ending.exit_code == 0;
        parsed.then(|| data_in(invocation, stdout)).flatten()
    });
    if let Some(mut data) = data {
        redaction.value(&mut data);
        if let Some(ack) = data.get("queue_ack") {
            result.insert("queue_ack".into(), ack.clone());
        }
        result.insert("data".into(), data);
    } else if !stdout.bare().is_empty() {
        result.insert("stdout".into(), stdout.text().into());
    }
    if !stderr.bare().trim().is_empty() {
        let path = relative_path(invocation.execution, LogStream::Stderr);
        result.insert("stderr_log".into(), path.into());
    }
    if !completed {
        let error = match ending.stop {
            Some(Stop::TimedOut) => {
                result.insert("timed_out".into(), true.into());
                format!("Execution timed out after {} seconds", invocation.timeout.as_secs_f64())
            }
            Some(Stop::Cancelled) => {
                result.insert("cancelled".into(), true.into());
                "Execution cancelled".into()
            }
            None => error_text(ending.exit_code, ending.fault, &stderr.bare()),
        };
        result.insert("error".into(), redaction.text(&error).into());
        truncation("stdout", stdout, &mut result);
        truncation("stderr", stderr, &mut result);
    }
    Outcome::new(status, result.into())
}

/// Executables always have their whole output tried as JSON, whatever their output format. A
/// built-in that prints text means text.
fn data_in(invocation: &Invocation, stdout: &Captured) -> Option<Value> {
    if invocation.runtime == Runtime::Native && !crate::native::is_built_in(invocation) {
        output::whole(&stdout.raw())
    } else {
        output::parse(invocation.output_format, &stdout.raw())
    }
}

fn error_text(exit_code: i32, fault: Option<String>, stderr: &str) -> String {
    let stderr = stderr.trim();
    if exit_code == 0 || stderr.is_empty() {
        return fault.unwrap_or_else(|| format!("Command exited with code {exit_code}"));
    }
    let text = match stderr.lines().count() {
        0..=ERROR_LINES => stderr,
        _ => stderr.lines().next_back().unwrap_or(stderr),
    };
    let mut start = text.len().saturating_sub(LONGEST_ERROR);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text[start..].to_owned()
}

fn truncation(name: &str, captured: &Captured, result: &mut Map<String, Value>) {
    if let Some(dropped) = captured.dropped() {
        result.insert(format!("{name}_truncated"), true.into());
        result.insert(format!("{name}_bytes_truncated"), dropped.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts() {
        let many = "1\n2\n3\n4\n5\nlast words\n";
        let rows = [
            ("few lines are the error", 1, None, "a\nb\n", "a\nb"),
            ("of many lines, the last is", 1, None, many, "last words"),
            ("silence is named by its code", 3, None, "  \n", "Command exited with code 3"),
            ("a fault explains a silent failure", 1, Some("because"), "", "because"),
            ("a fault with exit code 0 is the error", 0, Some("because"), "note", "because"),
            ("what the action says goes first", 1, Some("because"), "note", "note"),
        ];
        for (case, code, fault, stderr, expected) in rows {
            assert_eq!(error_text(code, fault.map(String::from), stderr), expected, "{case}");
        }
        let long = "ä".repeat(LONGEST_ERROR);
        assert!(error_text(1, None, &long).len() <= LONGEST_ERROR, "the error is bounded");
    }
}
