//! What the template language promises, as tables of expressions and their values.

use super::{Error, Expression, Fault, Scope, Template, render_deferred};
use serde_json::{Value, json};
use std::borrow::Cow;

fn data() -> Value {
    json!({
        "n": 7, "half": 0.5, "name": "Ada", "yes": true, "nothing": null, "empty": "",
        "list": [3, 1, 2], "names": ["b", "a"], "nested": {"a": {"b": [10, {"c": "deep"}]}},
        "user-agent": "curl", "hosts": [{"name": "db1", "up": true}, {"name": "db2", "up": false}], "i": 1,
    })
}

fn evaluate(expression: &str) -> Result<Value, Error> {
    let data = data();
    let result = json!({"rev": 12});
    Expression::parse(expression)?
        .evaluate(&Scope::strict().root("x", &data).root("result()", &result).fallback("x"))
}

#[track_caller]
fn assert_all(rows: &[(&str, Value)]) {
    for (expression, wanted) in rows {
        match evaluate(expression) {
            Ok(value) => assert_eq!(value, *wanted, "{expression}"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn classic_operators_keep_their_results() {
    assert_all(&[
        ("null", json!(null)),
        ("true and 1", json!(true)),
        ("0 or ''", json!(false)),
        ("'a' or 'b'", json!(true)),
        ("not x.empty", json!(true)),
        ("false and 1 / 0", json!(false)),
        ("6 / 3", json!(2)),
        ("7 / 2", json!(3.5)),
        ("6.0 / 3", json!(2.0)),
        ("-7 % 3", json!(-1)),
        ("2 + 3 * 4 - 1", json!(13)),
        ("-x.n + 1", json!(-6)),
        ("9223372036854775807 + 0", json!(9_223_372_036_854_775_807_i64)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("3 == 3.0", json!(true)),
        ("[1, {'a': 2}] == [1.0, {'a': 2.0}]", json!(true)),
        ("1 == true", json!(false)),
        ("'1' == 1", json!(false)),
        ("null == false", json!(false)),
        ("1 < 2", json!(true)),
        ("[1, 2] < [1, 3]", json!(true)),
        ("'a' >= 'b'", json!(false)),
        ("1 < x.n < 10", json!(true)),
        ("1 < x.n < 5", json!(false)),
        ("2 in x.list", json!(true)),
        ("'list' in x", json!(true)),
        ("'d' in 'Ada'", json!(true)),
        ("9 not in x.list", json!(true)),
        ("not 9 in x.list", json!(true)),
        ("'a' + 'b' + 'c'", json!("abc")),
        ("[1] + [2, 3]", json!([1, 2, 3])),
        ("'n' ~ 1 ~ null ~ [1]", json!("n1[1]")),
        ("7 // 2", json!(3)),
        ("-7 // 2", json!(-4)),
        ("2 ** 10", json!(1024)),
    ]);
}

#[test]
fn members_are_reached_by_dots_brackets_and_numbers() {
    assert_all(&[
        ("x.nested.a.b.1.c", json!("deep")),
        ("x.nested['a'].b[-1].c", json!("deep")),
        ("x['user-agent']", json!("curl")),
        ("x.list[x.i]", json!(1)),
        ("x.hosts[x.i].name", json!("db2")),
        ("x.name[0]", json!("A")),
        ("x.name[-1]", json!("a")),
        ("[10, 20][1]", json!(20)),
        ("{'in': {'if': 5}}.in.if", json!(5)),
        ("result().rev", json!(12)),
        ("result('ignored').rev + 1", json!(13)),
        ("nested.a.b.0", json!(10)),
        ("x.list[1:]", json!([1, 2])),
        ("x.name[:2]", json!("Ad")),
        ("(x.names|sort)[0]", json!("a")),
    ]);
}

#[test]
fn functions_answer_as_they_always_did() {
    assert_all(&[
        ("string(null)", json!("null")),
        ("string([1, 'a'])", json!("[1,\"a\"]")),
        ("string(1.5)", json!("1.5")),
        ("number('2.5')", json!(2.5)),
        ("number(true)", json!(1.0)),
        ("number(3)", json!(3)),
        ("int(3.9)", json!(3)),
        ("int('-4')", json!(-4)),
        ("int(false)", json!(0)),
        ("bool([])", json!(false)),
        ("type_of(x)", json!("object")),
        ("type_of(null)", json!("null")),
        ("type_of(x.list)", json!("array")),
        ("length('é')", json!(2)),
        ("length(x.list)", json!(3)),
        ("keys({'b': 1, 'c': 2})", json!(["b", "c"])),
        ("values({'b': 1, 'c': 2})", json!([1, 2])),
        ("abs(-2)", json!(2)),
        ("floor(-1.5)", json!(-2)),
        ("ceil(1.2)", json!(2)),
        ("round(2.5)", json!(3)),
        ("round(-2.5)", json!(-3)),
        ("min(2, 1.5)", json!(1.5)),
        ("max('a', 'b')", json!("b")),
        ("sum([1, 2.5])", json!(3.5)),
        ("sum([])", json!(0)),
        ("upper(lower('Ab'))", json!("AB")),
        ("trim('  a ')", json!("a")),
        ("split('a,b', ',')", json!(["a", "b"])),
        ("join([1, 'a', null], '-')", json!("1-a-null")),
        ("replace('aXbX', 'X', '')", json!("ab")),
        ("starts_with('abc', 'ab')", json!(true)),
        ("ends_with('abc', 'ab')", json!(false)),
        (r"match('\d+', 'a12')", json!(true)),
        ("contains([1, 2], 2.0)", json!(true)),
        ("reversed('abc')", json!("cba")),
        ("reversed([1, 2])", json!([2, 1])),
        ("sort([3, 1.5, 2])", json!([1.5, 2, 3])),
        ("unique([1, 1.0, 'a', [1], [1]])", json!([1, "a", [1]])),
        ("flat([[1], 2, [[3]]])", json!([1, 2, [3]])),
        ("zip([1, 2], ['a'])", json!([[1, "a"]])),
        ("range(3)", json!([0, 1, 2])),
        ("range(2, 4)", json!([2, 3])),
        ("range(2, 0)", json!([])),
        ("slice('abcd', 1, 3)", json!("bc")),
        ("slice([1, 2, 3], 1)", json!([2, 3])),
        ("index_of('aéb', 'b')", json!(3)),
        ("index_of([1], 2)", json!(-1)),
        ("count('banana', 'an')", json!(2)),
        ("count([1, 1.0, 2], 1)", json!(2)),
        ("merge({'a': 1, 'b': 1}, {'b': 2})", json!({"a": 1, "b": 2})),
        ("chunks([1, 2, 3], 2)", json!([[1, 2], [3]])),
    ]);
}

#[test]
fn filters_tests_and_alternatives_are_those_of_jinja() {
    assert_all(&[
        ("x.missing|default('d')", json!("d")),
        ("default(x.missing.deep, 3)", json!(3)),
        ("x.empty|default('d', true)", json!("d")),
        ("x.nothing|default('d')", json!(null)),
        ("x.hosts|map(attribute='name')|list", json!(["db1", "db2"])),
        ("x.names|map('upper')|join(',')", json!("B,A")),
        ("x.hosts|selectattr('up')|map(attribute='name')|first", json!("db1")),
        ("select([0, 1, 2])", json!([1, 2])),
        ("x.list|select('gt', 1)|list", json!([3, 2])),
        ("x.list|sort(reverse=true)", json!([3, 2, 1])),
        ("x.name|lower|title", json!("Ada")),
        ("'é'|length", json!(1)),
        ("x.list|tojson", json!("[3,1,2]")),
        ("'{\"a\": [1]}'|fromjson", json!({"a": [1]})),
        ("'up' if x.yes else 'down'", json!("up")),
        ("x.missing is defined", json!(false)),
        ("x.n is not none", json!(true)),
        ("x.n is divisibleby 7", json!(true)),
        ("'ab12'|regex_search('[0-9]+')", json!(true)),
        ("'ab12'|regex_match('[0-9]+')", json!(false)),
        ("regex_match('AB', 'a', true)", json!(true)),
        (r"'2024-05'|regex_replace('(\d+)-(\d+)', '\\2/\\1')", json!("05/2024")),
    ]);
}

#[test]
fn wrong_expressions_say_what_and_where() {
    for (expression, wanted) in [
        ("x.missing", "`x.missing`: `x.missing` is not defined"),
        ("x.missing + 1", "`x.missing + 1`: `x.missing` is not defined"),
        ("x.nothing.deeper", "`x.nothing.deeper`: `x.nothing.deeper` is not defined"),
        ("x.list[9]", "`x.list[9]`: `x.list[9]` is not defined"),
        ("parameter", "`parameter`: `parameter` is not defined"),
        ("unknown(1)", "`unknown(1)`: `unknown()` is not defined"),
        ("x.missing and true", "`x.missing and true`: `x.missing` is not defined"),
        ("[x.missing]", "`[x.missing]`: `x.missing` is not defined"),
        ("now()", "`now()`: `now()` is not defined"),
        ("1 / 0", "`1 / 0`: division by zero"),
        ("1 % 0", "`1 % 0`: division by zero"),
        ("1 + 'a'", "`1 + 'a'`: `+` does not apply to number and string"),
        ("true + 1", "`true + 1`: `+` does not apply to bool and number"),
        ("'a' * 3", "`'a' * 3`: `*` does not apply to string and number"),
        ("1 < 'a'", "`1 < 'a'`: `<` does not apply to number and string"),
        ("lower(1)", "`lower(1)`: `lower` takes a string, not number"),
        (
            "sort([1, 'a'])",
            "`sort([1, 'a'])`: `sort` takes an array of numbers or an array of strings",
        ),
        ("slice([1], -1)", "`slice([1], -1)`: `slice` takes no negative index"),
        ("range(99999999999)", "`range(99999999999)`: the expression exceeds the limit on work"),
        ("", "``: the expression is empty (character 1)"),
        ("1 +", "`1 +`: expected a value, found the end (character 4)"),
        ("é é", "`é é`: unexpected `é` (character 1)"),
        ("a b", "`a b`: expected the end of the expression, found `b` (character 3)"),
        ("'open", "`'open`: this text is not closed (character 1)"),
        ("lower(1, 2)", "`lower(1, 2)`: `lower` takes 1 arguments, not 2 (character 12)"),
        ("x|nope", "`x|nope`: there is no filter `nope` (character 7)"),
        (
            "x.lower()",
            "`x.lower()`: methods cannot be called; use a function or a filter (character 8)",
        ),
    ] {
        let error = evaluate(expression).expect_err(expression);
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn errors_of_borrowed_filters_do_not_quote_values() {
    for expression in [
        "'s3cret'|int",
        "'s3cret'|float",
        "['s3cret']|sum",
        "'s3cret'|fromjson",
        "match('s3cret(', 'a')",
    ] {
        if let Err(error) = evaluate(&format!("x.names and {expression}")) {
            assert!(!error.fault.to_string().contains("s3cret"), "{error}");
        }
    }
}

#[test]
fn nothing_takes_more_than_its_bounds() {
    let big = "x.list|join('a')|replace('a', 'aaaaaaaaaaaaaaaaaaaa')";
    let growing = format!("({big}){}", "|replace('a', 'aaaaaaaaaaaaaaaaaaaa')".repeat(12));
    for expression in [
        growing.as_str(),
        "range(4000000)|map('string')|join('')",
        "range(3000)|map('default', 1)|select('in', range(3000))",
        "9 ** 9 ** 9",
    ] {
        assert!(evaluate(expression).is_err(), "{expression}");
    }
    for nested in [
        "(".repeat(5000),
        "not ".repeat(3000),
        "[".repeat(5000),
        "-".repeat(5000),
        "a[".repeat(5000),
    ] {
        assert!(matches!(evaluate(&nested), Err(Error { fault: Fault::Syntax { .. }, .. })));
    }
    for wide in [" + 1", " and 1", " < 1", " or 1"] {
        assert!(
            evaluate(&format!("1{}", wide.repeat(2000))).is_err(),
            "two thousand times `{wide}`"
        );
    }
    assert_eq!(
        evaluate(&format!("1{}", " + 1".repeat(400))),
        Ok(json!(401)),
        "length alone is no depth"
    );
    assert_eq!(
        evaluate(&format!("length([{}])", "1,".repeat(3000))),
        Ok(json!(3000)),
        "nor is it width"
    );
    let nested = format!("{}x.n{}", "[".repeat(39), "]".repeat(39));
    assert!(evaluate(&nested).is_ok(), "what the grammar admits, the engine evaluates");
    let calls = format!("{}'a'{}", "upper(lower(".repeat(19), "))".repeat(19));
    assert_eq!(evaluate(&calls), Ok(json!("A")));
    let logic = format!("{}true{}", "(false or (true and ".repeat(18), "))".repeat(18));
    assert_eq!(evaluate(&logic), Ok(json!(true)));
}

#[test]
fn lenient_templates_render_what_is_missing_as_nothing() {
    let event =
        json!({"payload": {"a": 1, "list": [{"x": "y"}], "user-agent": "curl", "none": null}});
    let rows = [
        ("a whole string keeps its type", json!("{{ event.payload.a }}"), json!(1)),
        (
            "surrounding space does not count",
            json!("  {{ event.payload.list }} "),
            json!([{"x": "y"}]),
        ),
        (
            "inside text everything is text",
            json!("a={{event.payload.a}}, l={{ event.payload.list }}"),
            json!("a=1, l=[{\"x\":\"y\"}]"),
        ),
        ("missing is null", json!("{{ event.payload.b.c }}"), json!(null)),
        (
            "missing inside text is empty",
            json!("<{{ event.payload.b }}{{ event.payload.none }}>"),
            json!("<>"),
        ),
        ("an unknown root is missing", json!("{{ trigger.a }}"), json!(null)),
        ("operators on missing are missing", json!("{{ event.payload.b + 1 }}"), json!(null)),
        ("a default steps in", json!("{{ event.payload.b|default(2) }}"), json!(2)),
        ("missing equals null", json!("{{ event.payload.b == null }}"), json!(true)),
        ("classic hyphenated paths work", json!("{{ event.payload.user-agent }}"), json!("curl")),
        ("a minus between values stays a minus", json!("{{ event.payload.a-1 }}"), json!(0)),
        ("what is no expression is missing", json!("{{ what is this }}"), json!(null)),
        ("an unclosed brace is text", json!("{{ event.payload.a"), json!("{{ event.payload.a")),
        ("statements are text", json!("{% if a %}{# b #}"), json!("{% if a %}{# b #}")),
        (
            "results are not read again",
            json!("{{ '{{ event.payload.a }}' }}"),
            json!("{{ event.payload.a }}"),
        ),
        (
            "objects and arrays are entered, keys are not touched",
            json!({"{{ k }}": ["{{ event.payload.list.0.x }}", {"n": null}]}),
            json!({"{{ k }}": ["y", {"n": null}]}),
        ),
    ];
    for (what, template, wanted) in rows {
        let rendered = Template::parse(&template).render(&Scope::lenient().root("event", &event));
        assert_eq!(rendered, Ok(wanted), "{what}");
    }
}

#[test]
fn strict_templates_name_the_key_of_what_is_missing() {
    let workflow = json!({"host": "db1"});
    let template =
        Template::parse(&json!({"input": {"hosts": ["{{ host }}", "on {{ workflow.hots }}"]}}));
    let scope = Scope::strict().root("workflow", &workflow).fallback("workflow");
    let error = template.render(&scope).expect_err("`hots` is misspelt");
    assert_eq!(
        error.to_string(),
        "`workflow.hots` in `input.hosts.1`: `workflow.hots` is not defined"
    );
}

#[test]
fn a_check_finds_every_expression_that_cannot_be_read() {
    let template =
        Template::parse(&json!({"a": "{{ 1 + }}", "b": ["{{ }}", "{{ fine }}"], "c": "{{ open"}));
    let errors: Vec<String> =
        template.check().expect_err("two are wrong").iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "`1 +` in `a`: expected a value, found the end (character 4)",
            "`` in `b.0`: the expression is empty (character 1)",
        ]
    );
}

#[test]
fn references_tell_which_output_depends_on_which_path() {
    let template = Template::parse(&json!({
        "a/b": "{{ pack.config.token }}",
        "list": ["{{ items[index] | length }} of {{ result().n }}"],
    }));
    let references: Vec<_> =
        template.references().into_iter().map(|r| (r.at, r.path.to_string())).collect();
    let wanted = [
        ("/a~1b", "pack.config.token"),
        ("/list/0", "items[index]"),
        ("/list/0", "index"),
        ("/list/0", "result().n"),
    ];
    assert_eq!(references, wanted.map(|(at, path)| (at.to_owned(), path.to_owned())));
}

#[test]
fn secrets_resolve_in_the_second_go_and_only_where_the_author_asked() {
    let event = json!({"text": "{{ keystore.db }}", "sly": "{", "n": 5});
    let template = Template::parse(&json!({
        "author": "{{ keystore.db }}",
        "mixed": "{{ event.n }} {{ event.text }} {{event.sly}}{{ keystore.db|upper }}",
        "guest": "{{ event.text }}",
    }));
    let mut rendered = template
        .render_for_later(&Scope::lenient().root("event", &event).defer("keystore"))
        .expect("renders");
    assert_eq!(rendered.deferred, ["/author", "/mixed"]);
    assert_eq!(rendered.value["author"], "{{ keystore.db }}", "kept as written");
    assert_eq!(rendered.value["guest"], "{{ keystore.db }}", "a payload's text, not a template");

    let keystore = json!({"db": "pw"});
    let scope = Scope::strict().root("keystore", &keystore);
    render_deferred(&mut rendered.value, &rendered.deferred, &scope).expect("renders");
    assert_eq!(
        rendered.value,
        json!({"author": "pw", "mixed": "5 {{ keystore.db }} {PW", "guest": "{{ keystore.db }}"})
    );
}

#[test]
fn time_and_ids_come_from_the_scope() {
    let now = "2026-01-02T03:04:05Z".parse().expect("a moment");
    let count = std::cell::Cell::new(0);
    let ids = || {
        count.set(count.get() + 1);
        format!("id{}", count.get())
    };
    let template = Template::parse(&json!({"at": "{{ now() }}", "ids": "{{ [uuid(), uuid()] }}"}));
    let rendered = template.render(&Scope::strict().now(now).uuid(&ids));
    assert_eq!(rendered, Ok(json!({"at": "2026-01-02T03:04:05Z", "ids": ["id1", "id2"]})));
}

#[test]
fn a_root_made_of_fields_is_an_object() {
    let payload = json!({"a": [1]});
    let scope = || {
        Scope::strict().fields(
            "event",
            vec![("id", Cow::Owned(json!(4))), ("payload", Cow::Borrowed(&payload))],
        )
    };
    for (expression, wanted) in [
        ("event.id", json!(4)),
        ("event.payload.a.0", json!(1)),
        ("event", json!({"id": 4, "payload": {"a": [1]}})),
        ("keys(event)", json!(["id", "payload"])),
    ] {
        let value =
            Expression::parse(expression).and_then(|expression| expression.evaluate(&scope()));
        assert_eq!(value, Ok(wanted), "{expression}");
    }
}

#[test]
fn an_expression_holds_if_its_value_is_truthy() {
    for (expression, wanted) in [
        ("{{ x.n > 5 }}", true),
        (" {{ x.list }}", true),
        ("x.empty", false),
        ("0.0", false),
        ("{}", false),
        ("x.nothing", false),
        ("x.hosts[0].up", true),
    ] {
        let data = data();
        let holds = Expression::parse(expression)
            .and_then(|parsed| parsed.holds(&Scope::strict().root("x", &data)));
        assert_eq!(holds, Ok(wanted), "{expression}");
    }
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_passes_through_the_engine_unchanged(value in json()) {
            let scope = Scope::strict().root("v", &value);
            let through = Expression::parse("[v][0]").and_then(|expression| expression.evaluate(&scope));
            prop_assert_eq!(through, Ok(value));
        }

        #[test]
        fn a_value_equals_itself_and_survives_json(value in json()) {
            let scope = Scope::strict().root("v", &value);
            let holds = Expression::parse("v == v and fromjson(tojson(v)) == v").and_then(|parsed| parsed.holds(&scope));
            prop_assert_eq!(holds, Ok(true));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[a-z0-9.'\"(){}\\[\\]|+*/<>=! ,:-]{0,40}") {
            if let Ok(expression) = Expression::parse(&text) {
                let _ = expression.evaluate(&Scope::lenient());
                let _ = expression.evaluate(&Scope::strict());
            }
        }

        #[test]
        fn a_template_without_braces_renders_to_itself(value in json()) {
            prop_assume!(!super::super::contains_template(&value.to_string()));
            prop_assert_eq!(Template::parse(&value).render(&Scope::strict()), Ok(value));
        }
    }
}
