//! Conditions of rules: does an event concern this rule?
//!
//! A condition is null or empty (every event), an expression, a list of terms that must all hold, a
//! nesting of `all`, `any` and `not`, or StackStorm's criteria. It is read once into a [`Condition`];
//! asking it about an event allocates nothing in the common case. [`Index`] holds the conditions of many
//! rules and asks only those whose required value the event has.
//!
//! A field that the event lacks fails every operator but `not_equals`, `not_in` and `nexists`, and
//! whatever goes wrong in evaluating an expression counts as "does not hold".

mod compare;
mod error;
mod field;
mod index;
mod operator;
mod parse;
mod term;
#[cfg(test)]
mod tests;
mod translate;

pub use error::{Error, Fault};
pub use index::Index;

use crate::template::{Expression, Scope};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::borrow::Cow;
use term::Term;

/// An event as conditions see it.
#[derive(Clone, Copy, Debug)]
pub struct EventView<'a> {
    /// Wire id.
    pub id: i64,
    /// Ref of its trigger.
    pub trigger_ref: &'a str,
    /// Its payload, if it has one.
    pub payload: Option<&'a Value>,
    /// When it came, as the wire writes it.
    pub created: &'a str,
    /// The present, for time differences and `now()`.
    pub now: DateTime<Utc>,
}

/// A condition, ready to be asked about any number of events.
#[derive(Clone, Debug)]
pub struct Condition {
    node: Node,
}

#[derive(Clone, Debug)]
enum Node {
    /// Every event.
    Always,
    /// No event.
    Never,
    /// All of them; so also none of none.
    All(Vec<Node>),
    /// At least one of them; so never of none.
    Any(Vec<Node>),
    Not(Box<Node>),
    Term(Box<Term>),
    Expression(Expression),
}

impl Condition {
    /// Reads a condition. What no event could ever match because it is misspelt is an error.
    pub fn parse(condition: &Value) -> Result<Self, Error> {
        parse::condition(condition).map(|node| Self { node })
    }

    /// Reads a condition; one that cannot be read never holds.
    pub fn parse_lenient(condition: &Value) -> Self {
        Self::parse(condition).unwrap_or(Self { node: Node::Never })
    }

    /// Whether the condition holds for this event.
    pub fn holds(&self, event: &EventView<'_>) -> bool {
        self.node.holds(event)
    }

    /// A dotted path into the payload and the scalar that must stand there for the condition to hold;
    /// `None` if the condition requires no such thing.
    pub fn equality_key(&self) -> Option<(String, &Value)> {
        self.node.required_equality().map(|(field, value)| (field.to_string(), value))
    }
}

impl Node {
    fn holds(&self, event: &EventView<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::All(nodes) => nodes.iter().all(|node| node.holds(event)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(event)),
            Self::Not(node) => !node.holds(event),
            Self::Term(term) => term.holds(event.payload.unwrap_or(&Value::Null), event),
            Self::Expression(expression) => expression.holds(&scope(event)).unwrap_or(false),
        }
    }

    fn required_equality(&self) -> Option<(&field::Field, &Value)> {
        match self {
            Self::Term(term) => term.required_equality(),
            Self::All(nodes) => nodes.iter().find_map(Self::required_equality),
            _ => None,
        }
    }
}

/// The names that expressions in conditions may use.
fn scope<'e>(event: &EventView<'e>) -> Scope<'e> {
    let trigger = || Cow::Owned(Value::from(event.trigger_ref));
    let fields = vec![
        ("payload", Cow::Borrowed(event.payload.unwrap_or(&Value::Null))),
        ("id", Cow::Owned(Value::from(event.id))),
        ("trigger", trigger()),
        ("trigger_ref", trigger()),
        ("created", Cow::Owned(Value::from(event.created))),
    ];
    Scope::strict().fields("event", fields).now(event.now)
}
