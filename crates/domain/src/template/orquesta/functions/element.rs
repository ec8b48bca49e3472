//! Functions that evaluate their arguments themselves: for each element, or when they are needed.

use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use crate::template::functions::{list::distinct as first_of_each, list_of, wrong};
use crate::template::lambda::Lambda;
use crate::template::operators::{order, same};
use crate::template::syntax::Operator;
use crate::template::value::type_name;
use minijinja::Value;
use std::cmp::Ordering;

fn lambda(value: &Value) -> Result<&Lambda, Fault> {
    value
        .downcast_object_ref::<Lambda>()
        .ok_or_else(|| Fault::evaluation("an argument cannot be evaluated for an element"))
}

/// What one argument comes to for each element, besides that element.
fn applied(
    evaluation: &Evaluation,
    name: &str,
    list: &Value,
    argument: &Value,
) -> Result<Vec<(Value, Value)>, Fault> {
    let lambda = lambda(argument)?;
    let apply = |item: Value| Ok((lambda.apply(evaluation, Some(&item))?, item));
    list_of(name, list)?.into_iter().map(apply).collect()
}

/// The same, or the elements themselves where the argument is left out.
fn keyed(
    evaluation: &Evaluation,
    name: &str,
    args: &[Value],
) -> Result<Vec<(Value, Value)>, Fault> {
    match args {
        [list, argument] => applied(evaluation, name, list, argument),
        _ => Ok(list_of(name, &args[0])?.into_iter().map(|item| (item.clone(), item)).collect()),
    }
}

/// `coalesce(a, b, …)`: the first that is not null.
pub(super) fn coalesce(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    for argument in args {
        let value = lambda(argument)?.apply(evaluation, None)?;
        if !value.is_none() && !value.is_undefined() {
            return Ok(value);
        }
    }
    Ok(Value::from(()))
}

/// `switch(condition => value, …)`: null if no condition holds.
pub(super) fn switch(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    for case in args.chunks_exact(2) {
        if lambda(&case[0])?.apply(evaluation, None)?.is_true() {
            return lambda(&case[1])?.apply(evaluation, None);
        }
    }
    Ok(Value::from(()))
}

pub(super) fn select(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let applied = applied(evaluation, "select", &args[0], &args[1])?;
    Ok(Value::from(applied.into_iter().map(|(value, _)| value).collect::<Vec<_>>()))
}

pub(super) fn filter(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let applied = applied(evaluation, "where", &args[0], &args[1])?;
    let kept = applied.into_iter().filter(|(holds, _)| holds.is_true()).map(|(_, item)| item);
    Ok(Value::from(kept.collect::<Vec<_>>()))
}

/// Without an argument: whether there is any element.
pub(super) fn any(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let Some(argument) = args.get(1) else {
        return Ok(Value::from(!list_of("any", &args[0])?.is_empty()));
    };
    let first = position(evaluation, "any", &args[0], argument, true)?;
    Ok(Value::from(first.is_some()))
}

/// Without an argument: whether every element is true.
pub(super) fn all(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let Some(argument) = args.get(1) else {
        return Ok(Value::from(list_of("all", &args[0])?.iter().all(Value::is_true)));
    };
    let first = position(evaluation, "all", &args[0], argument, false)?;
    Ok(Value::from(first.is_none()))
}

/// The first element for which the argument holds, or does not.
fn position(
    evaluation: &Evaluation,
    name: &str,
    list: &Value,
    argument: &Value,
    holds: bool,
) -> Result<Option<usize>, Fault> {
    let lambda = lambda(argument)?;
    for (at, item) in list_of(name, list)?.iter().enumerate() {
        if lambda.apply(evaluation, Some(item))?.is_true() == holds {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// -1 if it holds for none.
pub(super) fn index_where(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let found = position(evaluation, "indexWhere", &args[0], &args[1], true)?;
    Ok(found.map_or(Value::from(-1), Value::from))
}

pub(super) fn take_while(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let end = position(evaluation, "takeWhile", &args[0], &args[1], false)?;
    let list = list_of("takeWhile", &args[0])?;
    Ok(Value::from(list.into_iter().take(end.unwrap_or(usize::MAX)).collect::<Vec<_>>()))
}

pub(super) fn skip_while(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let start = position(evaluation, "skipWhile", &args[0], &args[1], false)?;
    let list = list_of("skipWhile", &args[0])?;
    Ok(Value::from(list.into_iter().skip(start.unwrap_or(usize::MAX)).collect::<Vec<_>>()))
}

/// The first element of each value of the argument.
pub(super) fn distinct(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    first_of_each(evaluation, keyed(evaluation, "distinct", args)?).map(Value::from)
}

/// The elements of the lists that the argument comes to; what is no list stands for itself.
pub(super) fn select_many(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut all = Vec::new();
    for (value, _) in applied(evaluation, "selectMany", &args[0], &args[1])? {
        if type_name(&value) == "array" {
            let items = list_of("selectMany", &value)?;
            evaluation.budget.spend(items.len())?;
            all.extend(items);
        } else {
            all.push(value);
        }
    }
    Ok(Value::from(all))
}

pub(super) fn order_by(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    ordered(evaluation, "orderBy", args, Operator::Less, |ordering| ordering)
}

pub(super) fn order_by_descending(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    ordered(evaluation, "orderByDescending", args, Operator::Greater, Ordering::reverse)
}

/// Elements of equal keys keep their order.
fn ordered(
    evaluation: &Evaluation,
    name: &str,
    args: &[Value],
    operator: Operator,
    direction: fn(Ordering) -> Ordering,
) -> Result<Value, Fault> {
    let mut applied = applied(evaluation, name, &args[0], &args[1])?;
    // Each element takes part in about that many comparisons.
    let rounds = applied.len().checked_ilog2().unwrap_or(0) as usize;
    evaluation.budget.spend(applied.len().saturating_mul(rounds))?;
    // All keys have an order if neighbours have: numbers among numbers, texts among texts.
    for pair in applied.windows(2) {
        order(&pair[0].0, &pair[1].0, operator)?;
    }
    applied.sort_by(|(left, _), (right, _)| {
        direction(order(left, right, operator).unwrap_or(Ordering::Equal))
    });
    Ok(Value::from(applied.into_iter().map(|(_, item)| item).collect::<Vec<_>>()))
}

/// `groupBy(key, value)`: pairs of a key and the list of what has it, in the order of their first.
pub(super) fn group_by(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, item) in applied(evaluation, "groupBy", &args[0], &args[1])? {
        let value = match args.get(2) {
            Some(argument) => lambda(argument)?.apply(evaluation, Some(&item))?,
            None => item,
        };
        evaluation.budget.spend(groups.len())?;
        let mut found = None;
        for (at, (other, _)) in groups.iter().enumerate() {
            if same(other, &key)? {
                found = Some(at);
                break;
            }
        }
        match found {
            Some(at) => groups[at].1.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    let pair = |(key, values): (Value, Vec<Value>)| Value::from(vec![key, Value::from(values)]);
    Ok(Value::from(groups.into_iter().map(pair).collect::<Vec<_>>()))
}

/// `toDict(key, value)`; the value is the element itself if left out.
pub(super) fn to_dict(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut pairs = Vec::new();
    for (key, item) in applied(evaluation, "toDict", &args[0], &args[1])? {
        if key.as_str().is_none() {
            return Err(wrong("toDict", "keys that are strings", &key));
        }
        let value = match args.get(2) {
            Some(argument) => lambda(argument)?.apply(evaluation, Some(&item))?,
            None => item,
        };
        pairs.push((key, value));
    }
    Ok(Value::from_pairs(pairs))
}
