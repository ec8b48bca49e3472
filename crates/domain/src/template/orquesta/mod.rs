//! The expressions of Orquesta workflows, as they are written there: `{{ … }}` in Jinja and `<% … %>` in
//! YAQL, both live in any string.
//!
//! Both become expressions of the one template language, with its bounds and its errors. A string that
//! is one expression becomes its value, type and all; expressions among other text become text.
//!
//! ```
//! use attune_domain::template::{Scope, orquesta};
//! use serde_json::json;
//!
//! let context = json!({"host": "db1", "load": [1, 3]});
//! let template = orquesta::template(&json!({
//!     "text": "{{ ctx(host) }} is at <% ctx().load.last() %>",
//!     "busy": "<% ctx().load.where($ > 2) %>",
//! }));
//! let rendered = template.render(&Scope::strict().root("ctx", &context)).unwrap();
//! assert_eq!(rendered, json!({"text": "db1 is at 3", "busy": [3]}));
//! ```
//!
//! # Names
//!
//! | Orquesta | What it looks at |
//! |---|---|
//! | `ctx()`, `ctx().x`, `ctx(x)`, `ctx('x')` | the root `ctx` and its members; those that begin with `__` are not defined |
//! | `item()`, `item().x`, `item(x)` | the root `item` |
//! | `task(t)`, `task(t).result` | a member of the root `task` |
//! | `task_status(t)` | a member of the root `task_status`; null if it is not defined |
//! | `result()`, `succeeded()`, `failed()`, `timed_out()`, `completed()` | the root of that name, parentheses included |
//! | `st2kv('system.k')`, `st2kv.system.k` | `keystore.k`, which must be all of its expression |
//!
//! # YAQL
//!
//! | Kind | What there is |
//! |---|---|
//! | literals | `1`, `1.5`, `'text'`, `"text"`, `` `pattern` ``, a bare word (which is text), `true`, `false`, `null`, `[1, 2]`, `{k => v}` |
//! | operators | `+ - * / mod`, `= != < <= > >=`, `in`, `not in`, `=~`, `!~`, `and`, `or`, `not`, `.`, `?.`, `[i]`, `[k, default]`; of two integers `/` rounds down |
//! | types | `int float bool str list dict toList toDict isString isNumber isInteger isBoolean isList isDict isEmpty` |
//! | choice | `coalesce`, `switch(condition => value)` |
//! | text | `len toUpper toLower trim trimLeft trimRight split join replace substring startsWith endsWith indexOf lastIndexOf toCharArray concat format matches regex_match regex_search regex_replace regex_substring basename dirname` |
//! | JSON | `json from_json_string to_json_string to_complex json_escape use_none decrypt_kv` |
//! | numbers | `abs round pow max min sum range` |
//! | objects | `keys values items get set delete containsKey containsValue mergeWith` |
//! | lists | `first last single len count contains append concat reverse flatten take limit skip slice enumerate distinct`; `zip` as a function is as long as the longest list (`pad => x` fills, else null), as a method as long as the shortest; `zipLongest` |
//! | per element, which is `$` | `select where filter any all distinct selectMany orderBy orderByDescending groupBy toDict takeWhile skipWhile indexWhere` |
//! | time | `now()`: the moment, as text in RFC 3339 |
//!
//! Not there are `let`, `$name`, `->`, `aggregate`, `accumulate`, `generate`, sets, dates, queries that
//! join, and members of all elements at once (`list.name` is `list.select($.name)`).
//!
//! # Jinja
//!
//! The template language with the names above; `and` and `or` answer the operand that decides. Further
//! there are `zip` and `range` as in YAQL, StackStorm's filters `from_json_string to_json_string to_complex
//! json_escape regex_substring basename dirname use_none decrypt_kv`, and Python's methods `get keys
//! values items split join replace upper lower strip lstrip rstrip startswith endswith`. `{%` and `{#`
//! stay text.

mod delimiters;
mod functions;
mod jinja;
mod names;
#[cfg(test)]
mod tests;
mod vocabulary;
mod yaql;

use super::error::{Error, Fault};
use super::expression::Expression;
use super::parser;
use super::syntax::Expr;
use super::tree::{Embedded, Piece, Template};
use delimiters::{Part, parts};
pub(crate) use functions::FUNCTIONS;
use serde_json::Value;

/// Reads a template in whose strings both `{{ … }}` and `<% … %>` are live.
///
/// As with [`Template::parse`], text that is no expression is found by [`Template::check`].
pub fn template(template: &Value) -> Template {
    Template::of(template, pieces)
}

/// Reads one expression, which may stand in `{{ … }}` or `<% … %>`. Without either it is Jinja.
///
/// ```
/// use attune_domain::template::{Scope, orquesta};
/// use serde_json::json;
///
/// let when = orquesta::expression("<% succeeded() and result().n > 3 %>").unwrap();
/// let (succeeded, result) = (json!(true), json!({"n": 4}));
/// let scope = Scope::strict().root("succeeded()", &succeeded).root("result()", &result);
/// assert!(when.holds(&scope).unwrap());
/// ```
pub fn expression(source: &str) -> Result<Expression, Error> {
    let source = source.trim();
    match parts(source).as_slice() {
        [Part::Jinja(inner)] => read(Spelling::Jinja, inner),
        [Part::Yaql(inner)] => read(Spelling::Yaql, inner),
        found if found.iter().any(|part| !matches!(part, Part::Literal(_))) => {
            let message = "there is text beside the expression".to_owned();
            Err(Fault::Syntax { position: 1, message }.of(source))
        }
        _ => read(Spelling::Jinja, source),
    }
    .map(|(expression, _)| expression)
}

#[derive(Clone, Copy, PartialEq)]
enum Spelling {
    Jinja,
    Yaql,
}

/// Reads one expression, and says how the template language has it if it refers to the keystore.
fn read(spelling: Spelling, source: &str) -> Result<(Expression, Option<String>), Error> {
    let source = source.trim();
    let read = || {
        let mut syntax = match spelling {
            Spelling::Jinja => jinja::parse(source)?,
            Spelling::Yaql => yaql::parse(source)?,
        };
        names::settle(&mut syntax);
        let later = for_later(source, spelling, &syntax)?;
        Ok((Expression::of(source, syntax)?, later))
    };
    read().map_err(|fault: Fault| fault.of(source))
}

/// How an expression is left to the runner, which resolves the keystore and reads the template language
/// alone; `None` if it does not refer to the keystore.
fn for_later(source: &str, spelling: Spelling, syntax: &Expr) -> Result<Option<String>, Fault> {
    if !syntax.paths().iter().any(|path| path.root() == names::KEYSTORE) {
        return Ok(None);
    }
    match syntax {
        Expr::Path(path) => Ok(Some(path.to_string())),
        _ if spelling == Spelling::Jinja && parser::parse(source).as_ref() == Ok(syntax) => {
            Ok(Some(source.to_owned()))
        }
        _ => Err(Fault::Syntax {
            position: 1,
            message: "a value of the keystore is all of its expression; text may stand around that"
                .to_owned(),
        }),
    }
}

/// The pieces of a string in which both spellings are live.
fn pieces(text: &str) -> Vec<Piece> {
    let piece = |part: Part<'_>| match part {
        Part::Literal(literal) => Piece::Literal(literal.to_owned()),
        Part::Jinja(inner) => embedded(Spelling::Jinja, inner),
        Part::Yaql(inner) => embedded(Spelling::Yaql, inner),
    };
    parts(text).into_iter().map(piece).collect()
}

fn embedded(spelling: Spelling, inner: &str) -> Piece {
    let (expression, later) = match read(spelling, inner) {
        Ok((expression, later)) => (Ok(expression), later),
        Err(error) => (Err(error), None),
    };
    let respelled = later.is_some();
    Piece::Expression(Embedded::of(
        later.unwrap_or_else(|| inner.trim().to_owned()),
        respelled,
        expression,
    ))
}
