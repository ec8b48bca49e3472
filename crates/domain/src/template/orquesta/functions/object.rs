//! Functions of objects.

use crate::template::engine::Evaluation;
use crate::template::error::Fault;
use crate::template::functions::{list_of, object, wrong};
use crate::template::operators::{item, same};
use crate::template::value::{self, type_name};
use minijinja::Value;

/// A member of an object, null if there is no object.
pub(super) fn member(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    if args[0].is_none() { Ok(Value::from(())) } else { item(evaluation, args) }
}

/// `object.get(key, default)`: the default is null if left out.
pub(super) fn get(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    object("get", &args[0])?;
    let found = item(evaluation, &args[..2])?;
    if !found.is_undefined() {
        return Ok(found);
    }
    Ok(args.get(2).cloned().unwrap_or_else(|| Value::from(())))
}

/// Pairs of a key and a value.
pub(super) fn items(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let pairs = pairs("items", &args[0])?.into_iter();
    Ok(Value::from(pairs.map(|(key, item)| Value::from(vec![key, item])).collect::<Vec<_>>()))
}

fn pairs(name: &str, object_: &Value) -> Result<Vec<(Value, Value)>, Fault> {
    object(name, object_)?;
    let pair = |key: Value| {
        let item = object_.get_item(&key).unwrap_or_default();
        (key, item)
    };
    Ok(value::items(object_)?.map(pair).collect())
}

/// `dict(pairs)`; of an object, that object.
pub(super) fn dict(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    if type_name(&args[0]) == "object" {
        return Ok(args[0].clone());
    }
    let mut pairs = Vec::new();
    for pair in list_of("dict", &args[0])? {
        match list_of("dict", &pair)?.as_slice() {
            [key, item] if key.as_str().is_some() => pairs.push((key.clone(), item.clone())),
            _ => return Err(wrong("dict", "pairs of a string and a value", &pair)),
        }
    }
    Ok(Value::from_pairs(pairs))
}

/// `object.delete(key, …)`: what is not there is passed over.
pub(super) fn delete(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let gone = &args[1..];
    let mut kept = Vec::new();
    for (key, item) in pairs("delete", &args[0])? {
        evaluation.budget.spend(gone.len())?;
        if !gone.iter().any(|other| other.as_str() == key.as_str()) {
            kept.push((key, item));
        }
    }
    Ok(Value::from_pairs(kept))
}

pub(super) fn contains_value(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    for (_, item) in pairs("containsValue", &args[0])? {
        if same(&item, &args[1])? {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

/// `object.mergeWith(other)`: objects are merged member by member, lists get what they have not, and
/// else the other wins.
pub(super) fn merge(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    object("mergeWith", &args[0])?;
    object("mergeWith", &args[1])?;
    merged(evaluation, &args[0], &args[1])
}

/// As deep as its arguments, which are no deeper than a value may be.
fn merged(evaluation: &Evaluation, left: &Value, right: &Value) -> Result<Value, Fault> {
    match (type_name(left), type_name(right)) {
        ("object", "object") => {
            let mut all = Vec::new();
            for (key, item) in pairs("mergeWith", left)? {
                let other = right.get_item(&key).unwrap_or_default();
                let item =
                    if other.is_undefined() { item } else { merged(evaluation, &item, &other)? };
                all.push((key, item));
            }
            for (key, item) in pairs("mergeWith", right)? {
                if left.get_item(&key).unwrap_or_default().is_undefined() {
                    all.push((key, item));
                }
            }
            Ok(Value::from_pairs(all))
        }
        ("array", "array") => {
            let all = list_of("mergeWith", left)?.into_iter().chain(list_of("mergeWith", right)?);
            let keyed = all.map(|item| (item.clone(), item)).collect();
            crate::template::functions::list::distinct(evaluation, keyed).map(Value::from)
        }
        _ => Ok(right.clone()),
    }
}
