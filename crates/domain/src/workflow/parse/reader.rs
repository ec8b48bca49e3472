//! What is kept while a workflow's file is read: its problems, and what its expressions look at.

use super::field::member;
use super::language;
use crate::keystore;
use crate::template::{Path, Template};
use crate::workflow::definition::{Condition, Dialect};
use crate::workflow::problem::{Problem, Severity};
use serde_json::Value;
use std::cell::RefCell;

/// What is doubtful about an expression that only half of can be evaluated by whoever reads the keystore.
const MIXED: &str = "an expression of the keystore can look at nothing else, since it is evaluated where the action runs: \
                     put the rest into one of its own, beside it";

/// When an expression is evaluated, which decides what it may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::workflow) enum Place {
    /// Where no task has just ended: a variable's first value, a list of items, the workflow's output.
    Anywhere,
    /// For one of a task's items.
    Item,
    /// A task's input: that of an item, or of the whole task.
    Input {
        /// Whether there is an item.
        item: bool,
    },
    /// After a task has ended.
    After,
}

/// A path that an expression looks at.
#[derive(Clone, Debug)]
pub(in crate::workflow) struct Use {
    /// Dotted path of the field that holds the expression.
    pub(in crate::workflow) at: String,
    /// When it is evaluated.
    pub(in crate::workflow) place: Place,
    /// What it looks at.
    pub(in crate::workflow) path: Path,
}

/// Collects what is found on the way through a file.
pub(in crate::workflow) struct Reader {
    pub(in crate::workflow) dialect: Dialect,
    problems: RefCell<Vec<Problem>>,
    uses: RefCell<Vec<Use>>,
}

impl Reader {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, problems: RefCell::default(), uses: RefCell::default() }
    }

    pub(in crate::workflow) fn error(&self, at: &str, message: impl Into<String>) {
        self.add(Severity::Error, at, message.into());
    }

    pub(in crate::workflow) fn warning(&self, at: &str, message: impl Into<String>) {
        self.add(Severity::Warning, at, message.into());
    }

    fn add(&self, severity: Severity, at: &str, message: String) {
        self.problems.borrow_mut().push(Problem { field: at.to_owned(), message, severity });
    }

    /// Whether nothing was found that keeps the workflow from being run.
    pub(super) fn is_clean(&self) -> bool {
        !self.problems.borrow().iter().any(Problem::is_error)
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    /// What the expressions read so far look at.
    pub(in crate::workflow) fn uses(&self) -> Vec<Use> {
        self.uses.borrow().clone()
    }

    /// Reads a template. One that cannot be read cannot be rendered either, so that is an error.
    pub(super) fn template(&self, at: &str, value: &Value, place: Place) -> Template {
        let template = language::template(self.dialect, value);
        for mut error in template.check().err().unwrap_or_default() {
            let steps = std::mem::take(&mut error.at);
            let steps = steps.split('.').filter(|step| !step.is_empty());
            self.error(&descend(at, value, steps), error.to_string());
        }
        let locate = |pointer: &str| {
            let unescaped = pointer.replace("~1", "/").replace("~0", "~");
            descend(at, value, unescaped.split('/').skip(1))
        };
        for reference in template.references() {
            let at = locate(&reference.at);
            self.uses.borrow_mut().push(Use { at, place, path: reference.path });
        }
        if matches!(place, Place::Input { .. }) {
            for pointer in template.mixing(&keystore::ROOTS) {
                self.warning(&locate(&pointer), MIXED);
            }
        }
        template
    }

    /// Reads a condition.
    pub(super) fn condition(&self, at: &str, text: &str, place: Place) -> Option<Condition> {
        match language::expression(self.dialect, text) {
            Ok(expression) => {
                let paths = expression.paths().into_iter().cloned();
                let uses = paths.map(|path| Use { at: at.to_owned(), place, path });
                self.uses.borrow_mut().extend(uses);
                Some(Condition { text: text.to_owned(), expression })
            }
            Err(error) => {
                self.error(at, error.to_string());
                None
            }
        }
    }
}

/// The dotted path of a place inside a value; as far as it can be followed.
fn descend<'s>(at: &str, value: &Value, steps: impl Iterator<Item = &'s str>) -> String {
    let mut path = at.to_owned();
    let mut value = Some(value);
    for step in steps {
        match value {
            Some(Value::Array(items)) => {
                path.push_str(&format!("[{step}]"));
                value = step.parse::<usize>().ok().and_then(|index| items.get(index));
            }
            Some(Value::Object(map)) => {
                path = member(&path, step);
                value = map.get(step);
            }
            _ => break,
        }
    }
    path
}
