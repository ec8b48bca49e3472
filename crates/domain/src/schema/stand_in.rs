//! Stand-ins for templates: nobody knows yet what they become, so they satisfy whatever is wanted.

use crate::template::contains_template;
use serde_json::{Map, Value, json};

/// A copy of `value` with stand-ins for its templates; `None` where it has none.
pub(super) fn replace(value: &Value, properties: &Map<String, Value>) -> Option<Value> {
    let Value::Object(map) = value else { return None };
    if !holds_template(value) {
        return None;
    }
    Some(object(map, properties))
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::String(text) => contains_template(text),
        Value::Array(items) => items.iter().any(holds_template),
        Value::Object(map) => map.values().any(holds_template),
        _ => false,
    }
}

fn object(map: &Map<String, Value>, properties: &Map<String, Value>) -> Value {
    let empty = Value::Null;
    map.iter()
        .map(|(name, value)| (name.clone(), one(value, properties.get(name).unwrap_or(&empty))))
        .collect()
}

fn one(value: &Value, property: &Value) -> Value {
    match value {
        Value::String(text) if contains_template(text) => for_property(property),
        Value::Array(items) => {
            let inner = &property["items"];
            items.iter().map(|item| one(item, inner)).collect()
        }
        Value::Object(map) => {
            let empty = Map::new();
            object(map, property["properties"].as_object().unwrap_or(&empty))
        }
        other => other.clone(),
    }
}

/// Some value that a property accepts, as far as that can be told.
fn for_property(property: &Value) -> Value {
    if let Some(fixed) = property.get("const") {
        return fixed.clone();
    }
    if let Some(first) = property["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    if let Some(default) = property.get("default") {
        return default.clone();
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = property[choice].as_array().and_then(|choices| choices.first()) {
            return for_property(first);
        }
    }
    let kind = match &property["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("integer" | "number") => number(property),
        Some("boolean") => json!(true),
        Some("array") => {
            let least = property["minItems"].as_u64().unwrap_or(0).min(1000);
            (0..least).map(|_| for_property(&property["items"])).collect()
        }
        Some("object") => filled_object(property),
        Some("null") => Value::Null,
        _ => text(property),
    }
}

fn number(property: &Value) -> Value {
    let step = property["multipleOf"].as_f64().filter(|step| *step > 0.0);
    let least = property["minimum"]
        .as_f64()
        .or_else(|| property["exclusiveMinimum"].as_f64().map(|bound| bound + 1.0))
        .or_else(|| property["maximum"].as_f64().map(|most| most.min(0.0)))
        .or_else(|| property["exclusiveMaximum"].as_f64().map(|most| (most - 1.0).min(0.0)))
        .unwrap_or(0.0);
    let value = step.map_or(least, |step| (least / step).ceil() * step);
    // A whole number counts as an integer, too.
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

fn filled_object(property: &Value) -> Value {
    let mut map = Map::new();
    for name in property["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        map.insert(name.to_owned(), for_property(&property["properties"][name]));
    }
    Value::Object(map)
}

fn text(property: &Value) -> Value {
    let least = property["minLength"].as_u64().unwrap_or(1).clamp(1, 4096);
    json!("x".repeat(usize::try_from(least).unwrap_or(1)))
}
