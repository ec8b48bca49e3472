//! Why a template could not be read or rendered.

use std::fmt;

/// How much of an expression an error quotes, in characters.
const QUOTED: usize = 200;

/// An expression that could not be read or evaluated, and where it stands.
///
/// Neither the text nor the fault ever holds a *value* that was looked at: values may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// Dotted path of the key whose string holds the expression; empty for the value itself.
    pub at: String,
    /// The expression without its braces, cut to 200 characters.
    pub expression: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It is not written as an expression.
    #[error("{message} (character {position})")]
    Syntax {
        /// Offset in the expression in characters, from 1.
        position: usize,
        /// What was expected or found.
        message: String,
    },
    /// A name, a member or an index that does not exist was used.
    #[error("{}", match .path { Some(path) => format!("`{path}` is not defined"), None => "an undefined value was used".to_owned() })]
    Undefined {
        /// What is missing, where it can be told.
        path: Option<String>,
    },
    /// An operation that these operands do not allow.
    #[error("{message}")]
    Evaluation {
        /// Which operation, and which types it was given.
        message: String,
    },
    /// It takes more work or makes more output than an expression may.
    #[error("the expression exceeds the limit on {what}")]
    Limit {
        /// Which limit.
        what: &'static str,
    },
}

impl Fault {
    /// An operation that cannot be done.
    pub(crate) fn evaluation(message: impl Into<String>) -> Self {
        Self::Evaluation { message: message.into() }
    }

    /// This fault of that expression, at no particular key yet.
    pub(crate) fn of(self, expression: &str) -> Error {
        Error {
            at: String::new(),
            expression: expression.chars().take(QUOTED).collect(),
            fault: self,
        }
    }
}

impl Error {
    /// The same error, found at a key.
    pub(crate) fn at(mut self, at: &str) -> Self {
        at.clone_into(&mut self.at);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.expression)?;
        if !self.at.is_empty() {
            write!(f, " in `{}`", self.at)?;
        }
        write!(f, ": {}", self.fault)
    }
}
