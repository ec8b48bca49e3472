//! From an expression to what minijinja's expression engine runs.
//!
//! Classic expressions must keep their results where Jinja's differ, so operators become calls of
//! functions with the classic rules ([`super::operators`]), paths become slots that are looked up in
//! the scope beforehand, and literals become constants. What is left for the engine is the order of
//! evaluation, filters and tests.

use super::budget::Budget;
use super::engine::{CHAIN, CONSTANT, DEFINED, ELEMENT, ITEM, LIST, MAP, NEGATE, SLOT, TRUTH};
use super::error::Fault;
use super::functions::{self, Pattern};
use super::lambda::Lambda;
use super::path::Path;
use super::syntax::{Argument, Expr, Operator};
use super::value;
use serde_json::Value;
use std::fmt::Write;

/// An expression as the engine takes it.
#[derive(Default)]
pub(crate) struct Lowered {
    /// The engine's source text, of slots, constants, calls and filters.
    pub(crate) source: String,
    /// What to look up before each evaluation.
    pub(crate) slots: Vec<Slot>,
    /// What never changes.
    pub(crate) constants: Vec<minijinja::Value>,
}

/// Something that is looked up once per evaluation.
#[derive(Debug)]
pub(crate) enum Slot {
    /// A path into the scope.
    Path(Path),
    /// The moment the scope names.
    Now,
    /// A new id.
    Uuid,
}

impl Lowered {
    /// Lowers a whole expression.
    pub(crate) fn of(expr: &Expr) -> Result<Self, Fault> {
        let mut lowered = Self::default();
        lowered.expr(expr)?;
        Ok(lowered)
    }

    fn text(&mut self, text: &str) {
        self.source.push_str(text);
    }

    fn slot(&mut self, slot: Slot) {
        let same = match &slot {
            Slot::Path(path) => self
                .slots
                .iter()
                .position(|other| matches!(other, Slot::Path(other) if other == path)),
            Slot::Now | Slot::Uuid => None,
        };
        let number = same.unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        self.numbered(SLOT, number);
    }

    fn constant(&mut self, constant: minijinja::Value) {
        self.constants.push(constant);
        self.numbered(CONSTANT, self.constants.len() - 1);
    }

    fn numbered(&mut self, prefix: char, number: usize) {
        // Writing to a string cannot fail.
        let _ = write!(self.source, "{prefix}{number}");
    }

    fn call<'e>(
        &mut self,
        name: &str,
        arguments: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<(), Fault> {
        self.text(name);
        self.text("(");
        for argument in arguments {
            self.expr(argument)?;
            self.text(",");
        }
        self.text(")");
        Ok(())
    }

    fn expr(&mut self, expr: &Expr) -> Result<(), Fault> {
        match expr {
            Expr::Literal(literal) => self.constant(value::from_json(literal, &Budget::default())?),
            Expr::Path(path) => self.slot(Slot::Path(path.clone())),
            Expr::List(items) => self.call(LIST, items)?,
            Expr::Map(entries) => {
                self.call(MAP, entries.iter().flat_map(|(key, value)| [key, value]))?
            }
            Expr::Item { base, key } => self.call(ITEM, [base.as_ref(), key])?,
            Expr::Slice { base, bounds } => self.slice(base, bounds)?,
            Expr::Not(inner) => {
                self.text("(not ");
                self.truth(inner)?;
                self.text(")");
            }
            Expr::Negate(inner) => self.call(NEGATE, [inner.as_ref()])?,
            Expr::And(operands) => self.logic(TRUTH, operands, " and ")?,
            Expr::Or(operands) => self.logic(TRUTH, operands, " or ")?,
            Expr::Deciding { conjunction, operands } => {
                self.logic(DEFINED, operands, if *conjunction { " and " } else { " or " })?;
            }
            Expr::Chain { first, rest } => self.chain(first, rest)?,
            Expr::If { test, then, otherwise } => {
                self.text("(");
                self.expr(then)?;
                self.text(" if ");
                self.truth(test)?;
                if let Some(otherwise) = otherwise {
                    self.text(" else ");
                    self.expr(otherwise)?;
                }
                self.text(")");
            }
            Expr::Call { name, arguments } => self.function(name, arguments)?,
            Expr::Filter { input, name, arguments } => self.applied("|", input, name, arguments)?,
            Expr::Test { input, name, arguments } => {
                self.applied(" is ", input, name, arguments)?
            }
            Expr::Lambda(body) => {
                // The body is a program of its own, over the same slots and constants.
                let around = std::mem::take(&mut self.source);
                self.expr(body)?;
                let body = std::mem::replace(&mut self.source, around);
                self.constant(minijinja::Value::from_object(Lambda::compile(body)?));
            }
            Expr::Element => self.text(ELEMENT),
        }
        Ok(())
    }

    fn truth(&mut self, expr: &Expr) -> Result<(), Fault> {
        self.call(TRUTH, [expr])
    }

    /// `by` is what each operand passes through before it is decided on.
    fn logic(&mut self, by: &str, operands: &[Expr], operator: &str) -> Result<(), Fault> {
        self.text("(");
        for (at, operand) in operands.iter().enumerate() {
            if at > 0 {
                self.text(operator);
            }
            self.call(by, [operand])?;
        }
        self.text(")");
        Ok(())
    }

    /// `chain(operators, first, second, …)`, the operators as text of one letter each.
    fn chain(&mut self, first: &Expr, rest: &[(Operator, Expr)]) -> Result<(), Fault> {
        self.text(CHAIN);
        self.text("(");
        let letters: String = rest.iter().filter_map(|(operator, _)| letter(*operator)).collect();
        self.constant(minijinja::Value::from(letters));
        for operand in std::iter::once(first).chain(rest.iter().map(|(_, operand)| operand)) {
            self.text(",");
            self.expr(operand)?;
        }
        self.text(")");
        Ok(())
    }

    fn slice(&mut self, base: &Expr, bounds: &[Option<Box<Expr>>; 3]) -> Result<(), Fault> {
        self.expr(base)?;
        self.text("[");
        for (at, bound) in bounds.iter().enumerate() {
            if at > 0 {
                self.text(":");
            }
            if let Some(bound) = bound {
                self.expr(bound)?;
            }
        }
        self.text("]");
        Ok(())
    }

    fn function(&mut self, name: &str, arguments: &[Argument]) -> Result<(), Fault> {
        match name {
            "now" => self.slot(Slot::Now),
            "uuid" => self.slot(Slot::Uuid),
            _ => {
                self.text(name);
                self.text("(");
                self.arguments(arguments, functions::pattern_argument(name))?;
                self.text(")");
            }
        }
        Ok(())
    }

    fn applied(
        &mut self,
        by: &str,
        input: &Expr,
        name: &str,
        arguments: &[Argument],
    ) -> Result<(), Fault> {
        self.text("(");
        self.expr(input)?;
        self.text(by);
        self.text(name);
        self.text("(");
        // The input of a filter is the first argument of the function of the same name.
        let pattern = functions::pattern_argument(name).and_then(|at| at.checked_sub(1));
        self.arguments(arguments, pattern)?;
        self.text("))");
        Ok(())
    }

    fn arguments(&mut self, arguments: &[Argument], pattern: Option<usize>) -> Result<(), Fault> {
        for (at, argument) in arguments.iter().enumerate() {
            if let Some(keyword) = &argument.keyword {
                self.text(keyword);
                self.text("=");
            }
            match &argument.value {
                // A literal pattern is compiled once, and found wrong at once.
                Expr::Literal(Value::String(text)) if Some(at) == pattern => {
                    self.constant(minijinja::Value::from_object(Pattern::parse(text)?));
                }
                value => self.expr(value)?,
            }
            self.text(",");
        }
        Ok(())
    }
}

/// The letter that stands for an operator in lowered code.
fn letter(operator: Operator) -> Option<char> {
    let at = Operator::ALL.iter().position(|other| *other == operator)?;
    char::from_digit(u32::try_from(at).ok()?, 36)
}

/// The operator a letter stands for.
pub(crate) fn operator(letter: char) -> Option<Operator> {
    Operator::ALL.get(usize::try_from(letter.to_digit(36)?).ok()?).copied()
}
