//! From the way packs write schemas to JSON Schema.

use super::error::Error;
use serde_json::{Map, Value, json};

/// Keywords that hold one schema.
const ONE: [&str; 9] = [
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "additionalItems",
];
/// Keywords that hold a list of schemas.
const LIST: [&str; 5] = ["anyOf", "oneOf", "allOf", "prefixItems", "items"];
/// Keywords that hold a map of schemas.
const MAP: [&str; 5] =
    ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// A schema as JSON Schema. `secret` and `position` stay in it: unknown keywords mean nothing.
pub(crate) struct Document {
    pub(crate) schema: Value,
}

impl Document {
    /// Reads either form.
    pub(crate) fn of(map: &Map<String, Value>) -> Result<Self, Error> {
        let mut schema = if is_json_schema(map) {
            Value::Object(map.clone())
        } else {
            if let Some((name, _)) = map.iter().find(|(_, property)| !property.is_object()) {
                return Err(Error::Property(name.clone()));
            }
            json!({"type": "object", "properties": map})
        };
        lift_required(&mut schema);
        Ok(Self { schema })
    }

    /// The defaults of top-level properties.
    pub(crate) fn defaults(&self) -> Vec<(String, Value)> {
        let properties = self.schema.get("properties").and_then(Value::as_object);
        properties
            .into_iter()
            .flatten()
            .filter_map(|(name, property)| Some((name.clone(), property.get("default")?.clone())))
            .collect()
    }
}

/// Whether a map is JSON Schema rather than properties: a property called `type` is no string.
fn is_json_schema(map: &Map<String, Value>) -> bool {
    map.get("type").is_some_and(|kind| kind.is_string() || kind.is_array())
        || map.contains_key("$schema")
        || map.contains_key("$ref")
        || ["anyOf", "oneOf", "allOf"]
            .iter()
            .any(|keyword| map.get(*keyword).is_some_and(Value::is_array))
}

/// Turns `required: true` of a property, on whatever level, into an entry of its parent's list.
fn lift_required(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if map.get("required").is_some_and(Value::is_boolean) {
        map.remove("required");
    }
    let required: Vec<Value> = map
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(_, property)| property.get("required") == Some(&Value::Bool(true)))
        .map(|(name, _)| Value::from(name.as_str()))
        .collect();
    if !required.is_empty() {
        let list = map.entry("required").or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            let new = required.into_iter().filter(|name| !list.contains(name)).collect::<Vec<_>>();
            list.extend(new);
        }
    }
    for keyword in ONE {
        map.get_mut(keyword).into_iter().for_each(lift_required);
    }
    for keyword in LIST {
        map.get_mut(keyword)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
            .for_each(lift_required);
    }
    for keyword in MAP {
        let parts = map.get_mut(keyword).and_then(Value::as_object_mut);
        parts.into_iter().flat_map(Map::values_mut).for_each(lift_required);
    }
}
