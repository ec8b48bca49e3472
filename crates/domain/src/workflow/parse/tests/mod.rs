//! What is read from good workflows; what is said of others is in `mistakes`.

mod mistakes;

use crate::template::Scope;
use crate::workflow::Definition;
use crate::workflow::definition::{
    Backoff, Cancellation, Dialect, Input, Join, Quantity, Target, Task, Work,
};
use serde_json::{Value, json};

fn read(graph: Value) -> Definition {
    let (definition, problems) = Definition::check(&graph, None);
    assert!(problems.is_empty(), "{problems:?} of {graph}");
    definition.unwrap()
}

/// The transitions of a task in words: condition, what is published, where it leads.
fn transitions(definition: &Definition, task: &Task) -> Vec<(String, Vec<String>, Vec<String>)> {
    let target = |target: &Target| match target {
        Target::Task(index) => definition.tasks[*index].name.clone(),
        other => format!("{other:?}"),
    };
    let entries = task.transitions.iter();
    entries
        .map(|it| {
            (
                it.when.as_ref().map(|when| when.text.clone()).unwrap_or_default(),
                it.publish.iter().map(|it| it.name.clone()).collect(),
                it.to.iter().map(target).collect(),
            )
        })
        .collect()
}

fn fixed(quantity: Option<&Quantity>) -> Option<f64> {
    match quantity {
        Some(Quantity::Fixed(number)) => Some(*number),
        _ => None,
    }
}

#[test]
fn a_list_of_tasks_is_read_with_the_defaults_of_its_form() {
    let definition = read(json!({
        "version": "1.0",
        "vars": {"count": 0},
        "output_map": {"n": "{{ workflow.count }}"},
        "cancellation_policy": "cancel_running",
        "step_limit": 50,
        "tasks": [
            {"name": "first", "action": "core.echo", "with_items": "{{ [1, 2] }}",
             "input": {"message": "{{ item }}"}, "timeout": 30, "delay": "{{ vars.count }}",
             "retry": {"count": 3, "delay": 2, "backoff": "exponential", "max_delay": 60,
                       "on_error": "busy", "jitter": 0.5},
             "next": [{"when": "{{ succeeded() }}", "publish": [{"count": 1}], "do": ["second"]}]},
            {"name": "second", "type": "workflow", "action": "core.other", "__chart_meta__": {"x": 1}}
        ],
    }));
    assert_eq!(definition.dialect, Dialect::Classic);
    assert_eq!(definition.cancellation, Cancellation::CancelRunning);
    assert_eq!(definition.step_limit, Some(50));
    assert_eq!(definition.vars[0].0, "count");
    assert_eq!(definition.output[0].0, "n");
    let [first, second] = definition.tasks.as_slice() else { panic!("two tasks") };
    let items = first.items.as_ref().unwrap();
    assert_eq!(fixed(items.concurrency.as_ref()), Some(1.0), "one after the other");
    assert!(items.names.is_empty());
    let retry = first.retry.as_ref().unwrap();
    assert_eq!(fixed(Some(&retry.count)), Some(3.0));
    assert_eq!(retry.backoff, Backoff::Exponential);
    assert_eq!(retry.on_error.as_deref(), Some("busy"));
    assert_eq!(fixed(first.timeout.as_ref()), Some(30.0));
    assert!(matches!(first.delay, Some(Quantity::Rendered(_))));
    let Work::Action(call) = &second.work else { panic!("an action") };
    assert!(matches!(call.input, Input::Inherited), "the workflow's own parameters");
    assert_eq!(definition.entry_points(), [0]);
    assert_eq!(definition.inbound(1), [0]);
    assert_eq!(definition.task("second"), Some(1));
    assert_eq!(definition.task("third"), None);
}

#[test]
fn a_mapping_of_tasks_is_read_with_the_defaults_of_its_form() {
    let definition = read(json!({
        "version": 1.0,
        "input": ["hosts", {"text": "hi"}],
        "vars": [{"b": 1}, {"a": 2}],
        "output": [{"done": "{{ ctx().a }}"}],
        "tasks": {
            "greet": {
                "with": "host in {{ ctx().hosts }}",
                "action": "core.echo message=\"hello there\" times=2",
                "next": [
                    {"when": "{{ succeeded() }}", "publish": "a=1 b={{ result() }}", "do": "end, fail"},
                    {"do": ["noop", "continue"]},
                ],
            },
            "end": null,
        },
    }));
    assert_eq!(definition.dialect, Dialect::Orquesta);
    let names: Vec<_> = definition.vars.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["b", "a"], "a list keeps its order");
    assert_eq!(definition.output[0].0, "done");
    let greet = &definition.tasks[definition.task("greet").unwrap()];
    let items = greet.items.as_ref().unwrap();
    assert_eq!((items.names.as_slice(), items.concurrency.is_none()), (&["host".into()][..], true));
    let Work::Action(call) = &greet.work else { panic!("an action") };
    let Input::Given(input) = &call.input else { panic!("its own input") };
    let rendered = input.render(&Scope::strict()).unwrap();
    assert_eq!(rendered, json!({"message": "hello there", "times": 2}));
    assert_eq!(
        transitions(&definition, greet),
        [
            (
                "{{ succeeded() }}".into(),
                vec!["a".into(), "b".into()],
                vec!["end".into(), "Fail".into()]
            ),
            (String::new(), vec![], vec!["Noop".into(), "Continue".into()]),
        ]
    );
    assert!(matches!(definition.tasks[definition.task("end").unwrap()].work, Work::Nothing));
}

#[test]
fn an_input_is_given_or_inherited() {
    let of = |graph: Value| {
        let definition = read(graph);
        match &definition.tasks[0].work {
            Work::Action(call) => match &call.input {
                Input::Inherited => "inherited".to_owned(),
                Input::Given(input) => input.render(&Scope::lenient()).unwrap().to_string(),
            },
            other => panic!("{other:?}"),
        }
    };
    let list = |task: Value| json!({"tasks": [task]});
    let mapping = |task: Value| json!({"tasks": {"a": task}});
    let rows = [
        ("a list without input", list(json!({"name": "a", "action": "p.a"})), "inherited"),
        (
            "a list with an empty input",
            list(json!({"name": "a", "action": "p.a", "input": {}})),
            "inherited",
        ),
        (
            "a list with an input",
            list(json!({"name": "a", "action": "p.a", "input": {"x": 1}})),
            r#"{"x":1}"#,
        ),
        ("a mapping without input", mapping(json!({"action": "p.a"})), "{}"),
        ("parameters in line", mapping(json!({"action": "p.a x=1 y=b"})), r#"{"x":1,"y":"b"}"#),
        ("both", mapping(json!({"action": "p.a x=1", "input": {"y": [2]}})), r#"{"x":1,"y":[2]}"#),
    ];
    for (what, graph, wanted) in rows {
        assert_eq!(of(graph), wanted, "{what}");
    }
}

type Row<'r> = (&'r str, Value, Vec<(&'r str, Vec<&'r str>, Vec<&'r str>)>);

#[test]
fn the_older_keys_become_transitions() {
    let graph = |task: Value| {
        let mut task = task;
        task["name"] = "a".into();
        task["action"] = "p.a".into();
        read(
            json!({"tasks": [task, {"name": "b", "action": "p.b"}, {"name": "c", "action": "p.c"}]}),
        )
    };
    let yes = "{{ succeeded() }}";
    let rows: [Row<'_>; 6] = [
        (
            "each key in its order",
            json!({"on_timeout": "c", "on_complete": "b", "on_failure": "c", "on_success": "b"}),
            vec![
                (yes, vec![], vec!["b"]),
                ("{{ failed() }}", vec![], vec!["c"]),
                ("", vec![], vec!["b"]),
                ("{{ timed_out() }}", vec![], vec!["c"]),
            ],
        ),
        (
            "decisions, the last by default",
            json!({"decision": [{"when": "{{ result().n > 1 }}", "next": "b"}, {"next": "c", "default": true}]}),
            vec![("{{ result().n > 1 }}", vec![], vec!["b"]), ("", vec![], vec!["c"])],
        ),
        (
            "publishing goes with success",
            json!({"publish": [{"x": 1}], "on_failure": "c", "on_success": "b"}),
            vec![(yes, vec!["x"], vec!["b"]), ("{{ failed() }}", vec![], vec!["c"])],
        ),
        (
            "publishing goes with the first entry where none asks for success",
            json!({"publish": ["x"], "on_complete": "b"}),
            vec![("", vec!["x"], vec!["b"])],
        ),
        (
            "publishing alone asks for success",
            json!({"publish": ["x"]}),
            vec![(yes, vec!["x"], vec![])],
        ),
        ("nothing follows", json!({}), vec![]),
    ];
    for (what, task, wanted) in rows {
        let definition = graph(task);
        let found = transitions(&definition, &definition.tasks[0]);
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|(when, publish, to)| {
                let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
                (when.to_owned(), owned(publish), owned(to))
            })
            .collect();
        assert_eq!(found, wanted, "{what}");
    }
}

#[test]
fn joins_count_the_tasks_that_lead_to_them() {
    let definition = read(json!({"tasks": [
        {"name": "a", "action": "p.a", "next": [{"do": ["j", "a"]}, {"when": "{{ failed() }}", "do": ["j"]}]},
        {"name": "b", "action": "p.a", "next": [{"do": ["j"]}]},
        {"name": "j", "action": "p.a", "join": "all", "next": [{"do": ["k"]}]},
        {"name": "k", "action": "p.a", "join": 1},
    ]}));
    assert_eq!(definition.entry_points(), [0, 1], "a task that only leads to itself begins");
    assert_eq!(definition.inbound(2), [0, 1], "each task counts once, and never itself");
    assert_eq!(definition.tasks[2].join, Some(Join::All));
    assert_eq!(definition.tasks[3].join, Some(Join::Count(1)));
}

#[test]
fn variables_of_a_mapping_come_after_those_they_look_at() {
    let definition = read(json!({
        "vars": {"a": "{{ vars.b }}", "b": "{{ c }}", "c": 1, "d": "{{ workflow['a'] }}"},
        "tasks": [{"name": "t"}],
    }));
    let names: Vec<_> = definition.vars.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["c", "b", "a", "d"]);
}

#[test]
fn results_that_are_read_by_name_are_known() {
    let of = |input: &str| {
        let definition =
            read(json!({"tasks": [{"name": "a", "action": "p.a", "input": {"x": input}}]}));
        ["a", "b"].map(|name| definition.refers_to().contains(name))
    };
    let rows = [
        ("none", "{{ 1 }}", [false, false]),
        ("a task", "{{ task.a.x }}", [true, false]),
        ("a task in quotes", "{{ tasks['a'] }}", [true, false]),
        ("a task in a longer expression", "{{ [task.a] | length }}", [true, false]),
        ("all of them", "{{ task | length }}", [true, true]),
        ("a computed name", "{{ task[parameters.n] }}", [true, true]),
    ];
    for (what, input, wanted) in rows {
        assert_eq!(of(input), wanted, "{what}");
    }
}

#[test]
fn a_task_that_looks_at_its_own_result_is_known() {
    let next = |transition: Value| json!({"next": [transition]});
    for (what, more, reads) in [
        ("nothing follows", json!({}), false),
        ("whether it succeeded", next(json!({"when": "{{ failed() }}", "do": ["b"]})), false),
        (
            "what it came to",
            next(json!({"when": "{{ result().total_count > 1 }}", "do": ["b"]})),
            true,
        ),
        (
            "a part of it is published",
            next(json!({"publish": [{"x": "{{ result().results[0] }}"}]})),
            true,
        ),
        ("all of it is published", next(json!({"publish": ["x"]})), true),
        (
            "something else is published",
            next(json!({"publish": [{"x": "{{ parameters.n }}"}]})),
            false,
        ),
        ("retried in any case", json!({"retry": {"count": 2, "delay": 1}}), false),
        ("retried after some errors", json!({"retry": {"count": 2, "on_error": "busy"}}), true),
        (
            "retried while it says so",
            json!({"retry": {"count": 2, "when": "{{ result().again }}"}}),
            true,
        ),
        (
            "retried later if it says so",
            json!({"retry": {"count": 2, "delay": "{{ result().wait }}"}}),
            true,
        ),
    ] {
        let mut task = json!({"name": "a", "action": "p.a", "with_items": "{{ parameters.all }}"});
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let by_name = json!({"name": "c", "action": "p.c", "input": {"x": "{{ task.b.x }}"}});
        let definition = read(json!({"tasks": [task, {"name": "b", "action": "p.b"}, by_name]}));
        let found = [0, 1, 2].map(|task| definition.reads_result_of(task));
        assert_eq!(found, [reads, true, false], "{what}");
    }
}

#[test]
fn parallel_tasks_have_branches() {
    let definition = read(json!({"tasks": [
        {"name": "both", "type": "parallel", "tasks": [
            {"name": "x", "action": "p.x", "timeout": 5},
            {"name": "y", "action": "p.y", "input": {"a": 1}},
        ], "next": [{"publish": [{"x": "{{ task.x }}"}]}]},
    ]}));
    let Work::Parallel(branches) = &definition.tasks[0].work else { panic!("a parallel task") };
    assert_eq!(branches[0].name, "x");
    assert_eq!(fixed(branches[0].timeout.as_ref()), Some(5.0));
    assert!(matches!(branches[1].call.input, Input::Given(_)));
}

#[test]
fn items_of_orquesta_are_read_by_their_names() {
    let definition = read(json!({"input": ["xs"], "tasks": {"a": {
        "with": {"items": "x, n in <% zip(ctx().xs, range(3)) %>", "concurrency": "<% 1 + 1 %>"},
        "action": "p.a x=<% item(x) %> all=<% item() %>",
    }}}));
    let items = definition.tasks[0].items.as_ref().unwrap();
    assert_eq!(items.names, ["x", "n"]);
    assert!(matches!(items.concurrency, Some(Quantity::Rendered(_))));
}

proptest::proptest! {
    /// Whatever stands where, reading ends with a definition or with problems.
    #[test]
    fn no_value_panics(
        key in proptest::sample::select(vec![
            "name", "type", "action", "input", "tasks", "when", "with_items", "with", "concurrency", "batch_size",
            "retry", "delay", "timeout", "join", "next", "publish", "on_success", "decision",
            "permission_set_refs", "worker_selector",
        ]),
        value in arbitrary(),
    ) {
        let mut task = serde_json::Map::from_iter([("name".to_owned(), json!("a"))]);
        task.insert(key.to_owned(), value.clone());
        let task = Value::Object(task);
        for graph in [
            json!({"tasks": [task]}),
            json!({"tasks": {"a": task}}),
            json!({key: value, "tasks": [{"name": "a"}]}),
            json!({"vars": value, "output_map": value, "input": value, "output": value, "tasks": {"a": {}}}),
            json!({"tasks": value}),
        ] {
            let (definition, problems) = Definition::check(&graph, None);
            proptest::prop_assert_eq!(definition.is_none(), problems.iter().any(crate::workflow::Problem::is_error));
        }
    }
}

fn arbitrary() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c=. {}<%>'\"in]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                proptest::sample::select(vec![
                    "do", "when", "publish", "items", "count", "x", "tasks", "next"
                ]),
                inner,
                0..4
            )
            .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}
