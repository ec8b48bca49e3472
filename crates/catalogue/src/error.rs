//! Why the catalogue could not do what was asked.

use attune_domain::reference;
use attune_ports::Unavailable;
use attune_ports::records::{self, Kind, Unreadable};

/// Why the catalogue could not do what was asked. Nothing half-written is left in any case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such definition.
    #[error("{} '{reference}' not found", name_of(*.kind))]
    NotFound {
        /// What was looked for.
        kind: Kind,
        /// By which ref, id or key.
        reference: String,
    },
    /// The ref is taken, or the definition's state forbids it.
    #[error("{0}")]
    Conflict(String),
    /// A value is wrong: its length, its range, or what a schema says.
    #[error("{0}")]
    Invalid(String),
    /// A ref does not have the form of one.
    #[error(transparent)]
    BadRef(#[from] reference::Error),
    /// The request makes no sense for the definition as it is.
    #[error("{0}")]
    Refused(String),
    /// Others changed the same records again and again.
    #[error("the definition is being changed by others; try again")]
    Contended,
    /// A stored record is not what its kind says.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A port does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Error {
    pub(crate) fn not_found(kind: Kind, reference: impl ToString) -> Self {
        Self::NotFound { kind, reference: reference.to_string() }
    }

    /// Whether it is for the definition's author to mend: trying again does not help.
    pub(crate) const fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::Conflict(_)
                | Self::Invalid(_)
                | Self::BadRef(_)
                | Self::Refused(_)
        )
    }

    pub(crate) fn taken(kind: Kind, reference: impl std::fmt::Display) -> Self {
        Self::Conflict(format!("{} '{reference}' already exists", name_of(kind)))
    }
}

/// A kind as messages to people begin with it.
#[must_use]
pub const fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Pack => "Pack",
        Kind::Action => "Action",
        Kind::Workflow => "Workflow",
        Kind::Trigger => "Trigger",
        Kind::Sensor => "Sensor",
        Kind::Rule => "Rule",
        Kind::Policy => "Policy",
        Kind::PermissionSet => "Permission set",
        Kind::Key => "Key",
        Kind::Identity => "Identity",
        Kind::Event => "Event",
        Kind::Enforcement => "Enforcement",
        Kind::Execution => "Execution",
        Kind::Inquiry => "Inquiry",
        Kind::Run => "Run",
        Kind::Items => "Items",
        Kind::Lane => "Lane",
        Kind::Ticket => "Ticket",
        Kind::Schedule => "Schedule",
        Kind::Marker => "Marker",
    }
}

/// Why one attempt to change something failed: another may succeed, or none will.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Somebody was faster: load and decide again.
    Stale,
    /// For good.
    Final(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Final(error.into())
    }
}

impl Failure {
    pub(crate) fn of_commit(error: records::Error) -> Self {
        match error {
            records::Error::Stale(_) => Self::Stale,
            records::Error::TooLarge(what) => {
                Self::Final(Error::Invalid(format!("the definition is too large: {what}")))
            }
            records::Error::Unavailable(unavailable) => Self::Final(unavailable.into()),
            // A draft takes each record once, so this is a defect and no caller can help it.
            records::Error::Repeated(key) => Self::Final(
                Unavailable::new("the catalogue", format!("{key} stands twice in one commit"))
                    .into(),
            ),
        }
    }
}
