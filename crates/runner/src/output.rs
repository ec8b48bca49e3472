//! Reads structured data out of standard output.

use attune_domain::catalogue::OutputFormat;
use serde_json::Value;

/// The data in an output; `None` where there is none, which is no error.
pub(crate) fn parse(format: OutputFormat, text: &str) -> Option<Value> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    match format {
        OutputFormat::Text => None,
        OutputFormat::Json => whole(text).or_else(|| whole(text.lines().next_back()?)),
        OutputFormat::Yaml => serde_saphyr::from_str(text).ok(),
        OutputFormat::Jsonl => {
            let lines: Vec<Value> = text.lines().filter_map(whole).collect();
            (!lines.is_empty()).then(|| lines.into())
        }
    }
}

/// A whole text as JSON.
pub(crate) fn whole(text: &str) -> Option<Value> {
    serde_json::from_str(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn outputs() {
        use OutputFormat::{Json, Jsonl, Text, Yaml};
        let rows = [
            ("text is never parsed", Text, "{\"a\":1}", None),
            ("empty output holds no data", Json, " \n", None),
            ("a whole document over lines", Json, "{\n \"a\": 1\n}\n", Some(json!({"a": 1}))),
            (
                "the last line after other output",
                Json,
                "working\n{\"a\":1}\n",
                Some(json!({"a": 1})),
            ),
            ("no line that parses", Json, "done\nbye", None),
            ("a bare scalar is JSON", Json, "42", Some(json!(42))),
            ("a YAML document", Yaml, "a:\n  - 1\n  - b\n", Some(json!({"a": [1, "b"]}))),
            ("plain text is a YAML string", Yaml, "all well", Some(json!("all well"))),
            ("broken YAML is no data", Yaml, "a: [1", None),
            ("every line of JSON lines", Jsonl, "1\n{\"a\":2}\n", Some(json!([1, {"a": 2}]))),
            ("other lines are dropped", Jsonl, "start\n[3]\nend\n", Some(json!([[3]]))),
            ("JSON lines without one that parses", Jsonl, "start\nend\n", None),
        ];
        for (case, format, text, expected) in rows {
            assert_eq!(parse(format, text), expected, "{case}");
        }
    }
}
