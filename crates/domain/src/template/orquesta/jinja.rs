//! The calls, methods and filters of Orquesta's Jinja that the template language does not have.

use super::{names, vocabulary};
use crate::template::dialect::{Applied, Dialect};
use crate::template::error::Fault;
use crate::template::parser::parse_dialect;
use crate::template::syntax::{Argument, Expr};

/// Orquesta's Jinja.
const DIALECT: Dialect = Dialect { call, methods: &METHODS, method, filter, deciding: true };

/// Python's methods, as far as they are of use in an expression.
const METHODS: [&str; 14] = [
    "get",
    "keys",
    "values",
    "items",
    "split",
    "join",
    "replace",
    "upper",
    "lower",
    "strip",
    "lstrip",
    "rstrip",
    "startswith",
    "endswith",
];

/// Functions that are those of the other spelling.
const SHARED: [&str; 7] =
    ["zip", "range", "json", "from_json_string", "to_json_string", "basename", "dirname"];

/// Reads one expression, which must be all of `source`.
pub(super) fn parse(source: &str) -> Result<Expr, Fault> {
    parse_dialect(source, &DIALECT)
}

fn call(name: &str, arguments: &[Argument]) -> Result<Option<Expr>, String> {
    if SHARED.contains(&name) {
        return shared(name, arguments.to_vec()).map(Some);
    }
    let busy = |argument: &&Argument| {
        !argument.keyword.as_ref().is_some_and(|keyword| names::is_idle(name, keyword))
    };
    let arguments: Vec<&Argument> = arguments.iter().filter(busy).collect();
    if names::is_function(name) && arguments.iter().any(|argument| argument.keyword.is_some()) {
        return Err(format!("`{name}` takes no named arguments"));
    }
    let arguments: Vec<&Expr> = arguments.iter().map(|argument| &argument.value).collect();
    names::call(name, &arguments)
}

fn shared(name: &str, arguments: Vec<Argument>) -> Result<Expr, String> {
    let given = vocabulary::given(arguments);
    vocabulary::call(name, vocabulary::find(name, false), None, given)
}

/// A filter that is a function of the other spelling.
fn function(name: &str, input: Expr, arguments: Vec<Argument>) -> Result<Expr, String> {
    let input = Argument { keyword: None, value: input };
    shared(name, std::iter::once(input).chain(arguments).collect())
}

fn method(base: Expr, name: &str, arguments: Vec<Argument>) -> Result<Expr, String> {
    let theirs = match name {
        "upper" => "toUpper",
        "lower" => "toLower",
        "strip" => "trim",
        "lstrip" => "trimLeft",
        "rstrip" => "trimRight",
        "startswith" => "startsWith",
        "endswith" => "endsWith",
        same => same,
    };
    let given = vocabulary::given(arguments);
    vocabulary::call(theirs, vocabulary::find(theirs, true), Some(base), given)
}

fn filter(name: &str) -> Applied<'_> {
    match name {
        "from_json_string" | "json" => Applied::Filter("fromjson"),
        "to_json_string" | "to_complex" => Applied::Filter("tojson"),
        "json_escape" | "regex_substring" | "basename" | "dirname" => Applied::Made(function),
        "use_none" | "decrypt_kv" => Applied::Nothing,
        same => Applied::Filter(same),
    }
}
