//! What an action runs on.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The runtimes that Attune runs actions on.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// In process, without a fork, for the built-ins; else an executable file.
    Native,
    /// The host's shell: a script file or inline code.
    #[default]
    Shell,
    /// The host's Python 3.
    Python,
    /// The host's Node.js.
    Node,
}

impl Runtime {
    /// Every runtime.
    pub const ALL: [Self; 4] = [Self::Native, Self::Shell, Self::Python, Self::Node];

    /// The short name, as in queue names and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Shell => "shell",
            Self::Python => "python",
            Self::Node => "node",
        }
    }

    /// The ref under which the core pack ships it.
    #[must_use]
    pub const fn as_ref_str(self) -> &'static str {
        match self {
            Self::Native => "core.native",
            Self::Shell => "core.shell",
            Self::Python => "core.python",
            Self::Node => "core.nodejs",
        }
    }

    /// Reads a runner name, alias or runtime ref in any case; `None` where it is none of ours.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        Some(match lower.strip_prefix("core.").unwrap_or(&lower) {
            "native" | "builtin" | "standalone" => Self::Native,
            "shell" | "bash" | "sh" => Self::Shell,
            "python" | "python3" => Self::Python,
            "node" | "nodejs" | "node.js" => Self::Node,
            _ => return None,
        })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
