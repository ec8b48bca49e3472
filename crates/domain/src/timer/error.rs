//! Why a text or an object is no timer.

/// A timer that cannot be. The API answers it with 422.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither a timer trigger nor a `type` of timer.
    #[error("'{0}' is no kind of timer: expected interval, cron, one_shot or rrule")]
    Kind(String),
    /// The configuration is not a JSON object.
    #[error("a timer is configured by an object")]
    NotAnObject,
    /// A field that the timer needs is not there.
    #[error("timer field '{field}' is required")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A field holds what it must not.
    #[error("timer field '{field}' {reason}")]
    Invalid {
        /// Its name.
        field: &'static str,
        /// What it must be, and what it is.
        reason: String,
    },
}

impl Error {
    pub(super) fn missing(field: &'static str) -> Self {
        Self::Missing { field }
    }

    pub(super) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }

    /// The field at fault, where one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Kind(_) => Some("type"),
            Self::NotAnObject => None,
            Self::Missing { field } | Self::Invalid { field, .. } => Some(field),
        }
    }
}
