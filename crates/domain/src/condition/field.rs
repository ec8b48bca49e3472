//! Fields: where in the payload a term looks.

use crate::template::path::{Segment, lookup};
use serde_json::Value;
use std::fmt;

/// A place in the payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Field {
    segments: Vec<Segment>,
    /// The path with its prefix, for payloads that have a member of that name themselves.
    literal: Option<Vec<Segment>>,
}

/// Prefixes that stand for the payload, longest first.
const PREFIXES: [&str; 3] = ["event.payload", "payload", "trigger"];

impl Field {
    /// Reads a dotted path. A leading `event.payload.`, `payload.` or `trigger.` is optional.
    /// `None` if there is no path or a step of it is empty.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let literal = steps(text).filter(|steps| !steps.is_empty())?;
        Some(match PREFIXES.iter().find_map(|prefix| behind(text, prefix)) {
            Some(rest) => Self { segments: steps(rest)?, literal: Some(literal) },
            None => Self { segments: literal, literal: None },
        })
    }

    /// Reads the key of a criterion: `trigger.a.b`, of which `#` and what follows is no part, or an
    /// item's `item.a.b` inside a search. `None` if it starts with none of `roots`.
    pub(crate) fn parse_criterion(key: &str, roots: &[&str]) -> Option<Self> {
        let key = key.split('#').next().unwrap_or_default().trim();
        let rest = roots.iter().find_map(|root| behind(key, root))?;
        Some(Self { segments: steps(rest)?, literal: None })
    }

    /// The roots that criteria of an event may start with.
    pub(crate) const EVENT_ROOTS: &'static [&'static str] = &PREFIXES;
    /// The root of criteria inside a search.
    pub(crate) const ITEM_ROOTS: &'static [&'static str] = &["item"];

    /// Exactly these steps into the payload.
    pub(crate) fn exact(segments: Vec<Segment>) -> Self {
        Self { segments, literal: None }
    }

    /// What stands there; null is something, too.
    pub(crate) fn find<'v>(&self, payload: &'v Value) -> Option<&'v Value> {
        lookup(payload, &self.segments).or_else(|| lookup(payload, self.literal.as_ref()?))
    }
}

/// What follows `prefix` in a dotted path; empty if nothing does.
fn behind<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(prefix)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

fn steps(text: &str) -> Option<Vec<Segment>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split('.').map(|name| (!name.is_empty()).then(|| Segment::name(name))).collect()
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            match segment {
                Segment::Name { name, .. } | Segment::Key(name) => write!(f, "{dot}{name}")?,
                Segment::Index(index) => write!(f, "{dot}{index}")?,
                Segment::Subscript(path) => write!(f, "[{path}]")?,
            }
        }
        Ok(())
    }
}
