//! What is wrong with a pack, and where.

use serde::Serialize;
use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// Whether a problem keeps the pack from loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pack does not load.
    Error,
    /// The pack loads; its author should look.
    Warning,
}

/// One problem. Its text names fields and expected types and never repeats a free value, since that
/// may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Line, from 1; 0 where the problem is the file as a whole.
    pub line: u64,
    /// Column in characters, from 1; 0 with line 0.
    pub column: u64,
    /// Dotted path of the field, such as `parameters.port.type`; empty where there is none.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Whether it keeps the pack from loading.
    pub severity: Severity,
}

impl Problem {
    fn write(&self, root: &Path, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", root.join(&self.file).display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        if self.severity == Severity::Warning {
            f.write_str(" warning:")?;
        }
        if !self.field.is_empty() {
            write!(f, " {}:", self.field)?;
        }
        write!(f, " {}", self.message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(Path::new(""), f)
    }
}

/// Why a pack does not load: every problem found, warnings included, in the order of loading.
///
/// Displays one line for each, with the path of the file under [`root`](Self::root).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    /// The pack's root as it was given to [`load`](crate::load).
    pub root: PathBuf,
    /// At least one of them is an error.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.write(&self.root, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// A place in a file: line and column, both from 1; both 0 for the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// Collects the problems of one file into the list of the whole pack.
#[derive(Clone, Copy)]
pub(crate) struct Report<'a> {
    pub(crate) file: &'a Path,
    pub(crate) problems: &'a RefCell<Vec<Problem>>,
}

impl Report<'_> {
    pub(crate) fn error(self, at: Position, field: &str, message: impl Into<String>) {
        self.add(Severity::Error, at, field, message.into());
    }

    pub(crate) fn warning(self, at: Position, field: &str, message: impl Into<String>) {
        self.add(Severity::Warning, at, field, message.into());
    }

    fn add(self, severity: Severity, at: Position, field: &str, message: String) {
        self.problems.borrow_mut().push(Problem {
            file: self.file.to_owned(),
            line: at.line,
            column: at.column,
            field: field.to_owned(),
            message,
            severity,
        });
    }
}
