//! What names, Jinja and paths come to.

use super::{assert_all, evaluate, jinja, yaql};
use crate::template::orquesta::{expression, template};
use serde_json::json;

#[test]
fn names_mean_the_same_in_both_spellings() {
    let rows = [
        ("ctx().name", json!("Ada")),
        ("ctx(name)", json!("Ada")),
        ("ctx('name')", json!("Ada")),
        ("ctx(\"user-agent\")", json!("curl")),
        ("ctx().deep.x.y[0]", json!(10)),
        ("ctx(deep).x.y[1].z", json!("end")),
        ("ctx().deep['x'].y[-1].z", json!("end")),
        ("ctx().pair[ctx().names[1]]", json!(1)),
        ("ctx(ctx().key)", json!(7)),
        ("ctx()[ctx().key]", json!(7)),
        ("item()", json!({"x": 5, "y": [1, 2]})),
        ("item().x", json!(5)),
        ("item(x)", json!(5)),
        ("['a', 'b'][item().y[0]]", json!("b")),
        ("item(y)[1] + item(x)", json!(7)),
        ("result()", json!({"y": 4, "stdout": "ok"})),
        ("result().y", json!(4)),
        ("result().y * 2", json!(8)),
        ("succeeded()", json!(true)),
        ("failed()", json!(false)),
        ("timed_out()", json!(false)),
        ("completed()", json!(true)),
        ("task(build).result.id", json!(9)),
        ("task(build).result.result[0]", json!(8)),
        ("task('build').result", json!({"id": 9, "result": [8]})),
        ("task('build')['result']", json!({"id": 9, "result": [8]})),
        ("task_status(build)", json!("succeeded")),
        ("task_status(other)", json!(null)),
        ("range(0, 5, 2)", json!([0, 2, 4])),
        ("succeeded() and result().y > 3", json!(true)),
        ("succeeded() and not failed()", json!(true)),
        ("failed() or timed_out()", json!(false)),
        ("ctx().nothing or 'default'", json!("default")),
        ("ctx().name and ctx().n", json!(7)),
        ("ctx().empty and 1 / 0", json!("")),
        ("1 or 1 / 0", json!(1)),
        ("zip([1, 2], [3])", json!([[1, 3], [2, null]])),
        ("zip(ctx().xs, ctx().names)", json!([[3, "b"], [1, "a"], [2, "b"]])),
        ("now()", json!("2026-03-01T12:00:00Z")),
    ];
    assert_all(yaql, &rows);
    assert_all(jinja, &rows);
}

#[test]
fn jinja_keeps_its_filters_and_gets_those_of_stackstorm() {
    assert_all(
        jinja,
        &[
            ("ctx().xs | length", json!(3)),
            ("ctx(names) | join(',')", json!("b,a,b")),
            ("ctx().absent | default('none')", json!("none")),
            ("ctx('absent') | default(3) + 1", json!(4)),
            ("ctx().hosts | map(attribute='name') | list", json!(["db1", "web1", "db2"])),
            ("ctx().hosts | selectattr('up') | list | length", json!(2)),
            ("'{\"a\": 1}' | from_json_string", json!({"a": 1})),
            ("ctx().pair | to_json_string", json!("{\"a\":1,\"b\":2}")),
            ("ctx().name | regex_replace('A', 'B')", json!("Bda")),
            ("'a1' | regex_substring('[0-9]')", json!("1")),
            ("'/a/b' | basename", json!("b")),
            ("'/a/b' | dirname", json!("/a")),
            ("ctx().nothing | use_none", json!(null)),
            ("'big' if result().y > 3 else 'small'", json!("big")),
            ("ctx().n == 7 and ctx().name != 'Bob'", json!(true)),
            ("ctx().pair.get('z', 4)", json!(4)),
            ("ctx().pair.keys()", json!(["a", "b"])),
            ("','.join(ctx().names)", json!("b,a,b")),
            ("ctx().name.upper()", json!("ADA")),
            ("ctx().text.split(',')[0]", json!("a")),
            ("' x '.strip().startswith('x')", json!(true)),
            ("range(2)", json!([0, 1])),
            ("result().stdout ~ '!'", json!("ok!")),
            ("6 / 3", json!(2)),
        ],
    );
}

#[test]
fn an_expression_without_delimiters_is_jinja() {
    assert_eq!(evaluate("succeeded() and result().y == 4"), Ok(json!(true)));
    assert_eq!(evaluate(" ctx(n) "), Ok(json!(7)));
}

#[test]
fn paths_tell_what_an_expression_looks_at() {
    let rows: [(&str, &[&str]); 16] = [
        ("<% ctx().x %>", &["ctx.x"]),
        ("<% ctx(x).y %>", &["ctx.x.y"]),
        ("{{ ctx('x').y }}", &["ctx.x.y"]),
        ("{{ ctx(x) ~ task(t).result }}", &["ctx.x", "task.t"]),
        ("<% task_status(t) = failed %>", &["task_status.t"]),
        ("<% succeeded() and result().y > item(z) %>", &["succeeded()", "result().y", "item.z"]),
        ("<% ctx().xs.where($.a = ctx().b) %>", &["ctx.xs", "ctx.b"]),
        ("<% coalesce(ctx().a, ctx().b) %>", &["ctx.a", "ctx.b"]),
        ("<% switch(ctx().a => ctx().b) %>", &["ctx.a", "ctx.b"]),
        ("<% ctx().xs[ctx().i] %>", &["ctx.xs", "ctx.i"]),
        ("<% st2kv('system.token') %>", &["keystore.token"]),
        ("<% st2kv('a', decrypt => true) %>", &["keystore.a"]),
        ("{{ st2kv('a-b', decrypt=true) }}", &["keystore[\"a-b\"]"]),
        ("{{ ctx(item()) }}", &["ctx", "item"]),
        ("<% ctx(item()) %>", &["ctx", "item"]),
        ("{{ st2kv.system.token }}", &["keystore.token"]),
    ];
    for (source, wanted) in rows {
        let expression = expression(source).unwrap();
        let found: Vec<String> = expression.paths().iter().map(ToString::to_string).collect();
        assert_eq!(found, wanted, "{source}");
    }
    let references = template(&json!({"a": {"b": "x <% ctx().p %>"}})).references();
    assert_eq!(references.len(), 1);
    assert_eq!(references[0].at, "/a/b");
    assert_eq!(references[0].path.to_string(), "ctx.p");
}
