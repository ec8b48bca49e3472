//! Schemas of parameters, results and configurations.
//!
//! Packs write either a flat map of names to properties, with `required`, `secret` and `position` beside
//! the keywords of JSON Schema, or JSON Schema itself. A [`Schema`] is compiled once and shared; it checks
//! values, fills in defaults, and takes secret values out of what is stored and shown.
//!
//! No message of this module ever quotes a value that was checked: it may be secret.

mod document;
mod error;
mod secrets;
#[cfg(test)]
mod tests;
mod validation;

pub use error::{Error, Violation};
pub use secrets::{MARK, Secrets, Step, is_redacted, redacted, restore, texts};

use document::Document;
use jsonschema::Validator;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A compiled schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema {
    compiled: Option<Arc<Compiled>>,
}

#[derive(Debug)]
struct Compiled {
    validator: Validator,
    defaults: Vec<(String, Value)>,
    secret_paths: Vec<Vec<Step>>,
}

impl Schema {
    /// The schema that every value satisfies.
    pub const fn any() -> Self {
        Self { compiled: None }
    }

    /// Reads and compiles a schema, flat or JSON Schema. None, null and an empty map allow everything.
    pub fn parse(schema: Option<&Value>) -> Result<Self, Error> {
        let map = match schema {
            None | Some(Value::Null) => return Ok(Self::any()),
            Some(Value::Object(map)) if map.is_empty() => return Ok(Self::any()),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(Error::NotAnObject),
        };
        let document = Document::of(map)?;
        let validator = validation::compile(&document.schema)?;
        let compiled = Compiled {
            validator,
            defaults: document.defaults(),
            secret_paths: secrets::paths(&document.schema),
        };
        Ok(Self { compiled: Some(Arc::new(compiled)) })
    }

    /// A schema as JSON Schema, whichever way it was written, for those who show it; `None`, everything is allowed.
    pub fn document(schema: Option<&Value>) -> Result<Option<Value>, Error> {
        match schema {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) if map.is_empty() => Ok(None),
            Some(Value::Object(map)) => Document::of(map).map(|document| Some(document.schema)),
            Some(_) => Err(Error::NotAnObject),
        }
    }

    /// Checks a value that people wrote. A string with `{{` and `}}` in it satisfies whatever is asked
    /// of it, since only its rendering can be judged. Members the schema does not know are allowed, and
    /// `format` is not checked.
    pub fn validate(&self, value: &Value) -> Result<(), Vec<Violation>> {
        self.check(value, true)
    }

    /// Checks a value in which templates are mere text: one that was rendered, or never will be.
    pub fn validate_rendered(&self, value: &Value) -> Result<(), Vec<Violation>> {
        self.check(value, false)
    }

    fn check(&self, value: &Value, templates: bool) -> Result<(), Vec<Violation>> {
        let violations = match &self.compiled {
            Some(compiled) => validation::violations(&compiled.validator, value, templates),
            None => Vec::new(),
        };
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// Fills in the defaults of top-level members that are absent or null. Defaults are literal: a
    /// template in one is text.
    pub fn defaults(&self, values: &mut Map<String, Value>) {
        let Some(compiled) = &self.compiled else { return };
        for (name, default) in &compiled.defaults {
            let member = values.entry(name.clone()).or_insert(Value::Null);
            if member.is_null() {
                member.clone_from(default);
            }
        }
    }

    /// Where secret values stand.
    pub fn secret_paths(&self) -> &[Vec<Step>] {
        self.compiled.as_ref().map_or(&[], |compiled| &compiled.secret_paths)
    }

    /// Replaces the values at secret paths by a marker and answers them. Null and what is already
    /// redacted stay.
    pub fn redact(&self, value: &mut Value) -> Secrets {
        secrets::take(self.secret_paths(), value)
    }
}
