//! Functions of lists, some of which also take text.

use super::{int_of, list_of, text_of, wrong};
use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use crate::template::number::Number;
use crate::template::operators::{order, same};
use crate::template::syntax::Operator;
use crate::template::value::type_name;
use minijinja::Value;
use std::cmp::Ordering;

pub(super) fn reversed(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    if let Some(text) = args[0].as_str() {
        return Ok(Value::from(text.chars().rev().collect::<String>()));
    }
    let mut list = list_of("reversed", &args[0])?;
    list.reverse();
    Ok(Value::from(list))
}

/// All numbers or all strings.
pub(super) fn sort(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut list = list_of("sort", &args[0])?;
    let kind = list.first().map_or("number", type_name);
    if !matches!(kind, "number" | "string") || list.iter().any(|item| type_name(item) != kind) {
        return Err(Fault::evaluation("`sort` takes an array of numbers or an array of strings"));
    }
    // Both kinds are ordered, so the comparison cannot fail any more.
    list.sort_by(|left, right| order(left, right, Operator::Less).unwrap_or(Ordering::Equal));
    Ok(Value::from(list))
}

/// The first of each, in order.
pub(super) fn unique(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let keyed = list_of("unique", &args[0])?.into_iter().map(|item| (item.clone(), item));
    distinct(evaluation, keyed.collect()).map(Value::from)
}

/// The first item of each key, in order.
pub(crate) fn distinct(
    evaluation: &Evaluation,
    keyed: Vec<(Value, Value)>,
) -> Result<Vec<Value>, Fault> {
    let mut seen = std::collections::HashSet::new();
    let mut compared: Vec<Value> = Vec::new();
    let mut kept = Vec::new();
    for (key, item) in keyed {
        // Scalars are found by a key of their own; composites have to be compared one by one.
        let new = match key_of(&key) {
            Some(key) => seen.insert(key),
            None => {
                evaluation.budget.spend(compared.len())?;
                let mut found = false;
                for other in &compared {
                    if same(other, &key)? {
                        found = true;
                        break;
                    }
                }
                if !found {
                    compared.push(key);
                }
                !found
            }
        };
        if new {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn key_of(value: &Value) -> Option<String> {
    match type_name(value) {
        "number" => {
            let number = Number::of_value(value)?;
            Some(
                number
                    .exact()
                    .map_or_else(|| format!("f{}", number.as_f64()), |int| format!("n{int}")),
            )
        }
        "string" => value.as_str().map(|text| format!("s{text}")),
        "bool" => Some(format!("b{}", value.is_true())),
        "null" => Some(String::new()),
        _ => None,
    }
}

/// One level only.
pub(super) fn flat(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut flat = Vec::new();
    for item in list_of("flat", &args[0])? {
        if type_name(&item) == "array" {
            flat.extend(list_of("flat", &item)?);
        } else {
            flat.push(item);
        }
    }
    Ok(Value::from(flat))
}

/// Pairs, as many as the shorter has.
pub(super) fn zip(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let (left, right) = (list_of("zip", &args[0])?, list_of("zip", &args[1])?);
    Ok(Value::from(
        left.into_iter()
            .zip(right)
            .map(|(left, right)| Value::from(vec![left, right]))
            .collect::<Vec<_>>(),
    ))
}

/// Without its end.
pub(super) fn range(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let (start, end) = match args {
        [end] => (0, int_of("range", end)?),
        [start, end] => (int_of("range", start)?, int_of("range", end)?),
        _ => return Err(Fault::evaluation("`range` takes one or two integers")),
    };
    let length = i128::from(end) - i128::from(start);
    evaluation.budget.spend(usize::try_from(length.max(0)).unwrap_or(usize::MAX))?;
    Ok(Value::from((start..end).map(Value::from).collect::<Vec<_>>()))
}

/// Of a list by elements, of text by characters.
pub(super) fn slice(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let bound = |at: usize| -> Result<Option<usize>, Fault> {
        let Some(value) = args.get(at) else { return Ok(None) };
        let index = usize::try_from(int_of("slice", value)?);
        index.map(Some).map_err(|_| Fault::evaluation("`slice` takes no negative index"))
    };
    let start = bound(1)?.unwrap_or(0);
    let length = bound(2)?.map_or(usize::MAX, |end| end.saturating_sub(start));
    if let Some(text) = args[0].as_str() {
        return Ok(Value::from(text.chars().skip(start).take(length).collect::<String>()));
    }
    Ok(Value::from(
        list_of("slice", &args[0])?.into_iter().skip(start).take(length).collect::<Vec<_>>(),
    ))
}

/// Of a list by elements, of text by bytes; -1 if absent.
pub(super) fn index_of(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let found = if let Some(text) = args[0].as_str() {
        text.find(text_of("index_of", &args[1])?)
    } else {
        let mut found = None;
        for (at, item) in list_of("index_of", &args[0])?.iter().enumerate() {
            if same(item, &args[1])? {
                found = Some(at);
                break;
            }
        }
        found
    };
    Ok(found.map_or(Value::from(-1), Value::from))
}

/// How often a list has the element, or text the part.
pub(super) fn count(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    if let Some(text) = args[0].as_str() {
        return Ok(Value::from(text.matches(text_of("count", &args[1])?).count()));
    }
    let mut count = 0;
    for item in list_of("count", &args[0])? {
        count += usize::from(same(&item, &args[1])?);
    }
    Ok(Value::from(count))
}

pub(super) fn chunks(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let list = list_of("chunks", &args[0])?;
    let size = usize::try_from(int_of("chunks", &args[1])?).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| wrong("chunks", "a size above zero", &args[1]))?;
    Ok(Value::from(list.chunks(size).map(|chunk| Value::from(chunk.to_vec())).collect::<Vec<_>>()))
}
