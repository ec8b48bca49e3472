//! Functions of text. All of them are literal; patterns are next door.

use super::{list_of, text_for, text_of};
use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use minijinja::Value;

pub(super) fn lower(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(Value::from(text_of("lower", &args[0])?.to_lowercase()))
}

pub(super) fn upper(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(Value::from(text_of("upper", &args[0])?.to_uppercase()))
}

pub(super) fn trim(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(Value::from(text_of("trim", &args[0])?.trim()))
}

pub(super) fn split(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let (text, separator) = (text_of("split", &args[0])?, text_of("split", &args[1])?);
    // One part per character at worst.
    evaluation.budget.spend(text.len())?;
    Ok(Value::from(text.split(separator).map(Value::from).collect::<Vec<_>>()))
}

pub(super) fn join(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let separator = args.get(1).map_or(Ok(""), |separator| text_of("join", separator))?;
    let mut joined = String::new();
    for (at, item) in list_of("join", &args[0])?.iter().enumerate() {
        if at > 0 {
            evaluation.budget.spend_output(separator.len())?;
            joined.push_str(separator);
        }
        joined.push_str(&text_for(evaluation, item)?);
    }
    Ok(Value::from(joined))
}

pub(super) fn replace(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let (text, old, new) = (
        text_of("replace", &args[0])?,
        text_of("replace", &args[1])?,
        text_of("replace", &args[2])?,
    );
    let growth = text.matches(old).count().saturating_mul(new.len());
    evaluation.budget.spend_output(text.len().saturating_add(growth))?;
    Ok(Value::from(text.replace(old, new)))
}

pub(super) fn starts_with(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(Value::from(
        text_of("starts_with", &args[0])?.starts_with(text_of("starts_with", &args[1])?),
    ))
}

pub(super) fn ends_with(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    Ok(Value::from(text_of("ends_with", &args[0])?.ends_with(text_of("ends_with", &args[1])?)))
}
