//! The conditions of many rules at once: the cost of an event is that of the rules it may concern.

use super::compare::Scalar;
use super::field::Field;
use super::{Condition, EventView, Node};
use serde_json::Value;
use std::collections::HashMap;

/// Conditions, each with something that belongs to it, arranged by what they require of the payload.
#[derive(Clone, Debug)]
pub struct Index<T> {
    entries: Vec<(Condition, T)>,
    /// One bucket list per field that some condition requires to equal a scalar.
    by_field: Vec<Buckets>,
    /// Entries that require no such thing.
    others: Vec<usize>,
}

/// Entries by the scalar that must stand in one field.
#[derive(Clone, Debug)]
struct Buckets {
    field: Field,
    texts: HashMap<String, Vec<usize>>,
    scalars: HashMap<Scalar, Vec<usize>>,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self::new([])
    }
}

impl<T> Index<T> {
    /// Arranges conditions.
    pub fn new(entries: impl IntoIterator<Item = (Condition, T)>) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let mut by_field: HashMap<Field, Buckets> = HashMap::new();
        let mut others = Vec::new();
        for (number, (condition, _)) in entries.iter().enumerate() {
            match condition.node.required_equality() {
                _ if matches!(condition.node, Node::Never) => {}
                Some((field, value)) => {
                    by_field
                        .entry(field.clone())
                        .or_insert_with(|| Buckets::new(field))
                        .put(value, number);
                }
                None => others.push(number),
            }
        }
        Self { entries, by_field: by_field.into_values().collect(), others }
    }

    /// How many conditions there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What belongs to the conditions that may hold for the event, in the order they were given in.
    /// No other condition holds.
    pub fn candidates(&self, event: &EventView<'_>) -> impl Iterator<Item = &(Condition, T)> {
        let payload = event.payload.unwrap_or(&Value::Null);
        let mut numbers: Vec<usize> = self
            .by_field
            .iter()
            .flat_map(|buckets| buckets.at(payload))
            .chain(&self.others)
            .copied()
            .collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.entries.get(number))
    }

    /// What belongs to the conditions that hold for the event, in the order they were given in.
    pub fn matches(&self, event: &EventView<'_>) -> impl Iterator<Item = &T> {
        self.candidates(event).filter(|(condition, _)| condition.holds(event)).map(|(_, item)| item)
    }
}

impl Buckets {
    fn new(field: &Field) -> Self {
        Self { field: field.clone(), texts: HashMap::new(), scalars: HashMap::new() }
    }

    fn put(&mut self, value: &Value, number: usize) {
        if let Value::String(text) = value {
            self.texts.entry(text.clone()).or_default().push(number);
        } else if let Some(scalar) = Scalar::of(value) {
            self.scalars.entry(scalar).or_default().push(number);
        }
    }

    /// The entries whose scalar stands in the field.
    fn at(&self, payload: &Value) -> &[usize] {
        let found = match self.field.find(payload) {
            None => None,
            Some(Value::String(text)) => self.texts.get(text),
            Some(other) => Scalar::of(other).and_then(|scalar| self.scalars.get(&scalar)),
        };
        found.map_or(&[], Vec::as_slice)
    }
}
