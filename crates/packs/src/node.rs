//! A YAML document as a tree in which every key and value knows its line.
//!
//! Definitions are read from this tree rather than by derived `Deserialize`: a derived reader stops
//! at the first wrong field, and an author wants to hear of all of them at once.

use crate::problem::Position;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Spanned};
use std::fmt;

/// How often alias expansion may repeat an event, so that a few lines cannot become gigabytes.
const MAX_ALIAS_EVENTS: usize = 50_000;

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value; keys are unique.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Node,
}

impl Node {
    /// Reads one document; an empty one is null.
    pub(crate) fn parse(text: &str) -> Result<Self, (Position, String)> {
        let options = serde_saphyr::options! {
            // As in YAML 1.2: `on` and `yes` are words.
            strict_booleans: true,
            duplicate_keys: DuplicateKeyPolicy::Error,
            non_finite_float_policy: NonFiniteFloatPolicy::Reject,
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: MAX_ALIAS_EVENTS,
            },
            with_snippet: false,
        };
        match serde_saphyr::from_str_with_options(text, options) {
            Ok(node) => Ok(node),
            Err(Error::Eof { .. }) => Ok(Self { at: START, kind: Kind::Null }),
            Err(error) => Err((position(error.location()), explain(&error))),
        }
    }

    /// The kind in words, for messages.
    pub(crate) fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The same value without positions.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(flag) => Value::Bool(*flag),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(entries) => Value::Object(to_map(entries)),
        }
    }

    /// The value under `key`, where this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The node at a dotted path such as `tasks[2].next[0].do`.
    pub(crate) fn find(&self, path: &str) -> Option<&Self> {
        let (node, rest) = self.follow(path);
        rest.is_empty().then_some(node)
    }

    /// Where the node at a dotted path begins, or the nearest one above it that is there.
    pub(crate) fn locate(&self, path: &str) -> Position {
        self.follow(path).0.at
    }

    /// Follows a dotted path as far as it goes; the rest of it is what is not there. A key may itself hold dots.
    fn follow<'p>(&self, path: &'p str) -> (&Self, &'p str) {
        let path = path.strip_prefix('.').unwrap_or(path);
        match &self.kind {
            Kind::Map(entries) => {
                let below = entries.iter().filter_map(|entry| {
                    let rest = path.strip_prefix(entry.key.as_str())?;
                    let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                    (ends && !path.is_empty()).then(|| entry.value.follow(rest))
                });
                below.min_by_key(|(_, rest)| rest.len())
            }
            Kind::List(items) => path.strip_prefix('[').and_then(|path| {
                let (index, rest) = path.split_once(']')?;
                Some(items.get(index.parse::<usize>().ok()?)?.follow(rest))
            }),
            _ => None,
        }
        .unwrap_or((self, path))
    }

    /// The text, where this is text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }
}

/// The mapping without positions.
pub(crate) fn to_map(entries: &[Entry]) -> Map<String, Value> {
    entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect()
}

const START: Position = Position { line: 1, column: 1 };

fn position(location: Option<serde_saphyr::Location>) -> Position {
    location
        .filter(|location| location.line() > 0)
        .map_or(START, |location| Position { line: location.line(), column: location.column() })
}

/// Says what is wrong without repeating a value of the document.
fn explain(error: &Error) -> String {
    match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key '{key}' is there twice")
        }
        Error::MultipleDocuments { .. } => "expected one document, found several".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "too deeply nested, or too large once its aliases are expanded".to_owned()
        }
        Error::NonFiniteFloat { .. } => "expected a finite number".to_owned(),
        Error::NullIntoString { .. } => "expected text as a key".to_owned(),
        Error::UnknownAnchor { .. } => "an alias names an anchor that is not there".to_owned(),
        Error::InvalidScalar { ty, .. } => format!("expected a value of type {ty}, as tagged"),
        // The scanner speaks of structure only.
        Error::ExternalMessage { msg, .. } => format!("invalid YAML: {msg}"),
        _ => "invalid YAML".to_owned(),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(from)?;
        Ok(Self { at: position(Some(spanned.referenced)), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyKind)
    }
}

struct AnyKind;

impl<'de> Visitor<'de> for AnyKind {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Kind, D::Error> {
        Kind::deserialize(from)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Kind, E> {
        Ok(Kind::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Kind, E> {
        Ok(Kind::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Kind, E> {
        Number::from_f64(number)
            .map(Kind::Number)
            .ok_or_else(|| E::custom("expected a finite number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Kind, E> {
        Ok(Kind::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some((key, value)) = map.next_entry::<String, Node>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom("a key is there twice"));
            }
            entries.push(Entry { key, value });
        }
        Ok(Kind::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_keep_their_types_and_places() {
        let node = Node::parse(
            "a: 1\nb: [x, \"1\", true, null, 1.5, yes]\nc:\n  d: &d {e: 0x1F}\nf: *d\n200: ok\n",
        )
        .unwrap();
        assert_eq!(
            node.to_value(),
            json!({"a": 1, "b": ["x", "1", true, null, 1.5, "yes"], "c": {"d": {"e": 31}},
                   "f": {"e": 31}, "200": "ok"})
        );
        let at = |node: &Node| (node.at.line, node.at.column);
        assert_eq!(at(&node), (1, 1));
        assert_eq!(at(node.get("a").unwrap()), (1, 4));
        assert_eq!(at(node.get("c").unwrap()), (4, 3));
        assert_eq!(at(node.get("f").unwrap()), (5, 4), "an alias is where it is used");
    }

    #[test]
    fn what_is_not_yaml_is_explained_without_its_values() {
        for (text, line, message) in [
            ("a: 1\na: 2\n", 2, "the key 'a' is there twice"),
            ("a: hunter2: b\n", 1, "invalid YAML"),
            ("a: 1\n  b: hunter2\n", 2, "invalid YAML"),
            ("a: 1\nb: \"hunter2\n", 2, "invalid YAML"),
            ("a: *hunter2\n", 1, "an alias names"),
            ("a: !!int hunter2\n", 1, "expected a value of type"),
            ("a: .nan\n", 1, "expected a finite number"),
            ("a: 1\n---\nb: 2\n", 3, "expected one document"),
            ("a: [hunter2\n", 1, "invalid YAML"),
        ] {
            let (at, explained) = Node::parse(text).unwrap_err();
            assert!(explained.contains(message), "{text:?} says {explained:?}");
            assert!(!explained.contains("hunter2"), "{text:?} says {explained:?}");
            assert!(at.line.abs_diff(line) <= 1, "{text:?} is wrong at {at:?}");
        }
    }

    #[test]
    fn deep_and_exploding_documents_are_refused() {
        let deep = format!("a: {}{}", "[".repeat(5000), "]".repeat(5000));
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        for text in [deep, bomb] {
            assert!(Node::parse(&text).is_err());
        }
    }

    #[test]
    fn an_empty_document_is_null() {
        for text in ["", "\n", "# nothing\n", "---\n", "~\n"] {
            assert_eq!(Node::parse(text).unwrap().kind, Kind::Null, "{text:?}");
        }
    }
}
