//! Dotted paths such as `event.payload.items.0.x`: most templates are nothing else, so a path is
//! looked up in borrowed JSON and never enters the expression engine.

use super::scope::Scope;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// A root name and the members followed from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    root: String,
    segments: Vec<Segment>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A member of an object; a name of digits also counts into an array.
    Name {
        /// The member's name.
        name: String,
        /// The name as an array index, where it is one.
        index: Option<usize>,
    },
    /// A quoted key in brackets: a member of an object only.
    Key(String),
    /// A number in brackets: an element of an array or a character of a string; negative from the end.
    Index(i64),
    /// Another path in brackets, whose value is the key or the index.
    Subscript(Box<Path>),
}

impl Segment {
    /// A step written after a dot.
    pub(crate) fn name(name: &str) -> Self {
        let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        Self::Name { name: name.to_owned(), index: digits.then(|| name.parse().ok()).flatten() }
    }
}

impl Path {
    /// A path of its root alone. A root that is called, such as `result()`, is written with its parentheses.
    pub(crate) fn root_only(root: impl Into<String>) -> Self {
        Self { root: root.into(), segments: Vec::new() }
    }

    /// The steps of a dotted text without any quoting: `payload.user-agent` has two.
    /// `None` where a step is empty.
    pub(crate) fn dotted(text: &str) -> Option<Self> {
        let mut names = text.split('.');
        let root = names.next().filter(|root| !root.is_empty())?.to_owned();
        let segments = names
            .map(|name| (!name.is_empty()).then(|| Segment::name(name)))
            .collect::<Option<_>>()?;
        Some(Self { root, segments })
    }

    /// Goes one step further.
    pub(crate) fn push(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    /// The root's name; a root that is called ends in `()`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The steps behind the root.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Paths that stand in brackets inside this one.
    pub(crate) fn subscripts(&self) -> impl Iterator<Item = &Path> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Subscript(path) => Some(path.as_ref()),
            _ => None,
        })
    }

    /// The same paths, to be changed.
    pub(crate) fn subscripts_mut(&mut self) -> impl Iterator<Item = &mut Path> {
        self.segments.iter_mut().filter_map(|segment| match segment {
            Segment::Subscript(path) => Some(path.as_mut()),
            _ => None,
        })
    }

    /// What the path leads to in this scope; `None` if anything on the way is missing.
    pub(crate) fn resolve<'s>(&self, scope: &'s Scope<'_>) -> Option<Cow<'s, Value>> {
        let (start, steps) = scope.start(&self.root, &self.segments)?;
        follow(start, steps, scope)
    }
}

/// Follows `steps` from `start`, borrowing as long as `start` is borrowed.
fn follow<'s>(
    start: Cow<'s, Value>,
    steps: &[Segment],
    scope: &'s Scope<'_>,
) -> Option<Cow<'s, Value>> {
    match start {
        Cow::Borrowed(value) => follow_borrowed(value, steps, scope),
        Cow::Owned(value) => {
            follow_borrowed(&value, steps, scope).map(|found| Cow::Owned(found.into_owned()))
        }
    }
}

fn follow_borrowed<'v>(
    mut value: &'v Value,
    steps: &[Segment],
    scope: &Scope<'_>,
) -> Option<Cow<'v, Value>> {
    for (at, step) in steps.iter().enumerate() {
        if let Value::String(text) = value {
            let character = character(text, index_of(step, scope)?)?;
            return (at + 1 == steps.len()).then_some(Cow::Owned(Value::String(character)));
        }
        value = member(value, step, scope)?;
    }
    Some(Cow::Borrowed(value))
}

/// Follows steps that need no scope: names, keys and indexes.
pub(crate) fn lookup<'v>(value: &'v Value, steps: &[Segment]) -> Option<&'v Value> {
    steps.iter().try_fold(value, |value, step| match (value, step) {
        (Value::Object(map), Segment::Name { name, .. } | Segment::Key(name)) => map.get(name),
        (Value::Array(list), Segment::Name { index: Some(index), .. }) => list.get(*index),
        (Value::Array(list), Segment::Index(index)) => list.get(position(*index, list.len())?),
        _ => None,
    })
}

fn member<'v>(value: &'v Value, step: &Segment, scope: &Scope<'_>) -> Option<&'v Value> {
    match (value, step) {
        (Value::Object(map), Segment::Subscript(path)) => map.get(path.resolve(scope)?.as_str()?),
        (Value::Array(list), Segment::Subscript(_)) => {
            list.get(position(index_of(step, scope)?, list.len())?)
        }
        _ => lookup(value, std::slice::from_ref(step)),
    }
}

fn index_of(step: &Segment, scope: &Scope<'_>) -> Option<i64> {
    match step {
        Segment::Index(index) => Some(*index),
        Segment::Subscript(path) => path.resolve(scope)?.as_i64(),
        Segment::Name { .. } | Segment::Key(_) => None,
    }
}

/// Where an index points in a list of `len` elements; negative ones count from the end.
pub(crate) fn position(index: i64, len: usize) -> Option<usize> {
    if index >= 0 {
        return usize::try_from(index).ok().filter(|index| *index < len);
    }
    len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
}

/// One character of a text.
pub(crate) fn character(text: &str, index: i64) -> Option<String> {
    let at = if index >= 0 {
        usize::try_from(index).ok()?
    } else {
        position(index, text.chars().count())?
    };
    text.chars().nth(at).map(String::from)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.root)?;
        for segment in &self.segments {
            match segment {
                Segment::Name { name, .. } => write!(f, ".{name}")?,
                Segment::Key(key) => write!(f, "[{key:?}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Subscript(path) => write!(f, "[{path}]")?,
            }
        }
        Ok(())
    }
}
