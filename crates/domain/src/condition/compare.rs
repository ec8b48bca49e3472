//! How JSON values compare: nothing is coerced, and 3 equals 3.0.

use crate::template::number::Number;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::Value;
use std::cmp::Ordering;

/// A scalar to find rules by. Two scalars are the same key if and only if they are [`equal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scalar {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number that is an integer, in whichever notation.
    Int(i128),
    /// Any other number, by its bits.
    Float(u64),
}

impl Scalar {
    /// The key of a value that is neither text, which is a key itself, nor composite, which is none.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(flag) => Some(Self::Bool(*flag)),
            Value::Number(number) => {
                let number = Number::of_json(number);
                Some(
                    number
                        .exact()
                        .map_or_else(|| Self::Float(number.as_f64().to_bits()), Self::Int),
                )
            }
            Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Deep equality.
pub(crate) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            Number::of_json(left).order(Number::of_json(right)) == Some(Ordering::Equal)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

/// The order of two numbers or two texts; nothing else has one.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            Number::of_json(left).order(Number::of_json(right))
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Whether a list has the element, an object the key, or a text the part; `None` for anything else.
pub(crate) fn contains(container: &Value, part: &Value) -> Option<bool> {
    match (container, part) {
        (Value::String(text), Value::String(part)) => Some(text.contains(part.as_str())),
        (Value::Array(items), part) => Some(items.iter().any(|item| equal(item, part))),
        (Value::Object(map), Value::String(key)) => Some(map.contains_key(key)),
        _ => None,
    }
}

/// A date or a moment in one of the usual notations; without an offset it is in UTC.
pub(crate) fn moment(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?.trim();
    let with_offset = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z"));
    if let Ok(moment) = with_offset {
        return Some(moment.to_utc());
    }
    let naive =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let midnight = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    naive.or_else(midnight).map(|naive| naive.and_utc())
}
