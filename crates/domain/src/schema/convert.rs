//! From the flat form to JSON Schema.

use super::Error;
use serde_json::{Map, Value, json};

/// Whether a source is JSON Schema already.
fn is_json_schema(source: &Map<String, Value>) -> bool {
    source.get("type").is_some_and(|kind| kind == "object")
        && source.get("properties").is_some_and(Value::is_object)
}

/// The properties of a source, whichever form it has.
pub(super) fn properties(source: &Map<String, Value>) -> &Map<String, Value> {
    match source.get("properties") {
        Some(Value::Object(properties)) if is_json_schema(source) => properties,
        _ => source,
    }
}

/// Brings a source into the form that validators know.
pub(super) fn to_json_schema(source: &Map<String, Value>) -> Result<Value, Error> {
    if is_json_schema(source) {
        return Ok(cleaned(&Value::Object(source.clone())));
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, property) in source {
        let Value::Object(property) = property else {
            return Err(Error::Property(name.clone()));
        };
        if property.get("required") == Some(&Value::Bool(true)) {
            required.push(Value::from(name.clone()));
        }
        properties.insert(name.clone(), cleaned(&Value::Object(property.clone())));
    }
    Ok(json!({"type": "object", "properties": properties, "required": required}))
}

/// Takes out the words that are Attune's own. A boolean `required` inside a property is collected into the
/// list that JSON Schema wants, instead of spoiling the whole.
fn cleaned(property: &Value) -> Value {
    let Value::Object(property) = property else { return property.clone() };
    let mut clean = Map::new();
    for (word, value) in property {
        match (word.as_str(), value) {
            ("secret" | "position", _) | ("required", Value::Bool(_)) => {}
            ("properties", Value::Object(inner)) => {
                let inner_clean =
                    inner.iter().map(|(name, inner)| (name.clone(), cleaned(inner))).collect();
                clean.insert(word.clone(), Value::Object(inner_clean));
                let required: Vec<Value> = inner
                    .iter()
                    .filter(|(_, inner)| inner.get("required") == Some(&Value::Bool(true)))
                    .map(|(name, _)| Value::from(name.clone()))
                    .collect();
                if !required.is_empty() && !property.get("required").is_some_and(Value::is_array) {
                    clean.insert("required".into(), required.into());
                }
            }
            ("items", inner) => {
                clean.insert(word.clone(), cleaned(inner));
            }
            // A list that names nothing wrong is JSON Schema's own.
            _ => {
                clean.insert(word.clone(), value.clone());
            }
        }
    }
    Value::Object(clean)
}
