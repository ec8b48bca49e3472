//! Events of the cloud as a trigger's: which of them, by an EventBridge event pattern.
//!
//! The pattern is EventBridge's to apply. It is read here so that a mistake is told where it was written,
//! with the path to it, and not first by a service that is called minutes later.

mod matcher;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The `type` of a trigger's configuration that subscribes to events of the cloud.
pub const TYPE: &str = "cloud_event";
/// Characters of a pattern, at most; EventBridge's limit.
const LONGEST: usize = 4_096;
/// The fields of an event, which are all that a pattern can start with.
const FIELDS: [&str; 10] = [
    "version",
    "id",
    "detail-type",
    "source",
    "account",
    "time",
    "region",
    "resources",
    "detail",
    "replay-name",
];

/// Which events of the cloud are a trigger's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloudEventSource {
    /// The event pattern, as EventBridge reads it.
    pub event_pattern: Map<String, Value>,
    /// Name of the event bus; `None`, the account's default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_bus: Option<String>,
}

/// A configuration that cannot be. The API answers it with 422.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cloud event field '{field}' {reason}")]
pub struct Error {
    /// Path to the value at fault: `event_pattern.detail.state[0].numeric`.
    pub field: String,
    /// What it must be, and what it is.
    pub reason: String,
}

impl Error {
    fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }

    /// The keys that lead to the value at fault, as far as they are keys of objects.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.field.split('.').map(|step| step.split('[').next().unwrap_or(step))
    }
}

/// Whether a configuration says under `type` that it is one.
#[must_use]
pub fn says_so(config: &Value) -> bool {
    config.get("type").and_then(Value::as_str) == Some(TYPE)
}

impl CloudEventSource {
    /// Reads `{"type":"cloud_event","event_pattern":{"source":["aws.s3"]},"event_bus":"orders"}`.
    ///
    /// # Errors
    /// [`Error`] names the first field that is wrong.
    pub fn parse(config: &Value) -> Result<Self, Error> {
        let event_pattern = match config.get("event_pattern") {
            Some(Value::Object(pattern)) => pattern.clone(),
            None | Some(Value::Null) => return Err(Error::new("event_pattern", "is required")),
            Some(other) => {
                let reason = format!("must be an object, not {other}");
                return Err(Error::new("event_pattern", reason));
            }
        };
        let event_bus = match config.get("event_bus") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) if is_bus_name(name) => Some(name.clone()),
            Some(other) => {
                let reason = format!(
                    "must be the name of an event bus (letters, digits, '.', '-', '_', '/'), not {other}"
                );
                return Err(Error::new("event_bus", reason));
            }
        };
        if let Some(map) = config.as_object() {
            let known = ["type", "event_pattern", "event_bus"];
            if let Some(stranger) = map.keys().find(|key| !known.contains(&key.as_str())) {
                return Err(Error::new(stranger, "is unknown: expected event_pattern, event_bus"));
            }
        }
        check(&event_pattern)?;
        Ok(Self { event_pattern, event_bus: event_bus.filter(|name| name != "default") })
    }

    /// The configuration it was read from.
    #[must_use]
    pub fn config(&self) -> Value {
        let mut config = Map::new();
        config.insert("type".into(), TYPE.into());
        config.insert("event_pattern".into(), self.event_pattern.clone().into());
        if let Some(bus) = &self.event_bus {
            config.insert("event_bus".into(), bus.as_str().into());
        }
        Value::Object(config)
    }
}

fn is_bus_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/.-_".contains(c);
    (1..=256).contains(&name.len()) && name.chars().all(fits)
}

fn check(pattern: &Map<String, Value>) -> Result<(), Error> {
    let at = "event_pattern";
    let length = serde_json::to_string(pattern).map_or(0, |text| text.len());
    if length > LONGEST {
        return Err(Error::new(at, format!("must not exceed {LONGEST} characters, has {length}")));
    }
    if let Some(stranger) = strangers(pattern).first() {
        let known = FIELDS.join(", ");
        return Err(Error::new(
            format!("{at}.{stranger}"),
            format!("is no field of an event: expected {known}"),
        ));
    }
    check_object(pattern, at)
}

/// Keys that no event has, at the top or in an alternative of it.
fn strangers(pattern: &Map<String, Value>) -> Vec<&str> {
    let mut found = Vec::new();
    for (key, value) in pattern {
        if key == "$or" {
            let branches = value.as_array().into_iter().flatten();
            found.extend(branches.filter_map(Value::as_object).flat_map(strangers));
        } else if !FIELDS.contains(&key.as_str()) {
            found.push(key.as_str());
        }
    }
    found
}

fn check_object(pattern: &Map<String, Value>, at: &str) -> Result<(), Error> {
    if pattern.is_empty() {
        return Err(Error::new(at, "must not be empty"));
    }
    for (key, value) in pattern {
        let at = format!("{at}.{key}");
        match value {
            Value::Array(branches) if key == "$or" => check_branches(branches, &at)?,
            _ if key == "$or" => return Err(Error::new(at, "must be a list of patterns")),
            Value::Object(deeper) => check_object(deeper, &at)?,
            Value::Array(accepted) if accepted.is_empty() => {
                return Err(Error::new(at, "must not be an empty list"));
            }
            Value::Array(accepted) => {
                for (n, one) in accepted.iter().enumerate() {
                    matcher::check(one, &format!("{at}[{n}]"))?;
                }
            }
            other => {
                let reason = format!("must be a list of what is accepted, such as [{other}]");
                return Err(Error::new(at, reason));
            }
        }
    }
    Ok(())
}

fn check_branches(branches: &[Value], at: &str) -> Result<(), Error> {
    if branches.len() < 2 {
        return Err(Error::new(at, "must list two patterns or more"));
    }
    for (n, branch) in branches.iter().enumerate() {
        let at = format!("{at}[{n}]");
        match branch {
            Value::Object(pattern) => check_object(pattern, &at)?,
            other => return Err(Error::new(at, format!("must be a pattern, not {other}"))),
        }
    }
    Ok(())
}
