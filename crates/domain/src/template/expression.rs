//! One expression: read once, evaluated often.

use super::budget::Budget;
use super::engine::{ENGINE, Evaluation, fault};
use super::error::{Error, Fault};
use super::lower::{Lowered, Slot};
use super::path::Path;
use super::scope::{Mode, Scope};
use super::syntax::Expr;
use super::{parser, text, value};
use minijinja::Value as Computed;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// A compiled expression. Cheap to clone, and good for any scope.
#[derive(Clone, Debug)]
pub struct Expression {
    source: Arc<str>,
    shape: Shape,
}

/// How an expression is evaluated.
#[derive(Clone, Debug)]
enum Shape {
    /// It is a path, looked up without the engine.
    Path(Arc<Path>),
    /// It is a literal.
    Literal(Arc<Value>),
    /// It takes the engine.
    Program(Arc<Program>),
}

#[derive(Debug)]
struct Program {
    syntax: Expr,
    slots: Vec<Slot>,
    constants: Arc<[Computed]>,
    compiled: minijinja::Expression<'static, 'static>,
}

impl Expression {
    /// Reads an expression, which may stand in `{{ }}`.
    pub fn parse(source: &str) -> Result<Self, Error> {
        let source = text::unwrapped(source);
        parser::parse(source)
            .and_then(|syntax| Self::of(source, syntax))
            .map_err(|fault| fault.of(source))
    }

    /// The expression that this source was read as.
    pub(crate) fn of(source: &str, syntax: Expr) -> Result<Self, Fault> {
        let shape = match syntax {
            Expr::Path(path) => Shape::Path(Arc::new(path)),
            Expr::Literal(literal) => Shape::Literal(Arc::new(literal)),
            syntax => Shape::Program(Arc::new(Program::compile(syntax)?)),
        };
        Ok(Self { source: source.into(), shape })
    }

    /// The expression's text, without braces.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every path the expression looks at: for warnings, for tracking secrets, and for knowing which
    /// roots a scope has to define. A root ending in `()` is a call that the scope answers.
    pub fn paths(&self) -> Vec<&Path> {
        match &self.shape {
            Shape::Path(path) => std::iter::once(path.as_ref()).chain(path.subscripts()).collect(),
            Shape::Literal(_) => Vec::new(),
            Shape::Program(program) => program.syntax.paths(),
        }
    }

    /// Whether it looks at a root that this scope leaves to a later reader.
    pub(crate) fn is_deferred(&self, scope: &Scope<'_>) -> bool {
        scope.has_deferred() && self.paths().iter().any(|path| scope.is_deferred(path.root()))
    }

    /// Its value. In a strict scope an undefined result is an error, in a lenient one it is null.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        self.value(scope, &Arc::default()).map(|value| value.map_or(Value::Null, Cow::into_owned))
    }

    /// Whether its value counts as true: null, false, zero and whatever is empty do not.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, Error> {
        self.value(scope, &Arc::default()).map(|value| value.is_some_and(|value| is_truthy(&value)))
    }

    /// The value, borrowed where it is part of the scope; `None` if it is undefined in a lenient scope.
    pub(crate) fn value<'s>(
        &'s self,
        scope: &'s Scope<'_>,
        budget: &Arc<Budget>,
    ) -> Result<Option<Cow<'s, Value>>, Error> {
        let found = match &self.shape {
            Shape::Literal(literal) => Some(Cow::Borrowed(literal.as_ref())),
            Shape::Path(path) => {
                let found = path.resolve(scope);
                if found.is_none() && scope.mode() == Mode::Strict {
                    return Err(Fault::Undefined { path: Some(path.to_string()) }.of(&self.source));
                }
                found
            }
            Shape::Program(program) => {
                program.run(scope, budget).map_err(|fault| fault.of(&self.source))?.map(Cow::Owned)
            }
        };
        Ok(found)
    }

    /// What the expression is made of, unless it is a mere path or literal.
    pub(crate) fn syntax(&self) -> Option<&Expr> {
        match &self.shape {
            Shape::Program(program) => Some(&program.syntax),
            Shape::Path(_) | Shape::Literal(_) => None,
        }
    }

    /// Whether it is a mere path.
    pub(crate) fn is_path(&self) -> bool {
        matches!(self.shape, Shape::Path(_))
    }
}

/// Whether a value counts as true: null, false, zero and whatever is empty do not.
pub fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

impl Program {
    fn compile(syntax: Expr) -> Result<Self, Fault> {
        let lowered = Lowered::of(&syntax)?;
        let compiled =
            ENGINE.compile_expression_owned(lowered.source).map_err(|error| fault(&error))?;
        Ok(Self { syntax, slots: lowered.slots, constants: lowered.constants.into(), compiled })
    }

    fn run(&self, scope: &Scope<'_>, budget: &Arc<Budget>) -> Result<Option<Value>, Fault> {
        let strict = scope.mode() == Mode::Strict;
        let mut missing = None;
        let mut slots = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let found = match slot {
                Slot::Path(path) => match path.resolve(scope) {
                    Some(found) => Some(value::from_json(&found, budget)?),
                    None => None,
                },
                Slot::Now => scope.moment().map(Computed::from),
                Slot::Uuid => scope.fresh_uuid().map(Computed::from),
            };
            if found.is_none() {
                missing.get_or_insert(slot);
            }
            slots.push(found.unwrap_or(Computed::UNDEFINED));
        }
        let evaluation = Evaluation {
            slots: slots.into(),
            constants: Arc::clone(&self.constants),
            element: None,
            strict,
            budget: Arc::clone(budget),
        };
        let result =
            self.compiled.eval(Computed::from_object(evaluation)).map_err(|error| fault(&error));
        let result = result.and_then(|result| {
            if result.is_undefined() && !strict {
                return Ok(None);
            }
            value::to_json(&result, strict, budget).map(Some)
        });
        match result {
            // The engine knows that something was undefined, the slots know what.
            Err(Fault::Undefined { path: None }) => {
                Err(Fault::Undefined { path: missing.map(ToString::to_string) })
            }
            other => other,
        }
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Now => f.write_str("now()"),
            Self::Uuid => f.write_str("uuid()"),
        }
    }
}
