//! Doing something several times: for each item, and again after a failure.

use super::field::Field;
use super::language::leading_expression;
use super::reader::Place;
use super::task::{LONGEST, warn_of_unknown};
use crate::workflow::definition::{Backoff, Dialect, Items, Quantity, Retry};
use serde_json::Value;

/// Retries of a task, at most.
const RETRIES: u32 = 100;
/// Children at the same time, and elements of a batch, at most.
const MANY: u32 = 1_000_000;

const RETRY_KEYS: [&str; 7] =
    ["count", "delay", "backoff", "max_delay", "on_error", "jitter", "when"];

/// The list that a task goes through, if there is one.
pub(super) fn items(field: &Field<'_>) -> Option<Items> {
    let (with_items, with) = (field.get("with_items"), field.get("with"));
    if let (Some(_), Some(with)) = (&with_items, &with) {
        with.error("stands beside with_items: one of them is enough");
    }
    let source = with_items.or(with);
    for key in ["concurrency", "batch_size"] {
        if let (None, Some(value)) = (&source, field.get(key)) {
            value.warning("has no effect without items");
        }
    }
    let source = source?;
    let nested = source.get("items");
    let list = nested.as_ref().unwrap_or(&source);
    if nested.is_none() && source.value.is_object() {
        source.error("items: required, but missing");
        return None;
    }
    if nested.is_some() {
        warn_of_unknown(&source, &["items", "concurrency", "batch_size"]);
    }
    let of = |key: &str| source.get(key).or_else(|| field.get(key));
    let concurrency = of("concurrency").and_then(|it| it.count(Place::Anywhere, 1, MANY));
    let by_default = match field.reader.dialect {
        Dialect::Classic => Some(Quantity::Fixed(1.0)),
        Dialect::Orquesta => None,
    };
    let batch_size = of("batch_size").and_then(|it| it.count(Place::Anywhere, 1, MANY));
    let (names, list) = match list.value {
        Value::String(text) => {
            let (names, rest) = split_names(text);
            let rest = Value::String(rest.to_owned());
            (names, list.reader.template(&list.at, &rest, Place::Anywhere))
        }
        Value::Array(_) => (Vec::new(), list.template(Place::Anywhere)),
        _ => {
            list.expected("a list, or an expression that gives one");
            return None;
        }
    };
    if !names.is_empty() && batch_size.is_some() {
        source.error("items with names cannot come in batches");
    }
    Some(Items { list, names, concurrency: concurrency.or(by_default), batch_size })
}

/// Splits `x, y in <% … %>` into the names and the expression.
fn split_names(text: &str) -> (Vec<String>, &str) {
    let none = (Vec::new(), text);
    let Some((names, rest)) = text.split_once(" in ") else { return none };
    if leading_expression(rest.trim_start()).is_none() {
        return none;
    }
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    if !names.iter().all(is_name) {
        return none;
    }
    (names.into_iter().map(str::to_owned).collect(), rest.trim())
}

/// How a failed task is tried again.
pub(super) fn retry(field: &Field<'_>) -> Option<Retry> {
    if !field.value.is_object() {
        field.expected("a mapping such as {count: 3, delay: 5}");
        return None;
    }
    warn_of_unknown(field, &RETRY_KEYS);
    let Some(count) = field.get("count") else {
        field.error("count: required, but missing");
        return None;
    };
    let backoffs = [
        ("constant", Backoff::Constant),
        ("linear", Backoff::Linear),
        ("exponential", Backoff::Exponential),
    ];
    let delay = match field.get("delay") {
        Some(delay) => delay.quantity(Place::After, 0.0, LONGEST)?,
        None => Quantity::Fixed(0.0),
    };
    let max_delay = field.get("max_delay").and_then(|longest| {
        let seconds = longest.number(0.0, LONGEST)?;
        if let Quantity::Fixed(delay) = delay
            && seconds < delay
        {
            longest.warning("less than the delay, which it cuts short");
        }
        Some(seconds)
    });
    Some(Retry {
        count: count.count(Place::After, 1, RETRIES)?,
        delay,
        backoff: field.get("backoff").and_then(|word| word.word(&backoffs)).unwrap_or_default(),
        max_delay,
        jitter: field.get("jitter").and_then(|part| part.number(0.0, 1.0)).unwrap_or(0.0),
        when: field.get("when").and_then(|when| when.condition(Place::After)),
        on_error: field.get("on_error").and_then(|text| text.text().map(str::to_owned)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_items_are_split_off() {
        let rows: [(&str, &str, &[&str], &str); 6] = [
            ("no names", "<% ctx().xs %>", &[], "<% ctx().xs %>"),
            ("one name", "x in <% ctx().xs %>", &["x"], "<% ctx().xs %>"),
            (
                "several names",
                "x, y in <% zip(ctx().xs, ctx().ys) %>",
                &["x", "y"],
                "<% zip(ctx().xs, ctx().ys) %>",
            ),
            ("Jinja", "x in {{ ctx().xs }}", &["x"], "{{ ctx().xs }}"),
            ("an operator in the expression", "<% 1 in ctx().xs %>", &[], "<% 1 in ctx().xs %>"),
            ("plain text", "two in one", &[], "two in one"),
        ];
        for (what, text, names, rest) in rows {
            let (found, left) = split_names(text);
            assert_eq!(
                (found, left),
                (names.iter().map(|n| (*n).to_owned()).collect(), rest),
                "{what}"
            );
        }
    }
}
