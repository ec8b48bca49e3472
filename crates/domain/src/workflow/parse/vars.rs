//! Names and the values they are given: `vars` and the output.

use super::check_variable;
use super::field::Field;
use super::reader::Place;
use crate::template::{Path, Segment, Template};
use serde_json::Value;

/// Names with their values, from a mapping, or from a list of mappings with one member each. A bare name in a list is
/// a variable without a value.
pub(super) fn assignments(field: &Field<'_>) -> Vec<(String, Template)> {
    let null = Value::Null;
    let one = |at: String, name: &str, value: &Value| {
        check_variable(field.reader, &at, name);
        (name.to_owned(), field.reader.template(&at, value, Place::Anywhere))
    };
    let of_map = |field: &Field<'_>| -> Vec<(String, Template)> {
        let members = field.members().into_iter();
        members.map(|(name, member)| one(member.at, name, member.value)).collect()
    };
    match field.value {
        Value::Object(_) => of_map(field),
        Value::Array(_) => {
            let elements = field.elements();
            elements
                .iter()
                .flat_map(|element| match element.value {
                    Value::Object(_) => of_map(element),
                    Value::String(name) => vec![one(element.at.clone(), name, &null)],
                    _ => {
                        element.expected("a mapping from a name to its value");
                        Vec::new()
                    }
                })
                .collect()
        }
        _ => {
            field.expected("a mapping from names to values");
            Vec::new()
        }
    }
}

/// Variables in the order in which they are rendered: that of a list, or, since a mapping has none, one in which each
/// comes after those that it looks at.
pub(super) fn vars(field: &Field<'_>) -> Vec<(String, Template)> {
    let mut waiting = assignments(field);
    if !field.value.is_object() {
        return waiting;
    }
    let mut ordered: Vec<(String, Template)> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let names: Vec<&str> = waiting.iter().map(|(name, _)| name.as_str()).collect();
        let ready = waiting.iter().position(|(_, template)| {
            let references = template.references();
            !references
                .iter()
                .any(|reference| names.iter().any(|name| reads(&reference.path, name)))
        });
        match ready {
            Some(index) => ordered.push(waiting.remove(index)),
            None => {
                let names = names.join(", ");
                field.error(format!("each of these variables needs another one of them: {names}"));
                return Vec::new();
            }
        }
    }
    ordered
}

/// Whether a path leads to a variable.
fn reads(path: &Path, name: &str) -> bool {
    match path.root() {
        "workflow" | "vars" | "variables" | "ctx" => match path.segments().first() {
            Some(Segment::Name { name: member, .. } | Segment::Key(member)) => member == name,
            _ => false,
        },
        root => root == name,
    }
}
