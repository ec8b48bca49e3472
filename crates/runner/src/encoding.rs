//! Encodes parameters as the document an action reads.

use attune_domain::catalogue::ParameterFormat as Format;
use serde_json::{Map, Value};

/// Parameters that have no form in the wanted encoding.
#[derive(Debug, thiserror::Error)]
#[error("could not encode the parameters")]
pub(crate) struct Error(#[from] serde_saphyr::SerializeError);

/// The parameter document, without the newline that standard input adds.
pub(crate) fn encode(parameters: &Map<String, Value>, format: Format) -> Result<String, Error> {
    Ok(match format {
        Format::Json => object_text(parameters),
        Format::Yaml => serde_saphyr::to_string_with_options(
            parameters,
            // Folded blocks are pleasant to read and easy to get wrong for a reader.
            serde_saphyr::ser_options! { prefer_block_scalars: false },
        )?,
        Format::Dotenv => dotenv(parameters),
    })
}

fn object_text(members: &Map<String, Value>) -> String {
    serde_json::to_string(members).expect("a map with text keys is always JSON")
}

fn dotenv(parameters: &Map<String, Value>) -> String {
    let mut lines = Vec::new();
    flatten(parameters, "", &mut lines);
    lines.sort_unstable();
    lines.join("\n")
}

fn flatten(members: &Map<String, Value>, prefix: &str, lines: &mut Vec<String>) {
    for (key, value) in members {
        match value {
            Value::Object(inner) => flatten(inner, &format!("{prefix}{key}."), lines),
            _ => lines.push(format!("{prefix}{key}={}", quoted(&plain(value)))),
        }
    }
}

/// A value as the text a shell works with: text as it is, null empty, anything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        _ => value.to_string(),
    }
}

/// Single-quoted for a shell. A quote ends the quoting, stands escaped, and starts it again.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn encoded(parameters: Value, format: Format) -> String {
        encode(parameters.as_object().unwrap(), format).unwrap()
    }

    #[test]
    fn json_is_one_compact_line() {
        assert_eq!(encoded(json!({}), Format::Json), "{}");
        assert_eq!(encoded(json!({"a": ["x\ny", 1]}), Format::Json), r#"{"a":["x\ny",1]}"#);
    }

    #[test]
    fn yaml_is_a_block_mapping() {
        assert_eq!(
            encoded(json!({"a": {"b": [1, "two"]}, "c": null}), Format::Yaml),
            "a:\n  b:\n  - 1\n  - two\nc: null\n"
        );
        assert_eq!(encoded(json!({}), Format::Yaml), "{}\n");
        for text in ["yes", "on", "1e3", "0x1f", "null", "~", "2024-01-01", "a: b", "- x", "12:30"]
        {
            let document = encoded(json!({ "k": text }), Format::Yaml);
            assert!(document.contains(['\'', '"']), "{text} must be quoted: {document}");
        }
    }

    #[test]
    fn dotenv_lines() {
        let rows = [
            ("no parameters", json!({}), ""),
            ("text is single-quoted", json!({"a": "x y"}), "a='x y'"),
            ("a quote is escaped", json!({"a": "it's"}), r"a='it'\''s'"),
            ("dollars, backslashes and newlines stay", json!({"a": "$x\\n\ny"}), "a='$x\\n\ny'"),
            ("numbers and booleans as in JSON", json!({"a": 1.5, "b": true}), "a='1.5'\nb='true'"),
            ("null is empty", json!({"a": null}), "a=''"),
            (
                "objects flatten to dotted keys",
                json!({"a": {"b": {"c": 1}, "d": 2}}),
                "a.b.c='1'\na.d='2'",
            ),
            ("empty objects vanish", json!({"a": {}, "b": 1}), "b='1'"),
            ("arrays are compact JSON", json!({"a": [1, {"b": "c"}]}), r#"a='[1,{"b":"c"}]'"#),
            ("names keep case and characters", json!({"A-b c": 1}), "A-b c='1'"),
            (
                "whole lines are sorted by bytes",
                json!({"a": 1, "a-b": 2, "B": 3, "a.z": 4}),
                "B='3'\na-b='2'\na.z='4'\na='1'",
            ),
        ];
        for (case, parameters, expected) in rows {
            assert_eq!(encoded(parameters, Format::Dotenv), expected, "{case}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,40}".prop_map(Value::from),
            "[ -~\n\t]{0,120}".prop_map(Value::from),
            prop::sample::select(vec![
                "yes", "", " ", "0o7", "\n", "a\n", "\n\n a", "#", "---", "..."
            ])
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[ -~]{0,10}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn yaml_reads_back_as_it_was(members in prop::collection::btree_map("[ -~]{1,10}", any_value(), 0..5)) {
            let parameters: Map<String, Value> = members.into_iter().collect();
            let document = encode(&parameters, Format::Yaml).unwrap();
            let back: Value = serde_saphyr::from_str(&document).unwrap();
            prop_assert_eq!(back, Value::Object(parameters), "{}", document);
        }
    }
}
