//! What may stand in the list of a pattern's field.

use super::Error;
use serde_json::{Number, Value};
use std::net::IpAddr;

/// EventBridge compares numbers within plus and minus this.
const LARGEST: f64 = 5e9;
const MATCHERS: &str =
    "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr";

/// Checks a value that is accepted, or a matcher such as `{"prefix": "db-"}`.
pub(super) fn check(accepted: &Value, at: &str) -> Result<(), Error> {
    let object = match accepted {
        Value::Null | Value::Bool(_) | Value::String(_) => return Ok(()),
        Value::Number(number) => return in_range(number, at),
        Value::Array(_) => return Err(Error::new(at, "must not be a list within a list")),
        Value::Object(object) => object,
    };
    let mut entries = object.iter();
    let (Some((name, operand)), None) = (entries.next(), entries.next()) else {
        let reason = format!("must hold exactly one matcher, of {MATCHERS}");
        return Err(Error::new(at, reason));
    };
    let at = format!("{at}.{name}");
    match name.as_str() {
        "prefix" | "suffix" => affix(operand, &at),
        "equals-ignore-case" => text(operand, &at).map(drop),
        "wildcard" => wildcard(operand, &at),
        "anything-but" => anything_but(operand, &at),
        "numeric" => numeric(operand, &at),
        "exists" if operand.is_boolean() => Ok(()),
        "exists" => Err(Error::new(at, format!("must be true or false, not {operand}"))),
        "cidr" => cidr(operand, &at),
        _ => Err(Error::new(at, format!("is no matcher: expected one of {MATCHERS}"))),
    }
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str, Error> {
    value.as_str().ok_or_else(|| Error::new(at, format!("must be a text, not {value}")))
}

fn in_range(number: &Number, at: &str) -> Result<(), Error> {
    match number.as_f64() {
        Some(number) if number.abs() <= LARGEST => Ok(()),
        _ => Err(Error::new(at, format!("must lie between -5e9 and 5e9, not {number}"))),
    }
}

fn affix(operand: &Value, at: &str) -> Result<(), Error> {
    match operand.as_object().map(|object| (object.len(), object.get("equals-ignore-case"))) {
        Some((1, Some(inner))) => text(inner, &format!("{at}.equals-ignore-case")).map(drop),
        Some(_) => Err(Error::new(at, "must be a text or {\"equals-ignore-case\": text}")),
        None => text(operand, at).map(drop),
    }
}

fn wildcard(operand: &Value, at: &str) -> Result<(), Error> {
    let text = text(operand, at)?;
    if text.contains("**") {
        return Err(Error::new(at, format!("must not have two '*' in a row: \"{text}\"")));
    }
    Ok(())
}

fn anything_but(operand: &Value, at: &str) -> Result<(), Error> {
    match operand {
        Value::String(_) => Ok(()),
        Value::Number(number) => in_range(number, at),
        Value::Array(refused) if !refused.is_empty() => {
            let texts = refused.iter().all(Value::is_string);
            if !texts && !refused.iter().all(Value::is_number) {
                return Err(Error::new(at, "must list texts only or numbers only"));
            }
            refused
                .iter()
                .filter_map(|value| match value {
                    Value::Number(number) => Some(number),
                    _ => None,
                })
                .try_for_each(|number| in_range(number, at))
        }
        Value::Object(object) if object.len() == 1 => {
            for (name, inner) in object {
                let at = format!("{at}.{name}");
                let texts = match inner {
                    Value::Array(texts) if !texts.is_empty() => texts.as_slice(),
                    one => std::slice::from_ref(one),
                };
                for inner in texts {
                    match name.as_str() {
                        "prefix" | "suffix" | "equals-ignore-case" => text(inner, &at).map(drop)?,
                        "wildcard" => wildcard(inner, &at)?,
                        _ => {
                            let reason = "is no matcher: expected one of prefix, suffix, \
                                          equals-ignore-case, wildcard";
                            return Err(Error::new(at, reason));
                        }
                    }
                }
            }
            Ok(())
        }
        other => Err(Error::new(
            at,
            format!("must be a text, a number, a list or a matcher, not {other}"),
        )),
    }
}

fn numeric(operand: &Value, at: &str) -> Result<(), Error> {
    let wrong = || {
        let reason = "must be an operator (=, <, <=, >, >=) and a number, or a lower and an upper bound, \
                      such as [\">\", 0, \"<=\", 5]";
        Error::new(at, reason)
    };
    let terms = operand.as_array().ok_or_else(wrong)?;
    let mut bounds = Vec::new();
    for term in terms.chunks(2) {
        let [Value::String(operator), Value::Number(number)] = term else { return Err(wrong()) };
        in_range(number, at)?;
        bounds.push(operator.as_str());
    }
    match bounds[..] {
        ["=" | "<" | "<=" | ">" | ">="] | [">" | ">=", "<" | "<="] => Ok(()),
        _ => Err(wrong()),
    }
}

fn cidr(operand: &Value, at: &str) -> Result<(), Error> {
    let text = text(operand, at)?;
    let valid = text.split_once('/').is_some_and(|(address, length)| {
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        let most = if address.is_ipv4() { 32 } else { 128 };
        length.parse::<u8>().is_ok_and(|length| length <= most)
    });
    if valid {
        return Ok(());
    }
    Err(Error::new(at, format!("must be a block of addresses such as 10.0.0.0/24, not \"{text}\"")))
}
