//! Parameters of an action as they are typed on a command line.

use crate::exit::Usage;
use serde_json::{Map, Value};
use std::fs;
use std::io;
use std::str::FromStr;

/// One `key=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    key: String,
    text: String,
}

impl FromStr for Assignment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some(("", _)) => Err("there is no name before the ="),
            Some((key, text)) => Ok(Self { key: key.to_owned(), text: text.to_owned() }),
            None => Err("expected KEY=VALUE"),
        }
    }
}

impl Assignment {
    /// The parameter, of the type that the action's schema gives it: a text is taken as it stands,
    /// anything else is read as JSON, and what is no JSON is a text.
    pub fn typed(&self, schema: &Value) -> (String, Value) {
        let value = if is_text(schema, &self.key) {
            Value::String(self.text.clone())
        } else {
            serde_json::from_str(&self.text).unwrap_or_else(|_| Value::String(self.text.clone()))
        };
        (self.key.clone(), value)
    }
}

/// Whether the schema declares `key` as a text and nothing else. Both a flat `{name: {type}}` and
/// a JSON Schema with `properties` are understood.
fn is_text(schema: &Value, key: &str) -> bool {
    let properties = if schema["properties"].is_object() && schema["type"] == "object" {
        &schema["properties"]
    } else {
        schema
    };
    match &properties[key]["type"] {
        Value::Array(types) => {
            types.iter().any(|one| one == "string")
                && types.iter().all(|one| one == "string" || one == "null")
        }
        one => one == "string",
    }
}

/// The object in `text`, or in the file that `@path` names; `@-` is stdin.
///
/// # Errors
/// [`Usage`] when there is no JSON object.
pub fn object(text: &str) -> Result<Map<String, Value>, Usage> {
    match json("--params", text)? {
        Value::Object(object) => Ok(object),
        _ => Err(Usage("--params must be a JSON object".into())),
    }
}

/// The JSON that `flag` was given, in `text` or in the file that `@path` names; `@-` is stdin.
///
/// # Errors
/// [`Usage`] when there is no JSON.
pub fn json(flag: &str, text: &str) -> Result<Value, Usage> {
    let read = match text.strip_prefix('@') {
        None => Ok(text.to_owned()),
        Some("-") => io::read_to_string(io::stdin().lock()),
        Some(path) => fs::read_to_string(path),
    };
    let json = read.map_err(|error| Usage(format!("cannot read {text}: {error}")))?;
    serde_json::from_str(&json).map_err(|error| Usage(format!("{flag} is not valid JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_get_the_type_of_the_schema() {
        let flat = json!({"zip": {"type": "string"}, "n": {"type": "integer"}, "any": {}});
        let full = json!({"type": "object", "properties": {"zip": {"type": ["string", "null"]}}});
        for (why, schema, text, expected) in [
            ("digits of a text stay a text", &flat, "zip=00715", json!("00715")),
            ("so they do in a full schema", &full, "zip=00715", json!("00715")),
            ("a number is a number", &flat, "n=3", json!(3)),
            ("no schema, but JSON", &Value::Null, "list=[1,2]", json!([1, 2])),
            ("no schema and no JSON", &Value::Null, "name=Ada", json!("Ada")),
            ("a field without type", &flat, "any=true", json!(true)),
            ("only the first = divides", &flat, "any=a=b", json!("a=b")),
            ("nothing is a text, too", &flat, "zip=", json!("")),
        ] {
            let (_, value) = text.parse::<Assignment>().unwrap().typed(schema);
            assert_eq!(value, expected, "{why}");
        }
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        assert!("message".parse::<Assignment>().is_err());
        assert!("=x".parse::<Assignment>().is_err());
    }

    #[test]
    fn parameters_come_from_text_or_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), r#"{"a": 2}"#).unwrap();
        assert_eq!(object(r#"{"a": 1}"#).unwrap()["a"], 1);
        assert_eq!(object(&format!("@{}", file.path().display())).unwrap()["a"], 2);
        for wrong in ["[1]", "{", "@/nowhere/at/all.json"] {
            assert!(object(wrong).is_err(), "{wrong}");
        }
    }
}
