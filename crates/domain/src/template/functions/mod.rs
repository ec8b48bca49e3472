//! The functions of expressions: the classic ones with their classic results, and bounded twins of those
//! Jinja filters whose output could grow without limit.
//!
//! A function that is also a filter takes what is piped into it as its first argument.

pub(crate) mod list;
pub(crate) mod number;
mod pattern;
mod text;

use super::engine::{BORROWED_FILTERS, BORROWED_TESTS, Evaluation};
use super::error::Fault;
use super::operators::contains;
use super::value::{from_json, into_text, items, to_json, type_name};
use minijinja::Value;
use std::ops::RangeInclusive;

pub(crate) use pattern::{Pattern, compile as compile_pattern};

/// A function of expressions.
pub(crate) struct Definition {
    /// Its name.
    pub(crate) name: &'static str,
    /// How many arguments it takes.
    pub(crate) arity: RangeInclusive<usize>,
    /// Whether it can be used as a filter, too.
    pub(crate) filter: bool,
    /// Which argument is a regular expression.
    pattern: Option<usize>,
    /// What it does.
    pub(crate) body: fn(&Evaluation, &[Value]) -> Result<Value, Fault>,
}

/// A function that is no filter.
pub(crate) const fn function(
    name: &'static str,
    arity: RangeInclusive<usize>,
    body: fn(&Evaluation, &[Value]) -> Result<Value, Fault>,
) -> Definition {
    Definition { name, arity, filter: false, pattern: None, body }
}

const fn both(
    name: &'static str,
    arity: RangeInclusive<usize>,
    body: fn(&Evaluation, &[Value]) -> Result<Value, Fault>,
) -> Definition {
    Definition { name, arity, filter: true, pattern: None, body }
}

const fn matching(
    name: &'static str,
    arity: RangeInclusive<usize>,
    filter: bool,
    pattern: usize,
    body: fn(&Evaluation, &[Value]) -> Result<Value, Fault>,
) -> Definition {
    Definition { name, arity, filter, pattern: Some(pattern), body }
}

/// All functions. A plain `function` has a Jinja filter of the same name with its own rules.
pub(crate) static TABLE: &[Definition] = &[
    // Types
    both("string", 1..=1, string),
    both("number", 1..=1, number::number),
    function("int", 1..=1, number::int),
    function("bool", 1..=1, |_, args| Ok(Value::from(args[0].is_true()))),
    both("type_of", 1..=1, |_, args| Ok(Value::from(type_name(&args[0])))),
    both("tojson", 1..=1, to_json_text),
    both("fromjson", 1..=1, from_json_text),
    // Containers
    function("length", 1..=1, length),
    both("keys", 1..=1, keys),
    both("values", 1..=1, values),
    both("contains", 2..=2, |_, args| contains(&args[0], &args[1]).map(Value::from)),
    both("merge", 2..=2, merge),
    // Numbers
    function("abs", 1..=1, number::abs),
    both("floor", 1..=1, number::floor),
    both("ceil", 1..=1, number::ceil),
    function("round", 1..=1, number::round),
    function("min", 2..=2, number::min),
    function("max", 2..=2, number::max),
    function("sum", 1..=1, number::sum),
    // Text
    both("lower", 1..=1, text::lower),
    both("upper", 1..=1, text::upper),
    function("trim", 1..=1, text::trim),
    both("split", 2..=2, text::split),
    both("join", 1..=2, text::join),
    both("replace", 3..=3, text::replace),
    both("starts_with", 2..=2, text::starts_with),
    both("ends_with", 2..=2, text::ends_with),
    // Patterns
    matching("match", 2..=2, false, 0, pattern::matches),
    matching("regex_match", 2..=3, true, 1, pattern::regex_match),
    matching("regex_search", 2..=3, true, 1, pattern::regex_search),
    matching("regex_replace", 3..=4, true, 1, pattern::regex_replace),
    // Lists
    both("reversed", 1..=1, list::reversed),
    function("sort", 1..=1, list::sort),
    function("unique", 1..=1, list::unique),
    both("flat", 1..=1, list::flat),
    function("zip", 2..=2, list::zip),
    function("range", 1..=2, list::range),
    both("slice", 2..=3, list::slice),
    both("index_of", 2..=2, list::index_of),
    function("count", 2..=2, list::count),
    both("chunks", 2..=2, list::chunks),
    both("batch", 2..=2, list::chunks),
    // Answered by the scope; they stand here for their arity.
    function("now", 0..=0, unanswered),
    function("uuid", 0..=0, unanswered),
];

fn find(name: &str) -> Option<&'static Definition> {
    TABLE.iter().find(|definition| definition.name == name)
}

/// How many arguments a function takes; `None` if there is no such function.
pub(crate) fn arity(name: &str) -> Option<RangeInclusive<usize>> {
    find(name).map(|definition| definition.arity.clone())
}

/// Whether there is such a filter.
pub(crate) fn is_filter(name: &str) -> bool {
    find(name).is_some_and(|definition| definition.filter) || BORROWED_FILTERS.contains(&name)
}

/// Whether there is such a test.
pub(crate) fn is_test(name: &str) -> bool {
    BORROWED_TESTS.contains(&name)
}

/// Which argument of a function is a regular expression.
pub(crate) fn pattern_argument(name: &str) -> Option<usize> {
    find(name)?.pattern
}

/// An argument that a function cannot work with.
pub(crate) fn wrong(name: &str, wanted: &str, got: &Value) -> Fault {
    Fault::evaluation(format!("`{name}` takes {wanted}, not {}", type_name(got)))
}

/// A text argument.
pub(crate) fn text_of<'v>(name: &str, value: &'v Value) -> Result<&'v str, Fault> {
    value.as_str().ok_or_else(|| wrong(name, "a string", value))
}

/// A list argument.
pub(crate) fn list_of(name: &str, value: &Value) -> Result<Vec<Value>, Fault> {
    if type_name(value) != "array" {
        return Err(wrong(name, "an array", value));
    }
    Ok(items(value)?.collect())
}

/// A whole-number argument.
pub(crate) fn int_of(name: &str, value: &Value) -> Result<i64, Fault> {
    if value.is_integer() { value.as_i64() } else { None }
        .ok_or_else(|| wrong(name, "an integer", value))
}

fn unanswered(_: &Evaluation, _: &[Value]) -> Result<Value, Fault> {
    Err(Fault::evaluation("this function is not available here"))
}

/// The text of a value: strings as they are, null as `null`, composites as JSON.
pub(crate) fn text_for(evaluation: &Evaluation, value: &Value) -> Result<String, Fault> {
    let json = to_json(value, evaluation.strict, &evaluation.budget)?;
    let mut text = String::new();
    match json {
        serde_json::Value::Null => text.push_str("null"),
        other => into_text(&other, &mut text),
    }
    Ok(text)
}

fn string(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    text_for(evaluation, &args[0]).map(Value::from)
}

fn to_json_text(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let text = to_json(&args[0], evaluation.strict, &evaluation.budget)?.to_string();
    evaluation.budget.spend_output(text.len())?;
    Ok(Value::from(text))
}

fn from_json_text(evaluation: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    // What is already decoded stays as it is, so that a template works with either kind of sender.
    let Some(text) = args[0].as_str() else { return Ok(args[0].clone()) };
    let json = serde_json::from_str(text)
        .map_err(|_| Fault::evaluation("`fromjson` was given text that is not JSON"))?;
    from_json(&json, &evaluation.budget)
}

/// Of a string in bytes; the filter of the same name counts characters, as in Jinja.
fn length(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let length = match args[0].as_str() {
        Some(text) => Some(text.len()),
        None => args[0].len(),
    };
    length
        .map(Value::from)
        .ok_or_else(|| wrong("length", "a string, an array or an object", &args[0]))
}

fn keys(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    object("keys", &args[0])?;
    Ok(Value::from(items(&args[0])?.collect::<Vec<_>>()))
}

fn values(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    object("values", &args[0])?;
    Ok(Value::from(
        items(&args[0])?.map(|key| args[0].get_item(&key).unwrap_or_default()).collect::<Vec<_>>(),
    ))
}

fn merge(_: &Evaluation, args: &[Value]) -> Result<Value, Fault> {
    let mut pairs = Vec::new();
    for side in args {
        object("merge", side)?;
        pairs.extend(items(side)?.map(|key| {
            let item = side.get_item(&key).unwrap_or_default();
            (key, item)
        }));
    }
    Ok(Value::from_pairs(pairs))
}

/// Refuses what is no object.
pub(crate) fn object(name: &str, value: &Value) -> Result<(), Fault> {
    if type_name(value) == "object" { Ok(()) } else { Err(wrong(name, "an object", value)) }
}
