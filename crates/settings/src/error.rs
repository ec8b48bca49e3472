//! Why settings cannot be had.

use std::fmt;
use std::path::PathBuf;

/// Where a setting was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a settings file.
    File(PathBuf),
    /// In a variable of the environment, by its name.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// Settings that cannot be used. Never holds a value that was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings file cannot be read.
    #[error("cannot read settings file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The settings file is not TOML.
    #[error("settings file {} is not valid TOML, line {line}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the parser expects there.
        reason: String,
    },
    /// There is no such setting.
    #[error("{origin}: there is no setting '{setting}'; expected {expected}")]
    Unknown {
        /// The name found, such as `server.prot`.
        setting: String,
        /// Where it was found.
        origin: Origin,
        /// The names that are known there.
        expected: String,
    },
    /// A setting has the wrong kind of value.
    #[error("{origin}: setting '{setting}' must be {expected}")]
    Wrong {
        /// The setting.
        setting: String,
        /// Where the value was found.
        origin: Origin,
        /// What it must be.
        expected: String,
    },
    /// Values that are each right do not make up settings together.
    #[error("cannot combine the settings: {0}")]
    Combine(String),
}

impl Error {
    /// Only the text is kept: the error of the crate is as large as all others together.
    pub(crate) fn combine(error: config::ConfigError) -> Self {
        Self::Combine(error.to_string())
    }
}
