//! The built-in actions, which run in process.

pub(crate) mod http;

use crate::{capture::Capture, encoding::plain};
use attune_domain::runtime::Runtime;
use attune_ports::runner::Invocation;
use serde_json::{Map, Value};
use std::time::Duration;

/// The actions that need no process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Echo,
    Noop,
    Sleep,
    HttpRequest,
}

impl Builtin {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "core.echo" => Self::Echo,
            "core.noop" => Self::Noop,
            "core.sleep" => Self::Sleep,
            "core.http_request" => Self::HttpRequest,
            _ => return None,
        })
    }
}

/// Whether the entry point is a built-in without effects (`core.echo`, `core.noop`, `core.sleep`): such
/// an action may simply run again after a crash.
#[must_use]
pub fn is_pure(runtime: Runtime, entrypoint: &str) -> bool {
    runtime == Runtime::Native
        && Builtin::named(entrypoint).is_some_and(|builtin| builtin != Builtin::HttpRequest)
}

/// The built-in that a native action means, by its entry point or by its own ref.
pub(crate) fn built_in(invocation: &Invocation) -> Option<Builtin> {
    if invocation.runtime != Runtime::Native {
        return None;
    }
    Builtin::named(&invocation.entrypoint)
        .or_else(|| Builtin::named(invocation.action_ref.as_str()))
}

/// Whether an invocation is one of a built-in.
pub(crate) fn is_built_in(invocation: &Invocation) -> bool {
    built_in(invocation).is_some()
}

/// What a built-in answers, besides what it printed.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) exit_code: i32,
    pub(crate) error: Option<String>,
    pub(crate) data: Option<Value>,
}

impl Reply {
    fn exit(exit_code: i32) -> Self {
        Self { exit_code, error: None, data: None }
    }

    fn failed(error: String) -> Self {
        Self { exit_code: 1, error: Some(error), data: None }
    }
}

/// Runs a built-in. The caller ends it on cancel and at the time limit by dropping the future.
pub(crate) async fn perform(
    builtin: Builtin,
    parameters: &Map<String, Value>,
    stdout: &mut Capture<'_>,
    (clients, max_body): (&http::Clients, usize),
) -> Reply {
    if builtin == Builtin::HttpRequest {
        return match http::request(clients, parameters, max_body).await {
            Ok(data) => Reply { exit_code: 0, error: None, data: Some(data) },
            Err(error) => Reply::failed(crate::runner::chain(&error)),
        };
    }
    if let Some(message) = parameters.get("message").filter(|message| !message.is_null()) {
        stdout.push(plain(message).as_bytes());
        stdout.push(b"\n");
    }
    match builtin {
        Builtin::Noop => exit_code(parameters.get("exit_code")),
        Builtin::Sleep => match seconds(parameters.get("seconds")) {
            Ok(duration) => {
                tokio::time::sleep(duration).await;
                Reply::exit(0)
            }
            Err(error) => Reply::failed(error),
        },
        Builtin::Echo | Builtin::HttpRequest => Reply::exit(0),
    }
}

fn exit_code(value: Option<&Value>) -> Reply {
    match value {
        None | Some(Value::Null) => Reply::exit(0),
        Some(value) => match value.as_i64() {
            Some(code @ 0..=255) => Reply::exit(code as i32),
            _ => Reply::failed("exit_code must be an integer from 0 to 255".into()),
        },
    }
}

/// A duration in seconds; one second where none is given.
fn seconds(value: Option<&Value>) -> Result<Duration, String> {
    match value {
        None | Some(Value::Null) => Ok(Duration::from_secs(1)),
        Some(value) => value
            .as_f64()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| "seconds must be a number of at least 0".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_built_ins_without_effects_are_pure() {
        let pure = ["core.echo", "core.noop", "core.sleep"];
        assert!(pure.into_iter().all(|name| is_pure(Runtime::Native, name)));
        assert!(!pure.into_iter().any(|name| is_pure(Runtime::Shell, name)));
        let others = ["core.http_request", "echo", "mine.echo", "", "bin/tool"];
        assert!(!others.into_iter().any(|name| is_pure(Runtime::Native, name)));
    }

    #[test]
    fn durations() {
        assert_eq!(seconds(None), Ok(Duration::from_secs(1)));
        assert_eq!(seconds(Some(&json!(0))), Ok(Duration::ZERO));
        assert_eq!(seconds(Some(&json!(0.25))), Ok(Duration::from_millis(250)));
        for invalid in [json!(-1), json!("5"), json!(1e300), json!([])] {
            assert!(seconds(Some(&invalid)).is_err(), "{invalid}");
        }
    }

    #[test]
    fn exit_codes() {
        assert_eq!(exit_code(None), Reply::exit(0));
        assert_eq!(exit_code(Some(&json!(7))), Reply::exit(7));
        for invalid in [json!(-1), json!(256), json!("1"), json!(1.5)] {
            assert!(exit_code(Some(&invalid)).error.is_some(), "{invalid}");
        }
    }
}
