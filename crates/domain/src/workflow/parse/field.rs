//! One value of a workflow's file and the path that leads to it.

use super::language;
use super::reader::{Place, Reader};
use crate::template::Template;
use crate::workflow::definition::{Condition, Quantity};
use serde_json::Value;

/// A value that is being read.
#[derive(Clone)]
pub(super) struct Field<'a> {
    pub(super) reader: &'a Reader,
    pub(super) value: &'a Value,
    /// Dotted path of the value.
    pub(super) at: String,
}

impl<'a> Field<'a> {
    /// The member of that name, where this is an object that has it and it is not null.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(self.below(name, value))
    }

    /// The first of these members that is there.
    pub(super) fn first(&self, names: &[&str]) -> Option<Self> {
        names.iter().find_map(|name| self.get(name))
    }

    fn below(&self, name: &str, value: &'a Value) -> Self {
        Self { reader: self.reader, value, at: member(&self.at, name) }
    }

    /// The members of an object, by name; nothing of anything else. A mapping has no order of its own, whatever
    /// the JSON library makes of it.
    pub(super) fn members(&self) -> Vec<(&'a str, Self)> {
        let mut members: Vec<_> = self.value.as_object().into_iter().flatten().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        members.into_iter().map(|(name, value)| (name.as_str(), self.below(name, value))).collect()
    }

    /// The elements of a list; nothing of anything else.
    pub(super) fn elements(&self) -> Vec<Self> {
        let elements = self.value.as_array().into_iter().flatten().enumerate();
        elements
            .map(|(index, value)| Self {
                reader: self.reader,
                value,
                at: format!("{}[{index}]", self.at),
            })
            .collect()
    }

    pub(super) fn error(&self, message: impl Into<String>) {
        self.reader.error(&self.at, message);
    }

    pub(super) fn warning(&self, message: impl Into<String>) {
        self.reader.warning(&self.at, message);
    }

    /// Reports that the value is not what it has to be.
    pub(super) fn expected(&self, what: &str) {
        let found = match self.value {
            Value::Number(_) if what.contains("number") => "another number",
            value => describe(value),
        };
        self.error(format!("expected {what}, found {found}"));
    }

    /// Text.
    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.expected("text");
        }
        text
    }

    /// Text, or a list of texts.
    pub(super) fn texts(&self) -> Vec<String> {
        match self.value {
            Value::String(text) => vec![text.clone()],
            Value::Array(_) => self
                .elements()
                .iter()
                .filter_map(|element| element.text().map(str::to_owned))
                .collect(),
            _ => {
                self.expected("text or a list of texts");
                Vec::new()
            }
        }
    }

    /// One of the words of a table, in any case.
    pub(super) fn word<T: Copy>(&self, table: &[(&str, T)]) -> Option<T> {
        let lower = self.text()?.to_ascii_lowercase();
        let found = table.iter().find(|(word, _)| *word == lower).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<_> = table.iter().map(|(word, _)| *word).collect();
            self.error(format!("unknown word '{lower}', expected one of {}", words.join(", ")));
        }
        found
    }

    /// A number within bounds.
    pub(super) fn number(&self, least: f64, most: f64) -> Option<f64> {
        let number = self.value.as_f64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.expected(&format!("a number from {least} to {most}"));
        }
        number
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, least: u64, most: u64) -> Option<u64> {
        let number = language::whole(self.value).filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.expected(&format!("a whole number from {least} to {most}"));
        }
        number
    }

    /// A number within bounds, or an expression.
    pub(super) fn quantity(&self, place: Place, least: f64, most: f64) -> Option<Quantity> {
        if let Value::String(text) = self.value {
            let template = self.template(place);
            if !template.is_literal() {
                return Some(Quantity::Rendered(template));
            }
            let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
            if number.is_none() {
                let wanted = format!("a number from {least} to {most} or an expression");
                self.expected(&wanted);
            }
            return number.map(Quantity::Fixed);
        }
        self.number(least, most).map(Quantity::Fixed)
    }

    /// A whole number within bounds, or an expression.
    pub(super) fn count(&self, place: Place, least: u32, most: u32) -> Option<Quantity> {
        let count = self.quantity(place, f64::from(least), f64::from(most))?;
        match count {
            Quantity::Fixed(number) if number.fract() != 0.0 => {
                self.expected("a whole number");
                None
            }
            count => Some(count),
        }
    }

    /// A template of any type.
    pub(super) fn template(&self, place: Place) -> Template {
        self.reader.template(&self.at, self.value, place)
    }

    /// An expression that is true or false.
    pub(super) fn condition(&self, place: Place) -> Option<Condition> {
        match self.value {
            Value::Bool(flag) => self.reader.condition(&self.at, &flag.to_string(), place),
            Value::String(text) if !text.trim().is_empty() => {
                self.reader.condition(&self.at, text, place)
            }
            _ => {
                self.expected("an expression");
                None
            }
        }
    }
}

/// The path of a member.
pub(super) fn member(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// The kind of a value in words.
pub(super) fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
