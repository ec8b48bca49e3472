//! What expressions of Orquesta come to, as tables.

mod faults;
mod properties;
mod spellings;
mod templates;
mod yaql;

use super::expression;
use crate::template::{Error, Scope};
use serde_json::{Value, json};

fn context() -> Value {
    json!({
        "n": 7, "half": 0.5, "name": "Ada", "yes": true, "no": false, "nothing": null, "empty": "",
        "xs": [3, 1, 2], "names": ["b", "a", "b"], "user-agent": "curl", "key": "n",
        "hosts": [
            {"name": "db1", "up": true, "load": 3},
            {"name": "web1", "up": false, "load": 1},
            {"name": "db2", "up": true, "load": 2},
        ],
        "pair": {"a": 1, "b": 2}, "deep": {"x": {"y": [10, {"z": "end"}]}}, "text": "a,b,,c",
        "sly": "<% ctx().n %>{{ ctx().n }}", "__hidden": "secret",
    })
}

fn with_scope<T>(work: impl FnOnce(&Scope<'_>) -> T) -> T {
    let (context, item) = (context(), json!({"x": 5, "y": [1, 2]}));
    let (result, yes, no) = (json!({"y": 4, "stdout": "ok"}), json!(true), json!(false));
    let task = json!({"build": {"id": 9, "result": [8]}});
    let status = json!({"build": "succeeded"});
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    work(
        &Scope::strict()
            .root("ctx", &context)
            .root("item", &item)
            .root("result()", &result)
            .root("succeeded()", &yes)
            .root("failed()", &no)
            .root("timed_out()", &no)
            .root("completed()", &yes)
            .root("task", &task)
            .root("task_status", &status)
            .now(now),
    )
}

fn evaluate(source: &str) -> Result<Value, Error> {
    let expression = expression(source)?;
    with_scope(|scope| expression.evaluate(scope))
}

fn yaql(source: &str) -> Result<Value, Error> {
    evaluate(&format!("<% {source} %>"))
}

fn jinja(source: &str) -> Result<Value, Error> {
    evaluate(&format!("{{{{ {source} }}}}"))
}

#[track_caller]
fn assert_all(evaluate: fn(&str) -> Result<Value, Error>, rows: &[(&str, Value)]) {
    for (source, wanted) in rows {
        match evaluate(source) {
            Ok(value) => assert_eq!(value, *wanted, "{source}"),
            Err(error) => panic!("{error}"),
        }
    }
}
