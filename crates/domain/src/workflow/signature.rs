//! What a workflow's file says of its parameters and its output.

use serde_json::{Map, Value, json};

/// The schema of a workflow's parameters: `parameters`, or what Orquesta's `input` amounts to, where a parameter
/// without a value is null. `None`, the file does not say.
#[must_use]
pub fn parameters(graph: &Value) -> Option<Value> {
    if let Some(schema) = graph.get("parameters").filter(|schema| !schema.is_null()) {
        return Some(schema.clone());
    }
    let property = |default: &Value| json!({"default": default});
    let properties: Map<String, Value> = match graph.get("input")? {
        Value::Array(inputs) => inputs
            .iter()
            .flat_map(|input| match input {
                Value::String(name) => vec![(name.clone(), property(&Value::Null))],
                Value::Object(map) => {
                    map.iter().map(|(name, default)| (name.clone(), property(default))).collect()
                }
                _ => Vec::new(),
            })
            .collect(),
        Value::Object(map) => {
            map.iter().map(|(name, default)| (name.clone(), property(default))).collect()
        }
        _ => return None,
    };
    Some(Value::Object(properties))
}

/// The schema of a workflow's output. `None`, the file does not say: Orquesta has values under `output`.
#[must_use]
pub fn output(graph: &Value) -> Option<Value> {
    let output = graph.get("output").filter(|output| output.is_object())?;
    let is_schema = graph.get("tasks").is_none_or(|tasks| !tasks.is_object())
        || graph.get("output_map").is_some()
        || is_schema(output);
    is_schema.then(|| output.clone())
}

/// Whether a mapping is a schema rather than values: JSON Schema, or a flat one in which everything has a type.
fn is_schema(output: &Value) -> bool {
    let Value::Object(map) = output else { return false };
    let typed = |property: &Value| property.get("type").is_some_and(Value::is_string);
    (output["type"] == "object" && output["properties"].is_object())
        || (!map.is_empty() && map.values().all(typed))
}

/// The names of a schema's properties, flat or JSON Schema.
#[must_use]
pub(super) fn names(schema: &Value) -> Vec<&str> {
    let properties = match schema.get("properties") {
        Some(Value::Object(properties)) if schema["type"] == "object" => Some(properties),
        _ => schema.as_object(),
    };
    properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_output_are_found_in_either_form() {
        let rows = [
            ("nothing is said", json!({"tasks": []}), json!([null, null])),
            (
                "schemas of a list of tasks",
                json!({"tasks": [], "parameters": {"a": {"type": "string"}}, "output": {"b": {}}}),
                json!([{"a": {"type": "string"}}, {"b": {}}]),
            ),
            (
                "Orquesta's input and output",
                json!({"tasks": {}, "input": ["a", {"b": 5}], "output": [{"c": "<% ctx().a %>"}]}),
                json!([{"a": {"default": null}, "b": {"default": 5}}, null]),
            ),
            (
                "values of a mapping of tasks",
                json!({"tasks": {}, "output": {"c": "<% ctx().a %>", "d": {"x": 1}}}),
                json!([null, null]),
            ),
            (
                "a schema beside an output map",
                json!({"tasks": {}, "output": {"c": {}}, "output_map": {"c": 1}}),
                json!([null, {"c": {}}]),
            ),
            (
                "a flat schema of a mapping of tasks",
                json!({"tasks": {}, "output": {"c": {"type": "string"}}}),
                json!([null, {"c": {"type": "string"}}]),
            ),
        ];
        for (what, graph, wanted) in rows {
            assert_eq!(json!([parameters(&graph), output(&graph)]), wanted, "{what}");
        }
    }
}
