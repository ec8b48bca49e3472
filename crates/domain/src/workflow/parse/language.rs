//! Which expressions a workflow's dialect has.

use crate::template::{self, Expression, Template, orquesta};
use crate::workflow::definition::Dialect;
use serde_json::Value;

/// Reads a template.
pub(super) fn template(dialect: Dialect, value: &Value) -> Template {
    match dialect {
        Dialect::Classic => Template::parse(value),
        Dialect::Orquesta => orquesta::template(value),
    }
}

/// Reads one expression, with its delimiters or without.
pub(super) fn expression(dialect: Dialect, text: &str) -> Result<Expression, template::Error> {
    match dialect {
        Dialect::Classic => Expression::parse(text),
        Dialect::Orquesta => orquesta::expression(text),
    }
}

/// How long the expression is that a text begins with, delimiters included; `None`, it begins with none.
pub(super) fn leading_expression(text: &str) -> Option<usize> {
    let close = match text.get(..2)? {
        "<%" => "%>",
        "{{" => "}}",
        _ => return None,
    };
    text.find(close).map(|at| at + close.len())
}

/// A whole number, written as `3` or as `3.0`.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        // Exact for whole numbers up to 2^53, which is more than any count here may be.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        let whole = number as u64;
        (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then_some(whole)
    })
}
