//! What YAQL's functions and methods are here.

use super::names;
use super::yaql::{list, positional};
use crate::template::syntax::{Argument, Expr, Operator};
use serde_json::Value;
use std::ops::RangeInclusive;

/// An argument as it was written: `value`, or `key => value`.
pub(super) struct Given {
    /// What stands left of the arrow.
    pub(super) key: Option<Expr>,
    /// The value.
    pub(super) value: Expr,
}

/// A function, a method, or both.
pub(super) struct Row {
    name: &'static str,
    form: Form,
    /// How many arguments, what a method is called on included.
    arity: RangeInclusive<usize>,
    make: Make,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Function,
    Method,
    Both,
}

enum Make {
    /// A call of this function of the engine.
    Engine(&'static str),
    /// The same, with arguments that are evaluated for each element.
    Elements(&'static str),
    /// The same, with arguments that are evaluated when they are needed.
    Lazy(&'static str),
    /// Something else, built from its arguments.
    Built(fn(Vec<Expr>) -> Expr),
    /// The same, from arguments of which some may have keys.
    Pairs(fn(Vec<Given>) -> Result<Expr, String>),
}

use Form::{Both, Function, Method};
use Make::{Built, Elements, Engine, Lazy, Pairs};

/// As many arguments as anyone likes: a bound on them is set elsewhere.
const MANY: usize = usize::MAX;

const fn row(name: &'static str, form: Form, arity: RangeInclusive<usize>, make: Make) -> Row {
    Row { name, form, arity, make }
}

static ROWS: &[Row] = &[
    // Types
    row("int", Function, 1..=1, Engine("yaql_int")),
    row("float", Function, 1..=1, Engine("yaql_float")),
    row("bool", Function, 1..=1, Engine("bool")),
    row("str", Function, 1..=1, Engine("string")),
    row("isString", Function, 1..=1, Built(|given| is_type(given, "string"))),
    row("isNumber", Function, 1..=1, Built(|given| is_type(given, "number"))),
    row("isBoolean", Function, 1..=1, Built(|given| is_type(given, "bool"))),
    row("isList", Function, 1..=1, Built(|given| is_type(given, "array"))),
    row("isDict", Function, 1..=1, Built(|given| is_type(given, "object"))),
    row("isInteger", Function, 1..=1, Engine("yaql_is_integer")),
    row("isEmpty", Both, 1..=1, Engine("yaql_is_empty")),
    row("list", Function, 0..=MANY, Built(list_of)),
    row("dict", Function, 0..=MANY, Pairs(dict)),
    row("toList", Method, 1..=1, Engine("yaql_list")),
    row("toDict", Method, 2..=3, Elements("yaql_to_dict")),
    // Choice
    row("coalesce", Function, 1..=MANY, Lazy("yaql_coalesce")),
    row("switch", Function, 1..=MANY, Pairs(switch)),
    // Text
    row("len", Both, 1..=1, Engine("yaql_len")),
    row("toUpper", Both, 1..=1, Engine("upper")),
    row("toLower", Both, 1..=1, Engine("lower")),
    row("trim", Both, 1..=2, Engine("yaql_trim")),
    row("trimLeft", Both, 1..=2, Engine("yaql_trim_left")),
    row("trimRight", Both, 1..=2, Engine("yaql_trim_right")),
    row("split", Both, 1..=3, Engine("yaql_split")),
    row("join", Both, 2..=2, Engine("yaql_join")),
    row("replace", Both, 3..=3, Engine("replace")),
    row("substring", Both, 2..=3, Engine("yaql_substring")),
    row("startsWith", Both, 2..=2, Engine("starts_with")),
    row("endsWith", Both, 2..=2, Engine("ends_with")),
    row("indexOf", Both, 2..=2, Engine("yaql_index_of")),
    row("lastIndexOf", Both, 2..=2, Engine("yaql_last_index_of")),
    row("toCharArray", Method, 1..=1, Engine("yaql_characters")),
    row("concat", Both, 1..=MANY, Built(united)),
    row("format", Both, 1..=MANY, Engine("yaql_format")),
    row("matches", Method, 2..=2, Engine("regex_search")),
    row("regex_match", Function, 2..=3, Engine("regex_match")),
    row("regex_search", Function, 2..=3, Engine("regex_search")),
    row("regex_replace", Function, 3..=4, Engine("regex_replace")),
    row("regex_substring", Function, 2..=4, Engine("yaql_regex_substring")),
    row("basename", Function, 1..=1, Engine("yaql_basename")),
    row("dirname", Function, 1..=1, Engine("yaql_dirname")),
    // JSON
    row("json", Function, 1..=1, Engine("fromjson")),
    row("from_json_string", Function, 1..=1, Engine("fromjson")),
    row("to_json_string", Function, 1..=1, Engine("tojson")),
    row("to_complex", Function, 1..=1, Engine("tojson")),
    row("json_escape", Function, 1..=1, Engine("yaql_json_escape")),
    row("use_none", Function, 1..=1, Built(|mut given| given.remove(0))),
    row("decrypt_kv", Function, 1..=1, Built(|mut given| given.remove(0))),
    // Numbers
    row("abs", Function, 1..=1, Engine("abs")),
    row("round", Function, 1..=1, Engine("round")),
    row("pow", Function, 2..=2, Built(|given| chain(given, Operator::Power))),
    row("max", Both, 1..=MANY, Engine("yaql_max")),
    row("min", Both, 1..=MANY, Engine("yaql_min")),
    row("sum", Method, 1..=1, Engine("sum")),
    row("range", Both, 1..=3, Engine("yaql_range")),
    row("now", Function, 0..=0, Engine("now")),
    // Objects
    row("keys", Both, 1..=1, Engine("keys")),
    row("values", Both, 1..=1, Engine("values")),
    row("items", Both, 1..=1, Engine("yaql_items")),
    row("get", Method, 2..=3, Engine("yaql_get")),
    row("set", Method, 2..=MANY, Pairs(set)),
    row("delete", Method, 2..=MANY, Engine("yaql_delete")),
    row("containsKey", Method, 2..=2, Engine("contains")),
    row("containsValue", Method, 2..=2, Engine("yaql_contains_value")),
    row("mergeWith", Method, 2..=2, Engine("yaql_merge")),
    // Lists
    row("first", Method, 1..=2, Engine("yaql_first")),
    row("last", Method, 1..=2, Engine("yaql_last")),
    row("single", Method, 1..=1, Engine("yaql_single")),
    row("count", Method, 1..=1, Engine("yaql_len")),
    row("contains", Method, 2..=2, Engine("contains")),
    row("append", Method, 2..=MANY, Built(append)),
    row("reverse", Method, 1..=1, Engine("reversed")),
    row("flatten", Method, 1..=1, Engine("yaql_flatten")),
    row("take", Method, 2..=2, Engine("yaql_take")),
    row("limit", Method, 2..=2, Engine("yaql_take")),
    row("skip", Method, 2..=2, Engine("yaql_skip")),
    row("slice", Method, 2..=2, Engine("chunks")),
    row("enumerate", Method, 1..=2, Engine("yaql_enumerate")),
    row("zip", Function, 1..=MANY, Pairs(zip_padded)),
    row("zip", Method, 2..=MANY, Engine("yaql_zip")),
    row("zipLongest", Method, 2..=MANY, Pairs(zip_padded)),
    // Functions of elements
    row("select", Method, 2..=2, Elements("yaql_select")),
    row("where", Method, 2..=2, Elements("yaql_where")),
    row("filter", Method, 2..=2, Elements("yaql_where")),
    row("any", Method, 1..=2, Elements("yaql_any")),
    row("all", Method, 1..=2, Elements("yaql_all")),
    row("distinct", Method, 1..=2, Elements("yaql_distinct")),
    row("selectMany", Method, 2..=2, Elements("yaql_select_many")),
    row("orderBy", Method, 2..=2, Elements("yaql_order_by")),
    row("orderByDescending", Method, 2..=2, Elements("yaql_order_by_descending")),
    row("groupBy", Method, 2..=3, Elements("yaql_group_by")),
    row("takeWhile", Method, 2..=2, Elements("yaql_take_while")),
    row("skipWhile", Method, 2..=2, Elements("yaql_skip_while")),
    row("indexWhere", Method, 2..=2, Elements("yaql_index_where")),
];

/// Methods whose last argument may be given as `default => …`.
const DEFAULTING: [&str; 3] = ["get", "first", "last"];
/// Methods whose result YAQL's `list` takes apart.
const SEQUENCES: [&str; 13] = [
    "yaql_range",
    "keys",
    "values",
    "yaql_items",
    "yaql_select",
    "yaql_where",
    "yaql_take",
    "yaql_skip",
    "yaql_select_many",
    "yaql_order_by",
    "yaql_flatten",
    "reversed",
    "yaql_distinct",
];

/// What a call of this name means, on something or alone.
pub(super) fn find(name: &str, is_method: bool) -> Option<&'static Row> {
    let other = if is_method { Function } else { Method };
    ROWS.iter().find(|row| row.name == name && row.form != other)
}

impl Row {
    /// Whether `$` is an element in its arguments.
    pub(super) fn binds_element(&self) -> bool {
        matches!(self.make, Elements(_))
    }

    /// Whether its arguments are evaluated by itself.
    pub(super) fn is_lazy(&self) -> bool {
        self.binds_element() || matches!(self.make, Lazy(_)) || self.name == "switch"
    }
}

/// The call of a function, or of a method of `receiver`.
pub(super) fn call(
    name: &str,
    row: Option<&Row>,
    receiver: Option<Expr>,
    given: Vec<Given>,
) -> Result<Expr, String> {
    let Some(row) = row else { return unknown(name, receiver.is_some(), given) };
    let own = usize::from(receiver.is_some());
    if !row.arity.contains(&(given.len() + own)) && !matches!(row.make, Pairs(_)) {
        let (least, most) = (*row.arity.start(), *row.arity.end());
        let wanted = match most {
            0 => "no".to_owned(),
            _ if least == most => (least - own).to_string(),
            MANY => format!("{} or more", least - own),
            _ => format!("{} to {}", least - own, most - own),
        };
        let plural = if wanted == "1" { "" } else { "s" };
        return Err(format!("`{name}` takes {wanted} argument{plural}, not {}", given.len()));
    }
    let receiver = receiver.map(|value| Given { key: None, value });
    let all: Vec<Given> = receiver.into_iter().chain(given).collect();
    match row.make {
        Pairs(build) => build(all),
        Engine(function) => Ok(engine(function, plain(name, all)?)),
        Built(build) => Ok(build(plain(name, all)?)),
        Elements(function) | Lazy(function) => {
            let mut arguments = plain(name, all)?;
            let lazy = arguments.split_off(own);
            arguments.extend(lambdas(lazy));
            Ok(engine(function, arguments))
        }
    }
}

/// The values of arguments that have no keys.
fn plain(name: &str, given: Vec<Given>) -> Result<Vec<Expr>, String> {
    let value = |argument: Given| match argument.key {
        None => Ok(argument.value),
        Some(Expr::Literal(Value::String(key)))
            if key == "default" && DEFAULTING.contains(&name) =>
        {
            Ok(argument.value)
        }
        Some(_) => Err(format!("`{name}` takes no named arguments")),
    };
    given.into_iter().map(value).collect()
}

/// A call that no row describes: a function that names something, or nothing.
fn unknown(name: &str, is_method: bool, given: Vec<Given>) -> Result<Expr, String> {
    if let Some(message) = stranger(name, is_method) {
        return Err(message);
    }
    let idle = |argument: &Given| match &argument.key {
        Some(Expr::Literal(Value::String(key))) => names::is_idle(name, key),
        _ => false,
    };
    let given = given.into_iter().filter(|argument| !idle(argument)).collect();
    let arguments = plain(name, given)?;
    let expr = names::call(name, &arguments.iter().collect::<Vec<_>>())?;
    expr.ok_or_else(|| format!("there is no function `{name}` here"))
}

/// What is wrong with a name, if nothing of that name can be called like that.
pub(super) fn stranger(name: &str, is_method: bool) -> Option<String> {
    if find(name, is_method).is_some() || (!is_method && names::is_function(name)) {
        return None;
    }
    Some(match (is_method, find(name, !is_method)) {
        (true, Some(_)) => format!("`{name}` is a function and not a method"),
        (true, None) => format!("there is no method `{name}` here"),
        (false, Some(_)) => format!("`{name}` is a method: write `value.{name}(…)`"),
        (false, None) => format!("there is no function `{name}` here"),
    })
}

/// A call of a function of the engine.
pub(super) fn engine(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Call { name: name.to_owned(), arguments: positional(arguments) }
}

/// Arguments that their function evaluates.
fn lambdas(values: Vec<Expr>) -> Vec<Expr> {
    values.into_iter().map(|value| Expr::Lambda(Box::new(value))).collect()
}

fn chain(mut operands: Vec<Expr>, operator: Operator) -> Expr {
    let first = operands.remove(0);
    if operands.is_empty() {
        return first;
    }
    let rest = operands.into_iter().map(|operand| (operator, operand)).collect();
    Expr::Chain { first: Box::new(first), rest }
}

fn united(parts: Vec<Expr>) -> Expr {
    chain(parts, Operator::Unite)
}

fn is_type(given: Vec<Expr>, name: &str) -> Expr {
    let wanted = Expr::Literal(Value::String(name.to_owned()));
    chain(vec![engine("type_of", given), wanted], Operator::Equal)
}

fn append(mut given: Vec<Expr>) -> Expr {
    let items = given.split_off(1);
    given.push(list(items));
    united(given)
}

/// A list of its arguments; those that YAQL computes as a sequence add their items.
fn list_of(given: Vec<Expr>) -> Expr {
    let is_sequence = |expr: &Expr| match expr {
        Expr::Call { name, .. } => SEQUENCES.contains(&name.as_str()),
        _ => false,
    };
    if !given.iter().any(is_sequence) {
        return list(given);
    }
    united(
        given
            .into_iter()
            .map(|expr| if is_sequence(&expr) { expr } else { list(vec![expr]) })
            .collect(),
    )
}

/// Keyed arguments as an object.
fn object(name: &str, given: Vec<Given>) -> Result<Expr, String> {
    let entries = given.into_iter().map(|argument| match argument.key {
        Some(key) => Ok((key, argument.value)),
        None => Err(format!("`{name}` takes `key => value`")),
    });
    Ok(Expr::Map(entries.collect::<Result<_, _>>()?))
}

/// `dict(key => value, …)`, or `dict(pairs)`.
fn dict(mut given: Vec<Given>) -> Result<Expr, String> {
    if given.len() == 1 && given[0].key.is_none() {
        return Ok(engine("yaql_dict", vec![given.remove(0).value]));
    }
    object("dict", given)
}

/// `object.set(key, value)`, `object.set(key => value, …)` or `object.set(other)`.
fn set(mut given: Vec<Given>) -> Result<Expr, String> {
    let mut changes = given.split_off(1);
    let base = given.remove(0).value;
    let keyed = changes.iter().all(|change| change.key.is_some());
    let other = match changes.len() {
        0 => return Err("`set` takes what is to be set".to_owned()),
        _ if keyed => object("set", changes)?,
        1 => changes.remove(0).value,
        2 => {
            let value = changes.remove(1).value;
            Expr::Map(vec![(changes.remove(0).value, value)])
        }
        _ => return Err("`set` takes a key and a value, or `key => value`".to_owned()),
    };
    Ok(engine("merge", vec![base, other]))
}

/// `switch(condition => value, …)`: the value of the first condition that holds.
fn switch(given: Vec<Given>) -> Result<Expr, String> {
    let mut cases = Vec::new();
    for case in given {
        let Some(condition) = case.key else {
            return Err("`switch` takes `condition => value`".to_owned());
        };
        cases.extend([condition, case.value]);
    }
    if cases.is_empty() {
        return Err("`switch` takes `condition => value`".to_owned());
    }
    Ok(engine("yaql_switch", lambdas(cases)))
}

/// As long as the longest, padded with null or with `pad`.
fn zip_padded(given: Vec<Given>) -> Result<Expr, String> {
    let mut pad = Expr::Literal(Value::Null);
    let mut lists = Vec::new();
    for argument in given {
        match argument.key {
            None => lists.push(argument.value),
            Some(Expr::Literal(Value::String(key))) if key == "pad" || key == "default" => {
                pad = argument.value;
            }
            Some(_) => return Err("`zip` takes lists and `pad => value`".to_owned()),
        }
    }
    if lists.is_empty() {
        return Err("`zip` takes lists".to_owned());
    }
    lists.insert(0, pad);
    Ok(engine("yaql_zip_longest", lists))
}

/// The arguments of a call in the other spelling, where a keyword takes the place of a key.
pub(super) fn given(arguments: Vec<Argument>) -> Vec<Given> {
    let key = |keyword: String| Expr::Literal(Value::String(keyword));
    let given =
        |argument: Argument| Given { key: argument.keyword.map(key), value: argument.value };
    arguments.into_iter().map(given).collect()
}

#[cfg(test)]
mod tests {
    use super::{Elements, Engine, Lazy, ROWS};
    use crate::template::functions;
    use crate::template::orquesta::FUNCTIONS;

    #[test]
    fn every_row_calls_a_function_that_takes_as_much() {
        for row in ROWS {
            let (Engine(name) | Elements(name) | Lazy(name)) = row.make else { continue };
            let own = FUNCTIONS.iter().find(|definition| definition.name == name);
            let arity = own.map(|own| own.arity.clone()).or_else(|| functions::arity(name));
            let arity = arity.unwrap_or_else(|| panic!("`{name}` of `{}` is missing", row.name));
            let ends = [*row.arity.start(), *row.arity.end()];
            assert!(ends.iter().all(|count| arity.contains(count)), "{}", row.name);
        }
    }

    #[test]
    fn every_name_is_documented_and_stands_once_in_each_form() {
        let documented = include_str!("mod.rs");
        for (at, row) in ROWS.iter().enumerate() {
            let name = row.name;
            let words = documented.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            assert!(words.into_iter().any(|word| word == name), "`{name}` is not documented");
            let twice = ROWS[..at].iter().any(|other| other.name == name && other.form == row.form);
            assert!(!twice, "`{name}` stands twice");
        }
    }
}
