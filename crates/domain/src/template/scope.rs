//! What the names of a template stand for.

use super::path::Segment;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use std::borrow::Cow;

/// What happens when something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is null, or empty inside text: a rule's parameters.
    Lenient,
    /// It is an error naming the path, except through `default`: workflows and conditions.
    Strict,
}

/// The names a template may use, all of them borrowed, and where time and ids come from.
///
/// A root named with parentheses, such as `result()`, answers the call of that name; arguments of such a
/// call are ignored.
pub struct Scope<'a> {
    mode: Mode,
    roots: Vec<(&'a str, Root<'a>)>,
    fallback: Option<&'a str>,
    deferred: Vec<&'a str>,
    now: Option<DateTime<Utc>>,
    uuid: Option<&'a dyn Fn() -> String>,
}

enum Root<'a> {
    Value(Cow<'a, Value>),
    Fields(Vec<(&'a str, Cow<'a, Value>)>),
}

impl<'a> Scope<'a> {
    /// A scope in which nothing is defined yet.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            roots: Vec::new(),
            fallback: None,
            deferred: Vec::new(),
            now: None,
            uuid: None,
        }
    }

    /// A scope where what is missing is null: for a rule's parameters.
    pub fn lenient() -> Self {
        Self::new(Mode::Lenient)
    }

    /// A scope where what is missing is an error: for workflows and conditions.
    pub fn strict() -> Self {
        Self::new(Mode::Strict)
    }

    /// Defines a root. The first definition of a name wins.
    #[must_use]
    pub fn root(mut self, name: &'a str, value: &'a Value) -> Self {
        self.roots.push((name, Root::Value(Cow::Borrowed(value))));
        self
    }

    /// Defines a root by a value made for it.
    #[must_use]
    pub fn owned_root(mut self, name: &'a str, value: Value) -> Self {
        self.roots.push((name, Root::Value(Cow::Owned(value))));
        self
    }

    /// Defines a root that is an object of these fields, without building that object:
    /// `event` of an event whose payload lies elsewhere.
    #[must_use]
    pub fn fields(mut self, name: &'a str, fields: Vec<(&'a str, Cow<'a, Value>)>) -> Self {
        self.roots.push((name, Root::Fields(fields)));
        self
    }

    /// Bare names that are no roots are members of this root: `workflow`, so that `x` is `workflow.x`.
    #[must_use]
    pub fn fallback(mut self, root: &'a str) -> Self {
        self.fallback = Some(root);
        self
    }

    /// Expressions that touch this root stay text: `keystore`, which only the runner resolves.
    #[must_use]
    pub fn defer(mut self, root: &'a str) -> Self {
        self.deferred.push(root);
        self
    }

    /// What `now()` answers; without it the function is not defined.
    #[must_use]
    pub fn now(mut self, now: DateTime<Utc>) -> Self {
        self.now = Some(now);
        self
    }

    /// Where `uuid()` takes ids from; without it the function is not defined.
    #[must_use]
    pub fn uuid(mut self, source: &'a dyn Fn() -> String) -> Self {
        self.uuid = Some(source);
        self
    }

    /// What happens when something is missing.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn is_deferred(&self, root: &str) -> bool {
        self.deferred.contains(&root)
    }

    pub(crate) fn has_deferred(&self) -> bool {
        !self.deferred.is_empty()
    }

    pub(crate) fn moment(&self) -> Option<String> {
        self.now.map(|now| now.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }

    pub(crate) fn fresh_uuid(&self) -> Option<String> {
        self.uuid.map(|source| source())
    }

    /// The value a path starts from, and the steps still to go.
    pub(crate) fn start<'s, 'p>(
        &'s self,
        name: &str,
        segments: &'p [Segment],
    ) -> Option<(Cow<'s, Value>, &'p [Segment])> {
        if let Some(root) = self.find(name) {
            return root.enter(segments);
        }
        let fallback = self.find(self.fallback?)?;
        let value = match fallback {
            Root::Value(value) => value.get(name)?,
            Root::Fields(fields) => field(fields, name)?,
        };
        Some((Cow::Borrowed(value), segments))
    }

    fn find(&self, name: &str) -> Option<&Root<'a>> {
        self.roots.iter().find(|(root, _)| *root == name).map(|(_, value)| value)
    }
}

impl Root<'_> {
    fn enter<'s, 'p>(&'s self, segments: &'p [Segment]) -> Option<(Cow<'s, Value>, &'p [Segment])> {
        match (self, segments) {
            (Root::Value(value), _) => Some((Cow::Borrowed(value.as_ref()), segments)),
            (
                Root::Fields(fields),
                [Segment::Name { name, .. } | Segment::Key(name), rest @ ..],
            ) => Some((Cow::Borrowed(field(fields, name)?), rest)),
            (Root::Fields(fields), _) => {
                let whole = fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.as_ref().clone()))
                    .collect();
                Some((Cow::Owned(Value::Object(whole)), segments))
            }
        }
    }
}

fn field<'s>(fields: &'s [(&str, Cow<'_, Value>)], name: &str) -> Option<&'s Value> {
    fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_ref())
}
