//! What an action or sensor names as its runner.

use attune_domain::runtime::Runtime;
use serde::{Serialize, Serializer};
use std::fmt;

/// A runner: one that Attune has, or the name of another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Runner {
    /// One of ours, by whichever alias it was named.
    Known(Runtime),
    /// Ref or name of a runtime, as written.
    Other(String),
}

impl Runner {
    /// Reads a name, alias or ref in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Runtime::from_name(name).map_or_else(|| Self::Other(name.to_owned()), Self::Known)
    }

    /// Ours, or `None`.
    #[must_use]
    pub const fn runtime(&self) -> Option<Runtime> {
        match self {
            Self::Known(runtime) => Some(*runtime),
            Self::Other(_) => None,
        }
    }

    /// The runtime's ref, such as `core.shell`, or what was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(runtime) => runtime.as_ref_str(),
            Self::Other(name) => name,
        }
    }
}

impl fmt::Display for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Runner {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}
