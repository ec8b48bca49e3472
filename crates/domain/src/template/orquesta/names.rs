//! What the functions of Orquesta that name something mean: they become paths, so that what an
//! expression looks at can be told without evaluating it.

use crate::template::parser::follow;
use crate::template::path::{Path, Segment};
use crate::template::syntax::{Argument, Expr};
use serde_json::Value;

/// Roots that the scope answers, named with their parentheses.
const ANSWERED: [&str; 5] = ["result", "succeeded", "failed", "timed_out", "completed"];
/// The root of `task(t)` while an expression is read: what is behind it has a record's members, not a result's.
const RECORD: &str = "task()";
/// What hides a variable from expressions.
const HIDDEN: &str = "__";
/// The root of secrets, which only the runner resolves.
pub(super) const KEYSTORE: &str = "keystore";
/// The part of the keystore that workflows share with everyone.
const SHARED_KEYS: &str = "system.";

/// Whether an argument only says what is done anyhow: values of the keystore are decrypted.
pub(super) fn is_idle(function: &str, keyword: &str) -> bool {
    function == "st2kv" && keyword == "decrypt"
}

/// Whether a function is one of these.
pub(super) fn is_function(name: &str) -> bool {
    ANSWERED.contains(&name) || matches!(name, "ctx" | "item" | "task" | "task_status" | "st2kv")
}

/// A call of one of these functions; `None` if it is another function. An argument that is a plain
/// name, quoted or not, is that name.
pub(super) fn call(name: &str, arguments: &[&Expr]) -> Result<Option<Expr>, String> {
    let root = match name {
        _ if ANSWERED.contains(&name) => {
            return match arguments {
                [] => Ok(Some(Expr::Path(Path::root_only(format!("{name}()"))))),
                _ => Err(format!("`{name}` takes no arguments")),
            };
        }
        "task" => Path::root_only(RECORD),
        "ctx" | "item" | "task_status" => Path::root_only(name),
        "st2kv" => return key(arguments).map(Some),
        _ => return Ok(None),
    };
    match arguments {
        [] if matches!(name, "ctx" | "item") => Ok(Some(Expr::Path(root))),
        [] => Err(format!("`{name}` takes the name of a task")),
        [argument] => {
            let member = member(Expr::Path(root), argument);
            Ok(Some(if name == "task_status" { or_null(member) } else { member }))
        }
        _ => Err(format!("`{name}` takes one name, not {}", arguments.len())),
    }
}

/// The member of something that an argument names.
fn member(base: Expr, argument: &Expr) -> Expr {
    if let Some(name) = plain(argument) {
        return named(base, &name);
    }
    Expr::Item { base: Box::new(base), key: Box::new(argument.clone()) }
}

/// A task that has not run yet has no status.
fn or_null(input: Expr) -> Expr {
    let null = Argument { keyword: None, value: Expr::Literal(Value::Null) };
    Expr::Filter { input: Box::new(input), name: "default".to_owned(), arguments: vec![null] }
}

fn named(base: Expr, name: &str) -> Expr {
    let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let segment = if bare { Segment::name(name) } else { Segment::Key(name.to_owned()) };
    follow(base, segment, Value::String(name.to_owned()))
}

/// The name that an argument is. `ctx()` and `item()` are paths, too, but no names.
fn plain(argument: &Expr) -> Option<String> {
    match argument {
        Expr::Literal(Value::String(name)) => Some(name.clone()),
        Expr::Path(path) => {
            let computed = path.root().ends_with("()") || matches!(path.root(), "ctx" | "item");
            (path.segments().is_empty() && !computed).then(|| path.root().to_owned())
        }
        _ => None,
    }
}

/// A value of the keystore.
fn key(arguments: &[&Expr]) -> Result<Expr, String> {
    let [Expr::Literal(Value::String(name))] = arguments else {
        return Err("`st2kv` takes the quoted name of a key and nothing else".to_owned());
    };
    let name = name.strip_prefix(SHARED_KEYS).unwrap_or(name);
    Ok(named(Expr::Path(Path::root_only(KEYSTORE)), name))
}

/// A task is its result here, which is a member of the task in Orquesta.
fn result_of_task(record: &Path) -> Path {
    let mut result = Path::root_only("task");
    for (at, segment) in record.segments().iter().enumerate() {
        let is_result =
            matches!(segment, Segment::Name { name, .. } | Segment::Key(name) if name == "result");
        if at != 1 || !is_result {
            result.push(segment.clone());
        }
    }
    result
}

/// Gives paths their meaning: what the context hides, variables whose names begin with two underscores,
/// is defined nowhere, and `st2kv.system` is the keystore.
pub(super) fn settle(expr: &mut Expr) {
    expr.change_paths(&mut |path| {
        let first = match path.segments().first() {
            Some(Segment::Name { name, .. } | Segment::Key(name)) => name.as_str(),
            _ => "",
        };
        match path.root() {
            // No scope has a root of such a name.
            "ctx" if first.starts_with(HIDDEN) => *path = Path::root_only(path.to_string()),
            RECORD => *path = result_of_task(path),
            "st2kv" if first == "system" => {
                let mut key = Path::root_only(KEYSTORE);
                path.segments().iter().skip(1).for_each(|segment| key.push(segment.clone()));
                *path = key;
            }
            _ => {}
        }
    });
}
