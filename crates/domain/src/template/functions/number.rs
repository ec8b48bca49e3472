//! Functions of numbers.

use super::{list_of, wrong};
use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use crate::template::number::Number;
use crate::template::operators::order;
use crate::template::syntax::Operator;
use crate::template::value::int_value;
use minijinja::Value;
use minijinja::value::ValueKind;

/// Floats beyond this have no integer to become.
const INTEGER_LIMIT: f64 = 1e38;

/// A number argument.
pub(crate) fn number_of(name: &str, value: &Value) -> Result<Number, Fault> {
    Number::of_value(value).ok_or_else(|| wrong(name, "a number", value))
}

/// Text that is no number.
pub(crate) fn unreadable(name: &str) -> Fault {
    Fault::evaluation(format!("`{name}` was given text that is not a number"))
}

/// Numbers stay, texts are read, booleans are 1.0 and 0.0.
pub(super) fn number(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    if let Some(text) = value.as_str() {
        let read: Option<f64> = text.trim().parse().ok().filter(|float: &f64| float.is_finite());
        return read.map(Value::from).ok_or_else(|| unreadable("number"));
    }
    match value.kind() {
        ValueKind::Bool => Ok(Value::from(if value.is_true() { 1.0 } else { 0.0 })),
        _ => number_of("number", value).map(|_| value.clone()),
    }
}

/// Floats are cut, texts are read, booleans are 1 and 0.
pub(crate) fn int(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    if let Some(text) = value.as_str().map(str::trim) {
        if let Ok(int) = text.parse::<i64>() {
            return Ok(Value::from(int));
        }
        let float: f64 = text.parse().map_err(|_| unreadable("int"))?;
        return whole("int", Number::Float(float), f64::trunc);
    }
    match value.kind() {
        ValueKind::Bool => Ok(Value::from(i64::from(value.is_true()))),
        _ => whole("int", number_of("int", value)?, f64::trunc),
    }
}

fn whole(name: &str, number: Number, round: fn(f64) -> f64) -> Result<Value, Fault> {
    match number {
        Number::Int(int) => Ok(int_value(int)),
        Number::Float(float) if float.abs() < INTEGER_LIMIT => Ok(int_value(round(float) as i128)),
        Number::Float(_) => {
            Err(Fault::evaluation(format!("`{name}` was given a number that is too large")))
        }
    }
}

pub(super) fn abs(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(match number_of("abs", &args[0])? {
        Number::Int(int) => int_value(int.abs()),
        Number::Float(float) => Value::from(float.abs()),
    })
}

pub(super) fn floor(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    whole("floor", number_of("floor", &args[0])?, f64::floor)
}

pub(super) fn ceil(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    whole("ceil", number_of("ceil", &args[0])?, f64::ceil)
}

/// Half away from zero.
pub(super) fn round(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    whole("round", number_of("round", &args[0])?, f64::round)
}

pub(super) fn min(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(args[usize::from(compare("min", args)?.is_gt())].clone())
}

pub(super) fn max(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(args[usize::from(compare("max", args)?.is_lt())].clone())
}

fn compare(name: &str, args: &[Value]) -> Result<std::cmp::Ordering, Fault> {
    let [left, right] = args else {
        return Err(Fault::evaluation(format!("`{name}` takes two values")));
    };
    let scalar = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::String);
    match [left, right].into_iter().find(|value| !scalar(value)) {
        Some(other) => Err(wrong(name, "two numbers or two strings", other)),
        None => order(left, right, Operator::Less),
    }
}

pub(super) fn sum(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut total = Number::Int(0);
    for item in list_of("sum", &args[0])? {
        total = match (total, number_of("sum", &item)?) {
            (Number::Int(total), Number::Int(item)) => Number::Int(
                total.checked_add(item).ok_or_else(|| Fault::evaluation("the sum is too large"))?,
            ),
            (total, item) => Number::Float(total.as_f64() + item.as_f64()),
        };
    }
    Ok(match total {
        Number::Int(int) => int_value(int),
        Number::Float(float) => Value::from(float),
    })
}
