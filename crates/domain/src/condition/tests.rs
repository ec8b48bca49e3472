//! What conditions mean, as tables of conditions and whether they hold for one event.

use super::{Condition, EventView, Index};
use crate::template::{Expression, Scope};
use serde_json::{Value, json};
use std::borrow::Cow;

fn view(payload: Option<&Value>) -> EventView<'_> {
    EventView {
        id: 42,
        trigger_ref: "core.webhook",
        payload,
        created: "2026-01-02T03:04:05Z",
        now: "2026-01-02T04:00:00Z".parse().expect("a moment"),
    }
}

fn payload() -> Value {
    json!({
        "kind": "Deploy", "size": 3, "ratio": 0.5, "ok": true, "none": null, "tags": ["A", "b"],
        "repo": {"name": "site", "owners": [{"id": 7}, {"id": 8, "admin": true}]},
        "at": "2026-01-02T03:59:00Z", "day": "2026-01-01", "payload": {"inner": 1}, "text": "line one\nline two",
    })
}

fn holds(condition: &Value) -> bool {
    let payload = payload();
    let condition =
        Condition::parse(condition).unwrap_or_else(|error| panic!("{condition}: {error}"));
    condition.holds(&view(Some(&payload)))
}

fn term(field: &str, operator: &str, value: &Value) -> Value {
    json!([{"field": field, "operator": operator, "value": value}])
}

#[test]
fn every_form_of_condition() {
    for (condition, wanted, what) in [
        (json!(null), true, "null is every event"),
        (json!({}), true, "an empty object is every event"),
        (json!([]), true, "an empty list is every event"),
        (json!({"expression": "event.payload.size > 2"}), true, "a bare expression"),
        (json!({"expression": "{{ event.payload.size > 3 }}"}), false, "an expression in braces"),
        (
            json!({"expression": "event.id == 42 and event.trigger == event.trigger_ref"}),
            true,
            "the event's own fields",
        ),
        (json!({"expression": "event.created"}), true, "truthiness decides"),
        (json!({"expression": "event.payload.tags[5]"}), false, "an error is no match"),
        (json!({"expression": "not event.payload.missing"}), false, "not even when negated"),
        (json!({"expression": "event.payload.missing != 1"}), false, "not even for `!=`"),
        (
            json!({"expression": "event.payload.missing == 1 or true"}),
            false,
            "nor in an alternative",
        ),
        (
            json!([{"field": "kind", "operator": "equals", "value": "Deploy"},
                {"field": "size", "operator": "equals", "value": 4}]),
            false,
            "a list means all",
        ),
        (
            json!({"any": [{"field": "size", "operator": "equals", "value": 4},
                        {"field": "size", "operator": "equals", "value": 3}]}),
            true,
            "any of them",
        ),
        (json!({"any": []}), false, "any of none"),
        (json!({"not": {"field": "size", "operator": "equals", "value": 4}}), true, "not"),
        (
            json!({"all": [{"not": {"any": [{"expression": "event.payload.ok"}]}}, {}]}),
            false,
            "nested",
        ),
        (
            json!({"all": [{}], "not": [{"field": "ok", "operator": "equals", "value": true}]}),
            false,
            "groups side by side",
        ),
        (
            json!({"trigger.kind": {"type": "eq", "pattern": "Deploy"},
                "event.payload.size": {"type": "GT", "pattern": 2}}),
            true,
            "criteria",
        ),
        (
            json!({"trigger.size#1": {"type": "gt", "pattern": 2},
                "trigger.size#2": {"type": "lt", "pattern": 3}}),
            false,
            "criteria on one field twice",
        ),
        (
            json!({"trigger.size": {"type": "eq", "pattern": "{{ trigger.size }}"}}),
            true,
            "a pattern may be a template",
        ),
        (
            json!({"trigger.size": {"type": "eq", "pattern": "{{ trigger.missing }}"}}),
            false,
            "that fails: no match",
        ),
        (
            json!({"trigger.none": {"type": "eq", "pattern": null}}),
            false,
            "a null pattern holds for nothing",
        ),
        (
            json!({"trigger.none": {"type": "neq", "pattern": null}}),
            false,
            "but is one to differ from",
        ),
    ] {
        assert_eq!(holds(&condition), wanted, "{what}: {condition}");
    }
}

#[test]
fn fields_are_dotted_paths_into_the_payload() {
    for (field, value, wanted) in [
        ("repo.name", json!("site"), true),
        ("payload.repo.name", json!("site"), true),
        ("event.payload.repo.name", json!("site"), true),
        ("trigger.repo.name", json!("site"), true),
        ("repo.owners.1.id", json!(8), true),
        ("repo.owners.2.id", json!(8), false),
        ("payload.inner", json!(1), true),
        ("kind.length", json!(1), false),
    ] {
        assert_eq!(holds(&term(field, "equals", &value)), wanted, "{field}");
    }
}

#[test]
fn every_operator_in_both_traditions() {
    let rows: [(&str, &str, Value, bool); 70] = [
        ("size", "equals", json!(3.0), true),
        ("size", "eq", json!("3"), false),
        ("none", "equals", json!(null), true),
        ("repo", "equals", json!({"name": "site"}), false),
        ("missing", "equals", json!(null), false),
        ("size", "not_equals", json!(3), false),
        ("size", "nequals", json!(4), true),
        ("missing", "neq", json!(4), true),
        ("kind", "iequals", json!("dEPLOY"), true),
        ("kind", "ieq", json!("build"), false),
        ("size", "ieq", json!("3"), false),
        ("kind", "contains", json!("epl"), true),
        ("kind", "contains", json!("EPL"), false),
        ("tags", "contains", json!("A"), true),
        ("tags", "contains", json!("a"), false),
        ("size", "contains", json!("3"), false),
        ("missing", "contains", json!("a"), false),
        ("kind", "icontains", json!("EPL"), true),
        ("tags", "icontains", json!("B"), true),
        ("tags", "ncontains", json!("c"), true),
        ("tags", "ncontains", json!("b"), false),
        ("size", "ncontains", json!("b"), false),
        ("missing", "ncontains", json!("b"), false),
        ("kind", "incontains", json!("DEP"), false),
        ("kind", "starts_with", json!("Dep"), true),
        ("kind", "startswith", json!("dep"), false),
        ("kind", "istartswith", json!("dep"), true),
        ("kind", "ends_with", json!("loy"), true),
        ("kind", "endswith", json!("LOY"), false),
        ("kind", "iendswith", json!("LOY"), true),
        ("size", "less_than", json!(3.5), true),
        ("size", "lessthan", json!(3), false),
        ("size", "lt", json!("4"), false),
        ("kind", "lt", json!("E"), true),
        ("size", "greater_than", json!(2), true),
        ("ratio", "greaterthan", json!(0.4), true),
        ("missing", "gt", json!(0), false),
        ("size", "in", json!([1, 3.0]), true),
        ("kind", "inside", json!("Deployment"), true),
        ("kind", "in", json!(["deploy"]), false),
        ("size", "not_in", json!([1, 2]), true),
        ("size", "ninside", json!([3]), false),
        ("missing", "nin", json!([1]), true),
        ("size", "nin", json!("123"), false),
        ("kind", "matches", json!("^D.*y$"), true),
        ("kind", "regex", json!("plo"), true),
        ("kind", "regex", json!("^plo"), false),
        ("text", "regex", json!("one.line"), false),
        ("kind", "iregex", json!("DEPLOY"), true),
        ("kind", "matchregex", json!("Dep"), true),
        ("kind", "matchregex", json!("ploy|Dep"), true),
        ("kind", "matchregex", json!("ploy"), false),
        ("text", "matchregex", json!("line.*two"), true),
        ("kind", "matchwildcard", json!("D*o?"), true),
        ("kind", "matchwildcard", json!("[!a-c]eploy"), true),
        ("kind", "matchwildcard", json!("[a.c]eploy"), false),
        ("kind", "matchwildcard", json!("Dep"), false),
        ("kind", "matchwildcard", json!("[D"), false),
        ("at", "timediff_lt", json!(61), true),
        ("at", "td_lt", json!(60), false),
        ("at", "timediff_gt", json!("59.5"), true),
        ("day", "td_gt", json!(100_000), true),
        ("kind", "td_gt", json!(0), false),
        ("ok", "exists", json!(null), true),
        ("none", "exists", json!(null), false),
        ("missing", "exists", json!(null), false),
        ("none", "nexists", json!(null), true),
        ("missing", "nexists", json!(null), true),
        ("ok", "nexists", json!(null), false),
        ("KIND", "EXISTS", json!(null), false),
    ];
    for (field, operator, value, wanted) in rows {
        assert_eq!(holds(&term(field, operator, &value)), wanted, "{field} {operator} {value}");
    }
}

#[test]
fn search_looks_at_the_items_of_a_list() {
    let criteria = json!({
        "item.id": {"type": "gt", "pattern": 7},
        "item.admin": {"type": "exists"},
    });
    let odd = json!({"item.id": {"type": "gt", "pattern": 0}, "item.admin": {"type": "exists"}});
    for (field, how, pattern, wanted, what) in [
        ("repo.owners", "any", &criteria, true, "one item meets all criteria"),
        ("repo.owners", "all", &criteria, false, "not every item does"),
        ("repo.owners", "any2any", &criteria, true, "some item meets some criterion"),
        ("repo.owners", "all2any", &criteria, false, "not every item meets one"),
        ("repo.owners", "all2any", &odd, true, "every item meets one"),
        ("repo.owners.1", "all", &criteria, true, "an object is a list of itself"),
        ("kind", "any", &criteria, false, "text has no items"),
        ("missing", "all", &criteria, false, "nor has nothing"),
    ] {
        let key = format!("trigger.{field}");
        let condition = json!({key: {"type": "search", "condition": how, "pattern": pattern}});
        assert_eq!(holds(&condition), wanted, "{what}");
    }
}

#[test]
fn an_event_without_payload_matches_only_what_holds_of_nothing() {
    for (condition, wanted) in [
        (json!({}), true),
        (term("a", "equals", &json!(1)), false),
        (term("a", "not_equals", &json!(1)), true),
        (term("a", "nexists", &json!(null)), true),
        (json!({"expression": "event.payload == null"}), true),
        (json!({"expression": "event.payload.a == null"}), false),
        (json!({"trigger.a": {"type": "exists"}}), false),
    ] {
        assert_eq!(Condition::parse_lenient(&condition).holds(&view(None)), wanted, "{condition}");
    }
}

#[test]
fn what_cannot_match_is_reported_and_never_holds() {
    for (condition, wanted) in [
        (json!({"field": "a", "operator": "equals", "value": 1}), "not a condition"),
        (json!({"status": "open"}), "not a condition"),
        (json!("event.payload.a"), "not a condition"),
        (json!([{"field": "a", "operator": "is", "value": 1}]), "`0`: there is no operator `is`"),
        (json!([{"operator": "equals", "value": 1}]), "`0`: not a condition"),
        (json!([{"field": "a..b", "operator": "eq"}]), "`0`: `field` must be a dotted path"),
        (json!([{"field": "a", "value": 1}]), "`0`: `operator` must be the name of an operator"),
        (
            json!({"any": [[{"field": "a", "operator": "matches", "value": "("}]]}),
            "`any.0.0`: `matches` takes a regular expression",
        ),
        (json!({"any": {}}), "`any`: `any` must be a list"),
        (
            json!([{"field": "a", "operator": "in", "value": 5}]),
            "`0`: `in` takes a list, a string or an object",
        ),
        (
            json!([{"field": "a", "operator": "lt", "value": [1]}]),
            "`0`: `lt` takes a number or a string",
        ),
        (
            json!({"expression": "event.payload.a ="}),
            "`event.payload.a =`: expected the end of the expression, found `=` (character 17)",
        ),
        (json!({"expression": 1}), "`expression` must be a string"),
        (
            json!({"trigger.a": {"type": "search", "pattern": {}}}),
            "`trigger.a`: `condition` must be `any`, `all`, `any2any` or `all2any`",
        ),
        (
            json!({"trigger.a": {"pattern": 1}}),
            "`trigger.a`: `type` must be the name of an operator",
        ),
    ] {
        let error = Condition::parse(&condition).expect_err(&condition.to_string()).to_string();
        assert!(error.starts_with(wanted), "{condition}: {error}");
        assert!(
            !Condition::parse_lenient(&condition).holds(&view(Some(&payload()))),
            "{condition}"
        );
    }
    let deep = (0..100).fold(json!({}), |inner, _| json!({"not": inner}));
    assert!(Condition::parse(&deep).is_err(), "nesting is bounded");
}

#[test]
fn conditions_tell_the_scalar_they_require() {
    for (condition, wanted) in [
        (term("payload.kind", "eq", &json!("x")), Some(("kind", json!("x")))),
        (
            json!({"expression": "event.payload.a.b == 3 and event.payload.c > 1"}),
            Some(("a.b", json!(3))),
        ),
        (
            json!({"expression": "'x' == event.payload['a'] and length(event.payload.c) > 1"}),
            Some(("a", json!("x"))),
        ),
        (
            json!({"all": [{"expression": "event.payload.a"}, {"trigger.b": {"type": "eq", "pattern": true}}]}),
            Some(("b", json!(true))),
        ),
        (json!({"expression": "event.payload.a == 3 or event.payload.a == 4"}), None),
        (json!({"any": [{"field": "a", "operator": "eq", "value": 1}]}), None),
        (json!({"not": {"field": "a", "operator": "eq", "value": 1}}), None),
        (term("a", "eq", &json!([1])), None),
        (term("a", "neq", &json!(1)), None),
    ] {
        let parsed = Condition::parse(&condition).expect("reads");
        let key = parsed.equality_key().map(|(path, value)| (path, value.clone()));
        assert_eq!(key, wanted.map(|(path, value)| (path.to_owned(), value)), "{condition}");
    }
}

#[test]
fn an_index_asks_only_the_conditions_that_may_hold() {
    let conditions = (0..1000).map(|n| {
        let condition = if n % 10 == 9 {
            term("size", "gt", &json!(n))
        } else {
            term("n", "equals", &json!(n))
        };
        (Condition::parse(&condition).expect("reads"), n)
    });
    let index = Index::new(conditions);
    let payload = json!({"n": 7.0, "size": 20});
    let event = view(Some(&payload));
    assert_eq!(index.len(), 1000);
    assert_eq!(
        index.candidates(&event).count(),
        101,
        "one by its value and a hundred that have none"
    );
    assert_eq!(index.matches(&event).copied().collect::<Vec<_>>(), [7, 9, 19]);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2..3_i64).prop_map(Value::from),
            (-2..3_i32).prop_map(|n| Value::from(f64::from(n) / 2.0)),
            "[ab]{0,2}".prop_map(Value::from),
        ]
    }

    fn payloads() -> impl Strategy<Value = Option<Value>> {
        let member = prop_oneof![
            3 => scalar(),
            1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
            1 => prop::collection::btree_map("[ab]", scalar(), 0..2)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ];
        prop::option::of(
            prop::collection::btree_map("[ab]", member, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        )
    }

    fn comparison() -> impl Strategy<Value = String> {
        let path = prop::sample::select(vec![
            "event.payload.a",
            "event.payload.b",
            "event.payload.a.b",
            "event.payload.a.0",
        ]);
        let operator = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
        (path, operator, scalar(), any::<bool>()).prop_map(|(path, operator, value, mirrored)| {
            if mirrored {
                format!("{value} {operator} {path}")
            } else {
                format!("{path} {operator} {value}")
            }
        })
    }

    fn expression() -> impl Strategy<Value = String> {
        let part = prop_oneof![4 => comparison(), 1 => comparison().prop_map(|inner| format!("not ({inner})"))];
        let joined = prop::sample::select(vec![" and ", " or "]);
        (prop::collection::vec(part, 1..4), joined).prop_map(|(parts, by)| parts.join(by))
    }

    proptest! {
        #[test]
        fn terms_made_from_an_expression_answer_as_the_expression(text in expression(), payload in payloads()) {
            let event = view(payload.as_ref());
            let null = Value::Null;
            let scope = Scope::strict().fields("event", vec![("payload", Cow::Borrowed(payload.as_ref().unwrap_or(&null)))]);
            let engine = Expression::parse(&text).expect("reads").holds(&scope).unwrap_or(false);
            let condition = Condition::parse(&json!({"expression": text})).expect("reads");
            prop_assert_eq!(condition.holds(&event), engine);
        }

        #[test]
        fn an_index_finds_what_asking_every_condition_finds(
            texts in prop::collection::vec(expression(), 0..20),
            payload in payloads(),
        ) {
            let conditions: Vec<Condition> =
                texts.iter().map(|text| Condition::parse_lenient(&json!({"expression": text}))).collect();
            let event = view(payload.as_ref());
            let wanted: Vec<usize> =
                (0..conditions.len()).filter(|&number| conditions[number].holds(&event)).collect();
            let index = Index::new(conditions.into_iter().enumerate().map(|(number, condition)| (condition, number)));
            prop_assert_eq!(index.matches(&event).copied().collect::<Vec<_>>(), wanted);
        }
    }
}
