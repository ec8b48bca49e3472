//! The form of parameter schemas: a flat map from name to property, or a full JSON Schema.

use crate::node::{Kind, Node};
use crate::problem::Report;

const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "array", "object", "null"];

/// Reports what in `node` is not a schema. What a keyword's value demands is not looked at here:
/// keywords pass through as JSON Schema.
pub(crate) fn check(node: &Node, path: &str, report: Report<'_>) {
    let Kind::Map(entries) = &node.kind else {
        let message = format!("expected a mapping of parameters, found {}", node.describe());
        report.error(node.at, path, message);
        return;
    };
    if node.get("type").and_then(Node::as_text) == Some("object") {
        check_property(node, path, report);
        return;
    }
    for entry in entries {
        check_property(&entry.value, &format!("{path}.{}", entry.key), report);
    }
}

fn check_property(node: &Node, path: &str, report: Report<'_>) {
    // JSON Schema knows `true` and `false` as schemas.
    if matches!(node.kind, Kind::Bool(_)) {
        return;
    }
    let Kind::Map(entries) = &node.kind else {
        let message =
            format!("expected a mapping such as {{type: string}}, found {}", node.describe());
        report.error(node.at, path, message);
        return;
    };
    for entry in entries {
        let (value, path) = (&entry.value, format!("{path}.{}", entry.key));
        match (entry.key.as_str(), &value.kind) {
            ("type", Kind::List(words)) => {
                for (index, word) in words.iter().enumerate() {
                    check_type(word, &format!("{path}[{index}]"), report);
                }
            }
            ("type", _) => check_type(value, &path, report),
            ("secret", Kind::Bool(_))
            | ("required", Kind::Bool(_) | Kind::List(_))
            | ("enum", Kind::List(_)) => {}
            ("secret", _) => expected("true or false", value, &path, report),
            ("required", _) => expected("true, false or a list of names", value, &path, report),
            ("enum", _) => expected("a list", value, &path, report),
            ("properties", Kind::Map(properties)) => {
                for property in properties {
                    check_property(&property.value, &format!("{path}.{}", property.key), report);
                }
            }
            ("properties", _) => expected("a mapping", value, &path, report),
            ("items", Kind::Map(_)) => check_property(value, &path, report),
            _ => {}
        }
    }
}

fn check_type(node: &Node, path: &str, report: Report<'_>) {
    match node.as_text() {
        Some(word) if TYPES.contains(&word) => {}
        Some(word) => {
            let message = format!("unknown type '{word}', expected one of {}", TYPES.join(", "));
            report.error(node.at, path, message);
        }
        None => expected("the name of a type", node, path, report),
    }
}

fn expected(what: &str, node: &Node, path: &str, report: Report<'_>) {
    report.error(node.at, path, format!("expected {what}, found {}", node.describe()));
}
