//! Why a condition cannot be read.

use crate::template;
use std::fmt;

/// A condition that cannot be read, and which part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// Dotted path of keys and list positions to the part; empty for the condition itself.
    pub at: String,
    /// What is wrong with it.
    #[source]
    pub fault: Fault,
}

/// What can be wrong with a part of a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is none of the forms of conditions.
    #[error(
        "not a condition: use {{\"expression\": …}}, a list of {{field, operator, value}}, \
         {{\"all\": […]}}, {{\"any\": […]}}, {{\"not\": …}} or criteria such as {{\"trigger.x\": {{type, pattern}}}}"
    )]
    Shape,
    /// A part of it that must be there is missing or of another type.
    #[error("`{key}` must be {wanted}")]
    Key {
        /// Which key.
        key: &'static str,
        /// What it has to be.
        wanted: &'static str,
    },
    /// There is no such operator.
    #[error("there is no operator `{0}`")]
    Operator(String),
    /// The operator cannot work with the value it is given.
    #[error("`{operator}` takes {wanted}")]
    Operand {
        /// The operator as it is written.
        operator: String,
        /// What it can work with.
        wanted: &'static str,
    },
    /// Its expression cannot be read.
    #[error("{0}")]
    Expression(#[source] template::Error),
}

impl Fault {
    /// This fault at that part.
    pub(crate) fn at(self, at: &[String]) -> Error {
        Error { at: at.join("."), fault: self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            self.fault.fmt(f)
        } else {
            write!(f, "`{}`: {}", self.at, self.fault)
        }
    }
}
