//! One value in a table: its text, and the colour that goes with it.

use super::yaml;
use chrono::{DateTime, SecondsFormat, Utc};
use comfy_table::{Cell, Color};
use serde_json::Value;

/// Stands where there is no value.
const NOTHING: &str = "-";

/// The cell of a field.
pub(super) fn cell(field: &str, value: &Value, colour: bool) -> Cell {
    let text = text(field, value);
    let paint = if colour { shade(field, &text) } else { None };
    let cell = Cell::new(text);
    match paint {
        Some(paint) => cell.fg(paint),
        None => cell,
    }
}

/// A value as text: moments to the second, nested values as YAML, and no control characters, so
/// that a label cannot play tricks on the terminal.
pub(super) fn text(field: &str, value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) if is_moment(field) => moment(text).unwrap_or_else(|| printable(text)),
        Value::String(text) => printable(text),
        Value::Array(list) if list.is_empty() => NOTHING.to_owned(),
        Value::Object(fields) if fields.is_empty() => NOTHING.to_owned(),
        Value::Array(_) | Value::Object(_) => printable(&yaml(value)),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn is_moment(field: &str) -> bool {
    matches!(field, "created" | "updated" | "last_updated") || field.ends_with("_at")
}

fn moment(text: &str) -> Option<String> {
    let moment = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    Some(moment.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

fn shade(field: &str, text: &str) -> Option<Color> {
    match (field, text) {
        ("status", "completed" | "succeeded")
        | ("verdict", "passed")
        | ("enabled" | "webhook_enabled", "true") => Some(Color::Green),
        ("status", "failed" | "timeout" | "timed_out" | "abandoned") | ("verdict", "failed") => {
            Some(Color::Red)
        }
        ("status", "canceling" | "cancelled") => Some(Color::Yellow),
        ("status", "running") => Some(Color::Cyan),
        ("enabled" | "webhook_enabled", "false") => Some(Color::DarkGrey),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_become_text() {
        for (why, field, value, expected) in [
            ("nothing", "rule_ref", json!(null), "-"),
            ("an empty list", "tags", json!([]), "-"),
            ("a moment", "created", json!("2026-01-02T03:04:05.678Z"), "2026-01-02T03:04:05Z"),
            ("an offset", "started_at", json!("2026-01-02T03:04:05+01:00"), "2026-01-02T02:04:05Z"),
            ("not a moment after all", "created", json!("soon"), "soon"),
            ("an id", "id", json!(7), "7"),
            ("an escape sequence", "label", json!("\u{1b}[31mred"), "\u{fffd}[31mred"),
            ("lines", "description", json!("a\nb"), "a\nb"),
            ("a nested value", "config", json!({"a": 1}), "a: 1"),
        ] {
            assert_eq!(text(field, &value), expected, "{why}");
        }
    }
}
