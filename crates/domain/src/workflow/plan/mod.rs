//! What a run does next.
//!
//! A run begins with [`begin`]. [`step`] takes one of its threads as far as it goes without anybody's help, and
//! answers what it needs then ([`Next`]): children, which are made one by one by [`children::next`]; time; or nothing
//! until its children end, which [`children::settle`] takes note of. [`control`] pauses, resumes and cancels, and
//! makes a run that repeats a part of another. When no thread is left, [`ending`] says how the run ended.
//!
//! The same step may be asked for twice, and children may end in any order: what is decided depends on nothing but
//! the run.

mod arrival;
pub mod children;
pub mod control;
mod ending;
mod retry;
mod step;
#[cfg(test)]
mod tests;
mod transitions;

pub use arrival::begin;
pub use ending::{Ending, ending, give_up};
pub use step::step;

use super::definition::{Definition, Quantity};
use super::names::{Context, Local};
use super::run::Run;
use crate::Timestamp;
use crate::template;
use serde_json::Value;

/// What a thread needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// This list is to be kept, as the items of the thread's task; then children are to be made.
    Items(Vec<Value>),
    /// Children are to be made.
    Children,
    /// Nothing, until a child ends.
    Nothing,
    /// Time, until then.
    Time(Timestamp),
    /// To be asked again: it has done a lot already.
    Again,
    /// It is over, and not there any more.
    Over,
}

/// Why something could not be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An expression has no value.
    #[error("task '{task}', {key}: {source}")]
    Expression {
        /// At which task.
        task: String,
        /// Which of its keys.
        key: String,
        /// Why.
        source: Box<template::Error>,
    },
    /// A value is not what it has to be.
    #[error("task '{task}', {key}: {message}")]
    Value {
        /// At which task.
        task: String,
        /// Which of its keys.
        key: String,
        /// What was expected.
        message: String,
    },
}

/// The number that a task's key gives.
fn number(
    definition: &Definition,
    run: &Run,
    context: &Context<'_>,
    (task, key): (&str, &str),
    quantity: &Quantity,
) -> Result<f64, Fault> {
    let template = match quantity {
        Quantity::Fixed(number) => return Ok(*number),
        Quantity::Rendered(template) => template,
    };
    let scope = context.scope(definition, run, Local::Nowhere);
    let value = template.render(&scope).map_err(|source| fault(task, key, source))?;
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| number.is_finite() && *number >= 0.0).ok_or_else(|| Fault::Value {
        task: task.to_owned(),
        key: key.to_owned(),
        message: "expected a number that is not negative".to_owned(),
    })
}

fn fault(task: &str, key: &str, source: template::Error) -> Fault {
    Fault::Expression { task: task.to_owned(), key: key.to_owned(), source: Box::new(source) }
}
