//! Reads the fields of one mapping, reporting whatever is not as it should be.

use crate::label;
use crate::node::{Entry, Kind, Node, to_map};
use crate::problem::{Position, Report};
use crate::schema;
use attune_domain::reference::{ComponentRef, PackRef};
use serde_json::{Map, Value};

/// What is known of the pack while its files are read.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    /// The manifest's ref; `None` where the manifest has none that is valid, so that the other
    /// files are still looked at.
    pub(crate) pack: Option<&'a PackRef>,
    /// The pack's root.
    pub(crate) root: &'a std::path::Path,
}

/// A mapping being read. Where a field has several names, they are given canonical first, and the
/// first one with a value counts. A field that is null is absent.
pub(crate) struct Fields<'a> {
    entries: &'a [Entry],
    pub(crate) at: Position,
    path: String,
    pub(crate) report: Report<'a>,
}

impl<'a> Fields<'a> {
    /// Reads `node` as a mapping whose own path is `path` (empty for the document).
    pub(crate) fn of(node: &'a Node, path: &str, report: Report<'a>) -> Option<Self> {
        let entries: &[Entry] = match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Null if path.is_empty() => &[],
            _ => {
                report.error(
                    node.at,
                    path,
                    format!("expected a mapping, found {}", node.describe()),
                );
                return None;
            }
        };
        Some(Self { entries, at: node.at, path: path.to_owned(), report })
    }

    /// The path of a field of this mapping.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The first of `names` that has a value.
    pub(crate) fn find(&self, names: &[&str]) -> Option<(&'a str, &'a Node)> {
        names.iter().find_map(|name| {
            let entry = self.entries.iter().find(|entry| entry.key == *name)?;
            (entry.value.kind != Kind::Null).then_some((entry.key.as_str(), &entry.value))
        })
    }

    /// Where the field's value begins, or the mapping, if the field is absent.
    pub(crate) fn place(&self, name: &str) -> Position {
        self.find(&[name]).map_or(self.at, |(_, node)| node.at)
    }

    pub(crate) fn error(&self, at: Position, name: &str, message: impl Into<String>) {
        self.report.error(at, &self.path(name), message);
    }

    pub(crate) fn warning(&self, at: Position, name: &str, message: impl Into<String>) {
        self.report.warning(at, &self.path(name), message);
    }

    fn mismatch(&self, name: &str, node: &Node, expected: &str) {
        let hint = match (expected, &node.kind) {
            ("text", Kind::Number(_) | Kind::Bool(_)) => ": put it in quotes",
            _ => "",
        };
        let message = format!("expected {expected}, found {}{hint}", node.describe());
        self.error(node.at, name, message);
    }

    /// Optional text.
    pub(crate) fn text(&self, names: &[&str]) -> Option<String> {
        let (name, node) = self.find(names)?;
        if let Kind::Text(text) = &node.kind {
            return Some(text.clone());
        }
        self.mismatch(name, node, "text");
        None
    }

    /// Reports that the first of `names` is missing, if none has a value.
    pub(crate) fn require(&self, names: &[&str]) {
        if self.find(names).is_none() {
            self.error(
                self.at,
                names.first().copied().unwrap_or_default(),
                "required, but missing",
            );
        }
    }

    /// True or false; `default` if absent.
    pub(crate) fn flag(&self, names: &[&str], default: bool) -> bool {
        match self.find(names) {
            None => default,
            Some((_, Node { kind: Kind::Bool(flag), .. })) => *flag,
            Some((name, node)) => {
                self.mismatch(name, node, "true or false");
                default
            }
        }
    }

    /// An optional whole number from `least` up to what an `i32` holds.
    pub(crate) fn integer(&self, name: &str, least: i32) -> Option<i32> {
        let (_, node) = self.find(&[name])?;
        let number = match &node.kind {
            Kind::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            _ => None,
        };
        if number.is_none_or(|number| number < least) {
            self.error(node.at, name, format!("expected a whole number from {least} on"));
            return None;
        }
        number
    }

    /// One of the words of `table`, in any case.
    pub(crate) fn word<T: Clone>(&self, name: &str, table: &[(&str, T)]) -> Option<T> {
        let (_, node) = self.find(&[name])?;
        let Some(text) = node.as_text() else {
            self.mismatch(name, node, "text");
            return None;
        };
        let lower = text.to_ascii_lowercase();
        let known = table.iter().find(|(word, _)| *word == lower).map(|(_, value)| value.clone());
        if known.is_none() {
            let words: Vec<_> = table.iter().map(|(word, _)| *word).collect();
            let message = format!("unknown word '{text}', expected one of {}", words.join(", "));
            self.error(node.at, name, message);
        }
        known
    }

    /// A list of texts; empty if absent.
    pub(crate) fn texts(&self, names: &[&str]) -> Vec<String> {
        let Some((name, node)) = self.find(names) else { return Vec::new() };
        let Kind::List(items) = &node.kind else {
            self.mismatch(name, node, "a list");
            return Vec::new();
        };
        self.texts_of(name, items).into_iter().map(|(_, text)| text).collect()
    }

    /// A list of texts, or one text, with where each is; `None` if absent.
    pub(crate) fn text_or_texts(&self, names: &[&str]) -> Option<Vec<(Position, String)>> {
        let (name, node) = self.find(names)?;
        match &node.kind {
            Kind::Text(text) => Some(vec![(node.at, text.clone())]),
            Kind::List(items) => Some(self.texts_of(name, items)),
            _ => {
                self.mismatch(name, node, "text or a list");
                None
            }
        }
    }

    fn texts_of(&self, name: &str, items: &[Node]) -> Vec<(Position, String)> {
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match &item.kind {
                Kind::Text(text) => texts.push((item.at, text.clone())),
                _ => self.mismatch(&format!("{name}[{index}]"), item, "text"),
            }
        }
        texts
    }

    /// A mapping as JSON; empty if absent.
    pub(crate) fn object(&self, names: &[&str]) -> Map<String, Value> {
        match self.find(names) {
            None => Map::new(),
            Some((_, Node { kind: Kind::Map(entries), .. })) => to_map(entries),
            Some((name, node)) => {
                self.mismatch(name, node, "a mapping");
                Map::new()
            }
        }
    }

    /// A list of nodes with their paths; empty if absent.
    pub(crate) fn list(&self, name: &str) -> Vec<(String, &'a Node)> {
        match self.find(&[name]) {
            None => Vec::new(),
            Some((_, Node { kind: Kind::List(items), .. })) => items
                .iter()
                .enumerate()
                .map(|(index, item)| (self.path(&format!("{name}[{index}]")), item))
                .collect(),
            Some((_, node)) => {
                self.mismatch(name, node, "a list");
                Vec::new()
            }
        }
    }

    /// An optional mapping as JSON, kept as it is.
    pub(crate) fn mapping(&self, name: &str) -> Option<Value> {
        self.find(&[name]).map(|_| Value::Object(self.object(&[name])))
    }

    /// An optional value of any type, kept as it is.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        self.find(&[name]).map(|(_, node)| node.to_value())
    }

    /// An optional parameter schema, with its form checked.
    pub(crate) fn schema(&self, names: &[&str]) -> Option<Value> {
        let (name, node) = self.find(names)?;
        schema::check(node, &self.path(name), self.report);
        Some(node.to_value())
    }

    /// Whether the file's component has no ref at all: such a file is skipped, with a warning.
    pub(crate) fn nameless(&self) -> bool {
        let nameless = self.find(&["ref"]).is_none();
        if nameless {
            self.warning(self.at, "ref", "missing, so the file is skipped");
        }
        nameless
    }

    /// The ref of the file's component, which must be of this pack.
    pub(crate) fn own_ref(&self, context: Context<'_>, short: bool) -> Option<ComponentRef> {
        let (_, node) = self.find(&["ref"])?;
        let reference = self.component_ref(context, "ref", short)?;
        if let Some(pack) = context.pack
            && reference.pack() != pack.as_str()
        {
            self.error(
                node.at,
                "ref",
                format!("'{reference}' is not of this pack: expected '{pack}.…'"),
            );
            return None;
        }
        Some(reference)
    }

    /// An optional component ref; a `short` one without a dot is of this pack.
    pub(crate) fn component_ref(
        &self,
        context: Context<'_>,
        name: &str,
        short: bool,
    ) -> Option<ComponentRef> {
        let (_, node) = self.find(&[name])?;
        self.to_ref(context, name, node.at, &self.text(&[name])?, short)
    }

    /// Reads `text`, which is at `at`, as a component ref.
    pub(crate) fn to_ref(
        &self,
        context: Context<'_>,
        name: &str,
        at: Position,
        text: &str,
        short: bool,
    ) -> Option<ComponentRef> {
        let full = match context.pack {
            Some(pack) if short && !text.contains('.') => format!("{pack}.{text}"),
            // The manifest's missing ref is reported already.
            None if short && !text.contains('.') => return None,
            _ => text.to_owned(),
        };
        match ComponentRef::parse(&full) {
            Ok(reference) => Some(reference),
            Err(error) => {
                self.error(at, name, error.to_string());
                None
            }
        }
    }

    /// The label, made from the ref's last part where there is none.
    pub(crate) fn label(&self, reference: Option<&ComponentRef>) -> String {
        self.text(&["label"])
            .or_else(|| reference.map(|reference| label::derive(reference.name())))
            .unwrap_or_default()
    }
}
