//! One term: a field, an operator, and what it is held against.

use super::EventView;
use super::field::Field;
use super::operator::{Name, Operator};
use crate::template::Template;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// One term of a condition.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) field: Field,
    pub(crate) test: Test,
}

/// What a term asks of its field.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// An operator whose operand is known.
    Fixed(Operator),
    /// An operator whose operand depends on the event: a template as the pattern of a criterion.
    Templated {
        /// Which operator.
        name: Name,
        /// Its operand.
        operand: Template,
    },
}

impl Term {
    /// Whether the term holds; `root` is what its field is looked up in.
    pub(crate) fn holds(&self, root: &Value, event: &EventView<'_>) -> bool {
        let found = self.field.find(root);
        match &self.test {
            Test::Fixed(operator) => operator.holds(found, event.now),
            Test::Templated { name, operand } => {
                let payload = event.payload.unwrap_or(&Value::Null);
                let rendered = operand.render(&super::scope(event).root("trigger", payload));
                rendered
                    .ok()
                    .filter(|operand| !operand.is_null() || name.admits_null())
                    .and_then(|operand| name.with(&operand, "").ok())
                    .is_some_and(|operator| operator.holds(found, event.now))
            }
        }
    }

    /// The scalar that must stand in the field for the term to hold.
    pub(crate) fn required_equality(&self) -> Option<(&Field, &Value)> {
        match &self.test {
            Test::Fixed(Operator::Equal(value)) if !value.is_array() && !value.is_object() => {
                Some((&self.field, value))
            }
            _ => None,
        }
    }
}

/// Criteria over the items of a list.
#[derive(Clone, Debug)]
pub(crate) struct Search {
    pub(crate) every_item: bool,
    pub(crate) every_criterion: bool,
    pub(crate) criteria: Vec<(Field, Operator)>,
}

impl Search {
    /// Whether the items of `value` meet the criteria; an object counts as a list of itself.
    pub(crate) fn holds(&self, value: &Value, now: DateTime<Utc>) -> bool {
        let meets = |item: &Value| {
            let mut answers =
                self.criteria.iter().map(|(field, operator)| operator.holds(field.find(item), now));
            if self.every_criterion {
                answers.all(|holds| holds)
            } else {
                answers.any(|holds| holds)
            }
        };
        let over = |items: &[Value]| {
            if self.every_item { items.iter().all(meets) } else { items.iter().any(meets) }
        };
        match value {
            Value::Array(items) => over(items),
            Value::Object(_) => meets(value),
            _ => false,
        }
    }
}
