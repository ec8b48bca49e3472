//! Parameter schemas: what an action, a trigger or a pack's configuration takes.
//!
//! Authors write a flat map of names to properties, or a whole JSON Schema; [`Schema`] is either, compiled.
//! It validates values (strings that hold templates satisfy any type, since nobody knows yet what they
//! become), fills in defaults, and knows which paths are secret, so that what lies there is taken out before
//! anything is stored ([`Secrets`]).

mod convert;
mod secret;
mod stand_in;

pub use secret::{MARK, Secrets};

use jsonschema::Validator;
use serde_json::{Map, Value};
use std::fmt;

/// A schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not an object.
    #[error("a schema must be an object")]
    NotAnObject,
    /// A property is not an object.
    #[error("property '{0}' must be an object")]
    Property(String),
    /// It is not valid JSON Schema.
    #[error("not a valid schema: {0}")]
    Invalid(String),
}

/// One thing that is wrong with a value. It never repeats the value, which may be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Dotted path from the top; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// A schema, compiled: cheap to use often and from many threads.
#[derive(Debug)]
pub struct Schema {
    /// `None`: anything goes.
    validator: Option<Validator>,
    properties: Map<String, Value>,
    defaults: Map<String, Value>,
    secrets: Vec<Vec<String>>,
}

impl Schema {
    /// The schema that every value fulfils.
    #[must_use]
    pub fn any() -> Self {
        Self { validator: None, properties: Map::new(), defaults: Map::new(), secrets: vec![] }
    }

    /// Compiles a schema as authors write it; `None`, null and `{}` take anything.
    ///
    /// # Errors
    /// [`Error`] where it cannot be used.
    pub fn parse(source: Option<&Value>) -> Result<Self, Error> {
        let source = match source {
            None | Some(Value::Null) => return Ok(Self::any()),
            Some(Value::Object(map)) if map.is_empty() => return Ok(Self::any()),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(Error::NotAnObject),
        };
        let secrets = secret::paths(convert::properties(source));
        let schema = convert::to_json_schema(source)?;
        let properties =
            schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        let defaults = properties
            .iter()
            .filter_map(|(name, property)| Some((name.clone(), property.get("default")?.clone())))
            .collect();
        let validator = jsonschema::options()
            .should_validate_formats(false)
            .with_pattern_options(jsonschema::PatternOptions::regex().size_limit(1 << 20))
            .build(&schema)
            .map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(Self { validator: Some(validator), properties, defaults, secrets })
    }

    /// Checks a value. Strings that hold templates are taken for what the schema wants there.
    ///
    /// # Errors
    /// Everything that is wrong, in the order found.
    pub fn validate(&self, value: &Value) -> Result<(), Vec<Violation>> {
        let Some(validator) = &self.validator else { return Ok(()) };
        let stood_in = stand_in::replace(value, &self.properties);
        let violations: Vec<Violation> = validator
            .iter_errors(stood_in.as_ref().unwrap_or(value))
            .map(|error| Violation {
                path: dotted(error.instance_path().as_str()),
                message: error.masked_with("the value").to_string(),
            })
            .collect();
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// Fills in what is absent or null at the top level. Defaults are literal, never templates.
    pub fn defaults(&self, parameters: &mut Map<String, Value>) {
        for (name, default) in &self.defaults {
            let slot = parameters.entry(name).or_insert(Value::Null);
            if slot.is_null() {
                slot.clone_from(default);
            }
        }
    }

    /// The secret paths, each as the names on the way.
    #[must_use]
    pub fn secret_paths(&self) -> &[Vec<String>] {
        &self.secrets
    }

    /// Takes the values at secret paths out of `value`, leaving marks.
    #[must_use]
    pub fn redact(&self, value: &mut Value) -> Secrets {
        secret::take(value, &self.secrets)
    }
}

/// A JSON pointer as people write paths.
fn dotted(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1);
    steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests;
