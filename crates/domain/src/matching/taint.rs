//! Taint: what touches a secret may only go where secrets are kept.

use crate::schema::{Schema, Step, is_redacted};
use crate::template::{Path, Segment, Template, contains_template};
use serde_json::Value;

/// A parameter that would carry a secret to a place which its action does not call secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{from}` is secret, but `{to}` is no secret parameter of the action")]
pub struct Leak {
    /// What is secret: a path such as `pack.config.token`, or the place of a value that the rule keeps.
    pub from: String,
    /// Dotted path of the parameter.
    pub to: String,
}

/// A string among a rule's parameters whose rendering looks at the configuration of its pack.
#[derive(Clone, Debug)]
pub(super) struct PackRead {
    at: Vec<String>,
    path: Path,
}

/// Every reading of `pack` in the parameters.
pub(super) fn pack_reads(parameters: &Value, template: &Template) -> Vec<PackRead> {
    let from_pack = |path: &Path| path.root() == "pack";
    let mut reads: Vec<PackRead> = template
        .references()
        .into_iter()
        .filter(|found| from_pack(&found.path))
        .map(|found| PackRead { at: steps(&found.at), path: found.path })
        .collect();
    // A rule may also write `pack.config.api-token`, which as an expression is a subtraction.
    each_text(parameters, &mut Vec::new(), &mut |at, text| {
        let plain = bare_paths(text).filter(from_pack);
        reads.extend(plain.map(|path| PackRead { at: at.to_vec(), path }));
    });
    reads
}

/// The first reading of a secret that goes to a place of `action`'s parameters which is not secret.
pub(super) fn first_leak(
    reads: &[PackRead],
    secret: &[Vec<Step>],
    action: &Schema,
) -> Option<Leak> {
    if secret.is_empty() {
        return None;
    }
    let leaks = |read: &&PackRead| {
        secret.iter().any(|secret| touches(&read.path, secret)) && !covers(action, &read.at)
    };
    reads.iter().find(leaks).map(|read| Leak { from: read.path.to_string(), to: read.at.join(".") })
}

/// The first value that the rule itself keeps sealed and `action` does not call secret.
pub(super) fn first_misplaced(places: &[Vec<String>], action: &Schema) -> Option<Leak> {
    let place = places.iter().find(|place| !covers(action, place))?.join(".");
    Some(Leak { from: place.clone(), to: place })
}

/// Where a document holds marks of values that were taken out of it.
pub fn marked(document: &Value) -> Vec<Vec<String>> {
    fn collect(value: &Value, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        if is_redacted(value) {
            found.push(at.clone());
            return;
        }
        members(value, |step, member| {
            at.push(step);
            collect(member, at, found);
            at.pop();
        });
    }
    let mut found = Vec::new();
    collect(document, &mut Vec::new(), &mut found);
    found
}

fn members<'v>(value: &'v Value, mut see: impl FnMut(String, &'v Value)) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| see(index.to_string(), item));
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| see(key.clone(), item)),
        _ => {}
    }
}

fn each_text(value: &Value, at: &mut Vec<String>, see: &mut dyn FnMut(&[String], &str)) {
    if let Value::String(text) = value
        && contains_template(text)
    {
        see(at, text);
    }
    members(value, |step, member| {
        at.push(step);
        each_text(member, at, see);
        at.pop();
    });
}

/// What stands between braces and is nothing but names and dots.
fn bare_paths(text: &str) -> impl Iterator<Item = Path> {
    text.match_indices("{{").filter_map(move |(open, _)| {
        let inner = &text[open + 2..];
        Path::dotted(inner[..inner.find("}}")?].trim())
    })
}

/// The steps of a JSON pointer.
fn steps(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Whether following `path` meets the secret: goes into it, ends at it, or ends at what contains it.
/// Steps that are known only at rendering may lead anywhere.
fn touches(path: &Path, secret: &[Step]) -> bool {
    let same = |(segment, step): (&Segment, &Step)| match (segment, step) {
        (Segment::Name { name, .. } | Segment::Key(name), Step::Member(member)) => name == member,
        (Segment::Name { index, .. }, Step::Each) => index.is_some(),
        (Segment::Key(_), Step::Each) => false,
        (Segment::Index(_) | Segment::Subscript(_), _) => true,
    };
    let Some((config, rest)) = path.segments().split_first() else { return true };
    let in_config = same((config, &Step::Member("config".into())));
    in_config && rest.iter().zip(secret).all(same)
}

/// Whether a place, or what contains it, is secret in a schema.
fn covers(schema: &Schema, place: &[String]) -> bool {
    let same = |(step, name): (&Step, &String)| match step {
        Step::Member(member) => member == name,
        Step::Each => name.bytes().all(|byte| byte.is_ascii_digit()),
    };
    schema
        .secret_paths()
        .iter()
        .any(|secret| secret.len() <= place.len() && secret.iter().zip(place).all(same))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(value: &Value) -> Schema {
        Schema::parse(Some(value)).expect("a schema")
    }

    fn leak(parameters: &Value) -> Option<Leak> {
        let config = schema(&json!({
            "url": {"type": "string"},
            "token": {"type": "string", "secret": true},
            "api-token": {"type": "string", "secret": true},
            "2fa": {"type": "object", "secret": true, "properties": {"pin": {"type": "string"}}},
            "users": {"type": "array", "items": {"type": "object", "properties": {
                "name": {"type": "string"}, "password": {"type": "string", "secret": true},
            }}},
        }));
        let action = schema(&json!({
            "text": {"type": "string"},
            "auth": {"type": "object", "secret": true},
            "headers": {"type": "array", "items": {"type": "string", "secret": true}},
            "login": {"type": "object", "properties": {"password": {"secret": true}}},
        }));
        let template = Template::parse(parameters);
        first_leak(&pack_reads(parameters, &template), config.secret_paths(), &action)
    }

    #[test]
    fn a_secret_goes_nowhere_but_to_secret_places() {
        let rows = [
            (json!({"auth": "{{ pack.config.token }}"}), "", "a secret parameter"),
            (json!({"auth": {"a": ["x {{ pack.config.token }}"]}}), "", "below a secret parameter"),
            (json!({"headers": ["{{ pack.config.token }}"]}), "", "an element that is secret"),
            (json!({"login": {"password": "{{ pack.config.token }}"}}), "", "a nested place"),
            (json!({"text": "{{ pack.config.url }}"}), "", "what is no secret goes anywhere"),
            (
                json!({"text": "{{ event.payload.token }}"}),
                "",
                "nor is what is merely called alike",
            ),
            (json!({"text": "{{ pack.config.users[0].name }}"}), "", "beside a secret"),
            (json!({"text": "pack.config.token"}), "", "text without braces"),
            (json!({"text": "{{ pack.config.token }}"}), "pack.config.token>text", "a plain place"),
            (
                json!({"text": "Bearer {{ pack.config.token }}!"}),
                "pack.config.token>text",
                "inside a longer text",
            ),
            (
                json!({"login": "{{ pack.config.token }}"}),
                "pack.config.token>login",
                "a place of which only a part is secret",
            ),
            (
                json!({"text": "{{ pack.config.token | upper }}"}),
                "pack.config.token>text",
                "through a filter",
            ),
            (
                json!({"text": "{{ pack['config']['token'] }}"}),
                "pack[\"config\"][\"token\"]>text",
                "in brackets",
            ),
            (json!({"text": "{{ pack.config | tojson }}"}), "pack.config>text", "all of it"),
            (json!({"text": "{{ pack }}"}), "pack>text", "even more of it"),
            (
                json!({"text": "{{ pack.config[event.payload.key] }}"}),
                "pack.config[event.payload.key]>text",
                "by a name that the event brings",
            ),
            (
                json!({"text": "{{ pack.config.users.1.password }}"}),
                "pack.config.users.1.password>text",
                "an element's member",
            ),
            (
                json!({"text": "{{ pack.config.users }}"}),
                "pack.config.users>text",
                "what contains a secret",
            ),
            (
                json!({"text": "a {{ pack.config.api-token }}"}),
                "pack.config.api-token>text",
                "a name that is no name in expressions",
            ),
            (
                json!({"text": "{{ pack.config.2fa.pin }}"}),
                "pack.config.2fa.pin>text",
                "below a secret, and no expression at all",
            ),
            (
                json!({"x/y": {"a~b": "{{ pack.config.token }}"}}),
                "pack.config.token>x/y.a~b",
                "keys of any characters",
            ),
        ];
        for (parameters, wanted, what) in rows {
            let found = leak(&parameters).map(|leak| format!("{}>{}", leak.from, leak.to));
            assert_eq!(found.unwrap_or_default(), wanted, "{what}: {parameters}");
        }
    }

    #[test]
    fn a_value_that_the_rule_keeps_is_misplaced_where_nothing_is_secret() {
        let mark = crate::schema::redacted();
        let places = marked(&json!({"a": mark, "b": [1, {"c": mark}], "d": {"e": "x"}}));
        assert_eq!(places, [vec!["a".to_owned()], vec!["b".into(), "1".into(), "c".into()]]);
        let action = |a: bool| {
            schema(&json!({
                "a": {"secret": a},
                "b": {"type": "array", "items": {"properties": {"c": {"secret": true}}}},
            }))
        };
        assert_eq!(first_misplaced(&places, &action(true)), None);
        let leak = first_misplaced(&places, &action(false)).expect("a leak");
        assert_eq!((leak.from.as_str(), leak.to.as_str()), ("a", "a"));
        assert_eq!(leak.to_string(), "`a` is secret, but `a` is no secret parameter of the action");
    }
}
