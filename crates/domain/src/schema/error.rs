//! What can be wrong with a schema, and with a value under it.

use std::fmt;

/// A schema that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is neither a map of properties nor JSON Schema.
    #[error("a schema must be an object")]
    NotAnObject,
    /// What describes a property is no object.
    #[error("the description of `{0}` must be an object")]
    Property(String),
    /// A keyword has a value that JSON Schema does not know.
    #[error("not a valid schema: {message} at `{at}`")]
    Invalid {
        /// JSON pointer into the schema, once converted to JSON Schema.
        at: String,
        /// What is wrong there.
        message: String,
    },
}

/// A place where a value does not satisfy its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Dotted path to the place; empty for the whole value.
    pub path: String,
    /// What is wrong, without the value itself.
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
