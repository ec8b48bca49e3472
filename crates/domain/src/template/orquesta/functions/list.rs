//! Functions of lists.

use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use crate::template::functions::{int_of, list_of, object, text_of, wrong};
use crate::template::operators::{order, same};
use crate::template::syntax::Operator;
use crate::template::value::{items, type_name};
use minijinja::Value;

/// A list as it is, the keys of an object.
pub(super) fn list(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    if type_name(&args[0]) != "array" {
        object("toList", &args[0])?;
    }
    Ok(Value::from(items(&args[0])?.collect::<Vec<_>>()))
}

/// `range(end)`, `range(start, end)` or `range(start, end, step)`, without its end.
pub(super) fn range(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let int = |at: usize| args.get(at).map(|value| int_of("range", value)).transpose();
    let (start, end) = match (int(0)?.unwrap_or(0), int(1)?) {
        (start, Some(end)) => (start, end),
        (end, None) => (0, end),
    };
    let step = int(2)?.unwrap_or(1);
    let (distance, stride) = (i128::from(end) - i128::from(start), i128::from(step));
    if stride == 0 {
        return Err(Fault::evaluation("`range` takes a step other than zero"));
    }
    let length = if (distance > 0) == (stride > 0) {
        distance.unsigned_abs().div_ceil(stride.unsigned_abs())
    } else {
        0
    };
    evaluation.budget.spend(usize::try_from(length).unwrap_or(usize::MAX))?;
    // Within bounds: every number lies between the start and the end.
    let numbers = (0..length).map(|at| i128::from(start) + stride * at as i128);
    Ok(Value::from(numbers.filter_map(|n| i64::try_from(n).ok()).collect::<Vec<_>>()))
}

pub(super) fn max(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    extreme("max", args, Operator::Greater)
}

pub(super) fn min(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    extreme("min", args, Operator::Less)
}

/// Of one list, or of all arguments.
fn extreme(name: &str, args: &[Value], operator: Operator) -> Result<Value, Fault> {
    let candidates = match args {
        [list] => list_of(name, list)?,
        several => several.to_vec(),
    };
    let mut candidates = candidates.into_iter();
    let mut best = candidates.next().ok_or_else(|| empty(name))?;
    for candidate in candidates {
        let ordering = order(&candidate, &best, operator)?;
        if if operator == Operator::Less { ordering.is_lt() } else { ordering.is_gt() } {
            best = candidate;
        }
    }
    Ok(best)
}

fn empty(name: &str) -> Fault {
    Fault::evaluation(format!("`{name}` was given an empty list"))
}

/// `list.first(default)`.
pub(super) fn first(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let first = list_of("first", &args[0])?.into_iter().next();
    first.or_else(|| args.get(1).cloned()).ok_or_else(|| empty("first"))
}

/// `list.last(default)`.
pub(super) fn last(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let last = list_of("last", &args[0])?.pop();
    last.or_else(|| args.get(1).cloned()).ok_or_else(|| empty("last"))
}

/// The only element.
pub(super) fn single(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut list = list_of("single", &args[0])?;
    match (list.pop(), list.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(Fault::evaluation("`single` takes a list of exactly one element")),
    }
}

/// Lists in lists, however deep, are taken apart.
pub(super) fn flatten(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut flat = Vec::new();
    // What is still to be looked at, the next last.
    let mut pending = list_of("flatten", &args[0])?;
    pending.reverse();
    while let Some(item) = pending.pop() {
        if type_name(&item) == "array" {
            let mut inner = list_of("flatten", &item)?;
            inner.reverse();
            pending.extend(inner);
        } else {
            flat.push(item);
        }
    }
    Ok(Value::from(flat))
}

fn count_of(name: &str, value: &Value) -> Result<usize, Fault> {
    usize::try_from(int_of(name, value)?)
        .map_err(|_| Fault::evaluation(format!("`{name}` takes a count from zero on")))
}

pub(super) fn take(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let count = count_of("take", &args[1])?;
    Ok(Value::from(list_of("take", &args[0])?.into_iter().take(count).collect::<Vec<_>>()))
}

pub(super) fn skip(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let count = count_of("skip", &args[1])?;
    Ok(Value::from(list_of("skip", &args[0])?.into_iter().skip(count).collect::<Vec<_>>()))
}

/// `list.enumerate(start)`: pairs of a number and an element.
pub(super) fn enumerate(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let start = args.get(1).map_or(Ok(0), |start| int_of("enumerate", start))?;
    let pairs = (start..).zip(list_of("enumerate", &args[0])?);
    Ok(Value::from(
        pairs.map(|(at, item)| Value::from(vec![Value::from(at), item])).collect::<Vec<_>>(),
    ))
}

/// As long as the shortest list.
pub(super) fn zip(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    zipped(evaluation, args, None)
}

/// `(pad, lists …)`: as long as the longest list.
pub(super) fn zip_longest(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    zipped(evaluation, &args[1..], Some(&args[0]))
}

fn zipped(evaluation: &Evaluation, lists: &[Value], pad: Option<&Value>) -> Result<Value, Fault> {
    let lists: Vec<_> = lists.iter().map(|list| list_of("zip", list)).collect::<Result<_, _>>()?;
    let lengths = lists.iter().map(Vec::len);
    let length = if pad.is_some() { lengths.max() } else { lengths.min() }.unwrap_or(0);
    evaluation.budget.spend(length.saturating_mul(lists.len()))?;
    let row = |at: usize| -> Value {
        let cells = lists.iter().map(|list| list.get(at).or(pad).cloned().unwrap_or_default());
        Value::from(cells.collect::<Vec<_>>())
    };
    Ok(Value::from((0..length).map(row).collect::<Vec<_>>()))
}

/// Of a list by elements, of text by characters; -1 if absent.
pub(super) fn index_of(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    index("indexOf", args, str::find, |found| found.first().copied())
}

/// The same from the end.
pub(super) fn last_index_of(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    index("lastIndexOf", args, str::rfind, |found| found.last().copied())
}

fn index<'v>(
    name: &str,
    args: &'v [Value],
    in_text: fn(&'v str, &'v str) -> Option<usize>,
    choose: fn(&[usize]) -> Option<usize>,
) -> Result<Value, Fault> {
    let found = if let Some(text) = args[0].as_str() {
        in_text(text, text_of(name, &args[1])?).map(|at| text[..at].chars().count())
    } else if type_name(&args[0]) == "array" {
        let mut found = Vec::new();
        for (at, item) in list_of(name, &args[0])?.iter().enumerate() {
            if same(item, &args[1])? {
                found.push(at);
            }
        }
        choose(&found)
    } else {
        return Err(wrong(name, "a string or an array", &args[0]));
    };
    Ok(found.map_or(Value::from(-1), Value::from))
}
