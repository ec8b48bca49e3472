//! A task's result as expressions see it.

use super::definition::Dialect;
use serde_json::{Map, Value};

/// The result of an execution as expressions see it: its own members, and those of the object that the action
/// printed hoisted beside them, where they are not taken. `result` stands for the whole where it is not taken either.
#[must_use]
pub fn view(result: Value, dialect: Dialect) -> Value {
    let Value::Object(mut seen) = result else { return result };
    for (name, value) in printed(&seen).into_iter().flatten() {
        seen.entry(name).or_insert(value);
    }
    if dialect == Dialect::Orquesta
        && let Some(code) = seen.get("exit_code").cloned()
    {
        seen.entry("return_code").or_insert(code);
    }
    if !seen.contains_key("result") {
        let whole = seen.get("data").filter(|_| dialect == Dialect::Orquesta);
        let whole = whole.cloned().unwrap_or_else(|| Value::Object(seen.clone()));
        seen.insert("result".into(), whole);
    }
    Value::Object(seen)
}

/// The object that an action printed, if it printed one.
fn printed(members: &Map<String, Value>) -> Option<Map<String, Value>> {
    match members.get("data") {
        Some(Value::Object(data)) => Some(data.clone()),
        Some(_) => None,
        None => match serde_json::from_str(members.get("stdout")?.as_str()?) {
            Ok(Value::Object(printed)) => Some(printed),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_printed_stands_beside_what_is_known() {
        for (why, result, path, expected) in [
            ("data is hoisted", json!({"data": {"rev": 7}}), "/rev", json!(7)),
            ("and stays", json!({"data": {"rev": 7}}), "/data/rev", json!(7)),
            (
                "what is known wins",
                json!({"exit_code": 0, "data": {"exit_code": 9}}),
                "/exit_code",
                json!(0),
            ),
            ("printed JSON is hoisted too", json!({"stdout": "{\"rev\": 7}\n"}), "/rev", json!(7)),
            (
                "but not beside data",
                json!({"data": [1], "stdout": "{\"rev\": 7}"}),
                "/rev",
                Value::Null,
            ),
            ("the whole is called result", json!({"data": {"rev": 7}}), "/result/rev", json!(7)),
            ("unless that is taken", json!({"data": {"result": 3}}), "/result", json!(3)),
        ] {
            let view = view(result, Dialect::Classic);
            assert_eq!(view.pointer(path).cloned().unwrap_or_default(), expected, "{why}");
        }
    }

    #[test]
    fn orquesta_calls_things_by_other_names() {
        let view = view(json!({"exit_code": 2, "data": [1, 2]}), Dialect::Orquesta);
        assert_eq!((&view["return_code"], &view["result"]), (&json!(2), &json!([1, 2])));
    }
}
