//! The planner, by rehearsals: a graph, what its executions come to, and what happens then.

mod properties;

use crate::workflow::Definition;
use crate::workflow::rehearsal::{MOST_HAPPENINGS, Rehearsed, Script, What, rehearse};
use serde_json::{Value, json};

fn definition(graph: &Value) -> Definition {
    Definition::parse(graph).unwrap_or_else(|problems| panic!("{graph}: {problems:?}"))
}

fn play(graph: &Value, parameters: Value, script: Value) -> Rehearsed {
    let script: Script = serde_json::from_value(script).expect("a script");
    rehearse(&definition(graph), parameters, json!({"region": "eu"}), &script, |_| 0)
}

/// What happened, in a line: `+a` begins, `-a` ends, `~a` passes without an execution; items in brackets.
fn line(rehearsed: &Rehearsed) -> String {
    let happened = rehearsed.happenings.iter().map(|happening| {
        let sign = match happening.what {
            What::Begins { .. } => '+',
            What::Ends { .. } => '-',
            What::Passes { .. } => '~',
        };
        let item = happening.item.map(|item| format!("[{item}]")).unwrap_or_default();
        format!("{sign}{}{item}", happening.task)
    });
    happened.collect::<Vec<_>>().join(" ")
}

/// A task in the list form that executes an action of its own name.
fn task(name: &str, more: Value) -> Value {
    let mut task = json!({"name": name, "action": format!("t.{name}"), "input": {}});
    for (key, value) in more.as_object().into_iter().flatten() {
        task[key] = value.clone();
    }
    task
}

fn graph(tasks: Value) -> Value {
    json!({"version": "1.0", "tasks": tasks})
}

#[test]
fn every_way_on() {
    let fails = json!({"outcome": "failed"});
    let times_out = json!({"outcome": "timed_out"});
    for (why, tasks, script, happened, status) in [
        (
            "one after the other",
            json!([task("a", json!({"next": [{"do": ["b"]}]})), task("b", json!({}))]),
            json!({}),
            "+a -a +b -b",
            "completed",
        ),
        (
            "two beginnings",
            json!([task("a", json!({})), task("b", json!({}))]),
            json!({}),
            "+a +b -a -b",
            "completed",
        ),
        (
            "on success, not on failure",
            json!([
                task("a", json!({"on_success": "b", "on_failure": "c"})),
                task("b", json!({})),
                task("c", json!({}))
            ]),
            json!({}),
            "+a -a +b -b",
            "completed",
        ),
        (
            "a failure that is dealt with is none of the workflow's",
            json!([
                task("a", json!({"on_success": "b", "on_failure": "c"})),
                task("b", json!({})),
                task("c", json!({}))
            ]),
            json!({"a": fails}),
            "+a -a +c -c",
            "completed",
        ),
        (
            "running out of time is a failure",
            json!([task("a", json!({"on_failure": "c"})), task("c", json!({}))]),
            json!({"a": times_out}),
            "+a -a +c -c",
            "completed",
        ),
        (
            "and has a way of its own",
            json!([task("a", json!({"on_timeout": "c"})), task("c", json!({}))]),
            json!({"a": times_out}),
            "+a -a +c -c",
            "completed",
        ),
        (
            "which other failures do not take",
            json!([task("a", json!({"on_timeout": "c"})), task("c", json!({}))]),
            json!({"a": fails}),
            "+a -a",
            "failed",
        ),
        (
            "whatever happened",
            json!([task("a", json!({"on_complete": "b"})), task("b", json!({}))]),
            json!({"a": fails}),
            "+a -a +b -b",
            "completed",
        ),
        (
            "conditions are evaluated as a whole",
            json!([
                task(
                    "a",
                    json!({"next": [
                        {"when": "{{ succeeded() and result().n > 3 }}", "do": ["b"]},
                        {"when": "{{ not failed() and result().n <= 3 }}", "do": ["c"]},
                    ]})
                ),
                task("b", json!({})),
                task("c", json!({})),
            ]),
            json!({"a": {"data": {"n": 2}}}),
            "+a -a +c -c",
            "completed",
        ),
        (
            "all that match are followed",
            json!([
                task("a", json!({"next": [{"do": ["b"]}, {"do": ["c"]}]})),
                task("b", json!({})),
                task("c", json!({}))
            ]),
            json!({}),
            "+a -a +b +c -b -c",
            "completed",
        ),
        (
            "without a join the first to come is the only one",
            json!([
                task("a", json!({"next": [{"do": ["c"]}]})),
                task("b", json!({"next": [{"do": ["c"]}]})),
                task("c", json!({})),
            ]),
            json!({"b": {"seconds": 5}}),
            "+a +b -a +c -c -b",
            "completed",
        ),
        (
            "a join waits for all",
            json!([
                task("a", json!({"next": [{"do": ["c"]}]})),
                task("b", json!({"next": [{"do": ["c"]}]})),
                task("c", json!({"join": "all"})),
            ]),
            json!({"b": {"seconds": 5}}),
            "+a +b -a -b +c -c",
            "completed",
        ),
        (
            "or for as many as it says, and once",
            json!([
                task("a", json!({"next": [{"do": ["d"]}]})),
                task("b", json!({"next": [{"do": ["d"]}]})),
                task("c", json!({"next": [{"do": ["d"]}]})),
                task("d", json!({"join": 2})),
            ]),
            json!({"c": {"seconds": 5}}),
            "+a +b +c -a -b +d -d -c",
            "completed",
        ),
        (
            "a join that cannot be met is the workflow's failure",
            json!([
                task("a", json!({"next": [{"do": ["c"]}]})),
                task("b", json!({"on_failure": "c"})),
                task("c", json!({"join": "all"})),
            ]),
            json!({}),
            "+a +b -a -b",
            "failed",
        ),
        (
            "what is skipped counts as succeeded",
            json!([
                task("a", json!({"when": "{{ parameters.on }}", "on_success": "b"})),
                task("b", json!({}))
            ]),
            json!({}),
            "~a +b -b",
            "completed",
        ),
        (
            "a loop goes round while its condition holds",
            json!([
                task(
                    "a",
                    json!({"next": [{"publish": [{"n": "{{ workflow.n + 1 }}"}], "do": ["b"]}]})
                ),
                task("b", json!({"next": [{"when": "{{ n < 3 }}", "do": ["a"]}]})),
                task("start", json!({"next": [{"publish": [{"n": 0}], "do": ["a"]}]})),
            ]),
            json!({}),
            "+start -start +a -a +b -b +a -a +b -b +a -a +b -b",
            "completed",
        ),
        (
            "branches do not enter a loop's tasks twice in one round",
            json!([
                task("s", json!({"next": [{"publish": [{"n": 0}], "do": ["a"]}]})),
                task("a", json!({"next": [{"publish": [{"n": "{{ n + 1 }}"}], "do": ["b", "c"]}]})),
                task("b", json!({"next": [{"do": ["d"]}]})),
                task("c", json!({"next": [{"do": ["d"]}]})),
                task("d", json!({"next": [{"when": "{{ n < 2 }}", "do": ["a"]}]})),
            ]),
            json!({"c": {"seconds": 2}}),
            "+s -s +a -a +b +c -b +d -c -d +a -a +b +c -b +d -c -d",
            "completed",
        ),
        (
            "tried again as often as the author says",
            json!([task("a", json!({"retry": {"count": 2, "delay": 10}}))]),
            json!({"a": fails}),
            "+a -a +a -a +a -a",
            "failed",
        ),
        (
            "until it succeeds",
            json!([task("a", json!({"retry": {"count": 5, "delay": 10}}))]),
            json!({"a": [fails, fails, {}]}),
            "+a -a +a -a +a -a",
            "completed",
        ),
        (
            "but not after an error of another kind",
            json!([task("a", json!({"retry": {"count": 5, "delay": 10, "on_error": "refused"}}))]),
            json!({"a": {"outcome": "failed", "result": {"error": "no such host"}}}),
            "+a -a",
            "failed",
        ),
        (
            "items, one at a time",
            json!([task("a", json!({"with_items": "{{ [1, 2] }}"}))]),
            json!({}),
            "+a[0] -a[0] +a[1] -a[1]",
            "completed",
        ),
        (
            "items, several at a time",
            json!([task("a", json!({"with_items": "{{ range(3) }}", "concurrency": 2}))]),
            json!({}),
            "+a[0] +a[1] -a[0] +a[2] -a[1] -a[2]",
            "completed",
        ),
        (
            "one item's failure does not stop the rest, and only it is tried again",
            json!([task(
                "a",
                json!({
                    "with_items": "{{ range(3) }}", "concurrency": 3, "retry": {"count": 1, "delay": 1},
                })
            )]),
            json!({"a": [{}, fails, {}, {}]}),
            "+a[0] +a[1] +a[2] -a[0] -a[1] -a[2] +a[1] -a[1]",
            "completed",
        ),
        (
            "no items at all",
            json!([
                task("a", json!({"with_items": "{{ [] }}", "on_success": "b"})),
                task("b", json!({}))
            ]),
            json!({}),
            "~a +b -b",
            "completed",
        ),
        (
            "in batches",
            json!([task("a", json!({"with_items": "{{ range(5) }}", "batch_size": 2}))]),
            json!({}),
            "+a[0] -a[0] +a[1] -a[1] +a[2] -a[2]",
            "completed",
        ),
        (
            "parallel tasks end together",
            json!([
                {"name": "p", "type": "parallel", "tasks": [task("x", json!({})), task("y", json!({}))],
                 "next": [{"when": "{{ succeeded() }}", "do": ["b"]}]},
                task("b", json!({"when": "{{ task.y.n == 2 }}"})),
            ]),
            json!({"x": {"data": {"n": 1}}, "y": {"data": {"n": 2}, "seconds": 3}}),
            "+x[0] +y[1] -x[0] -y[1] +b -b",
            "completed",
        ),
        (
            "what cannot be rendered is the task's failure",
            json!([
                task("a", json!({"input": {"x": "{{ nothing.there }}"}, "on_failure": "b"})),
                task("b", json!({}))
            ]),
            json!({}),
            "~a +b -b",
            "completed",
        ),
        (
            "what cannot be published is the workflow's",
            json!([
                task(
                    "a",
                    json!({"next": [{"publish": [{"x": "{{ nothing.there }}"}], "do": ["b"]}]})
                ),
                task("b", json!({}))
            ]),
            json!({}),
            "+a -a",
            "failed",
        ),
        (
            "a delay is waited for",
            json!([task("a", json!({"delay": 30}))]),
            json!({}),
            "+a -a",
            "completed",
        ),
    ] {
        let rehearsed = play(&graph(tasks), json!({"on": false}), script);
        assert_eq!(line(&rehearsed), happened, "{why}: {rehearsed:?}");
        assert_eq!(rehearsed.status, status, "{why}: {rehearsed:?}");
    }
}

#[test]
fn time_passes_as_the_author_says() {
    let retried = |backoff: &str| {
        json!([task(
            "a",
            json!({"retry": {"count": 3, "delay": 10, "backoff": backoff, "max_delay": 35}})
        )])
    };
    for (why, tasks, seconds) in [
        ("a delay and a second of work", json!([task("a", json!({"delay": 30}))]), 31.0),
        ("three constant pauses", retried("constant"), 34.0),
        ("growing pauses", retried("linear"), 64.0),
        ("doubling pauses, up to the longest", retried("exponential"), 69.0),
    ] {
        let rehearsed = play(
            &graph(tasks),
            json!({}),
            json!({"a": [{"outcome": "failed"}, {"outcome": "failed"}, {"outcome": "failed"}, {}]}),
        );
        assert_eq!(rehearsed.seconds, seconds, "{why}");
    }
}

#[test]
fn expressions_read_all_scopes() {
    let graph = json!({
        "version": "1.0",
        "vars": {"greeting": "hello", "both": "{{ parameters.name }}!"},
        "tasks": [
            task("a", json!({"next": [{"publish": [{"rev": "{{ result().rev }}"}, "whole"], "do": ["b"]}]})),
            task("b", json!({"input": {
                "parameter": "{{ parameters.name }}", "variable": "{{ greeting }}", "both": "{{ vars.both }}",
                "task": "{{ task.a.rev }}", "raw": "{{ tasks.a.data.rev }}", "published": "{{ workflow.rev }}",
                "config": "{{ config.region }}", "pack": "{{ pack.config.region }}", "whole": "{{ whole.data.rev }}",
                "started": "{{ system.workflow_start }}", "text": "rev {{ rev }} of {{ parameters.name }}",
            }})),
        ],
        "output_map": {"rev": "{{ task.a.rev }}", "missing": "{{ task.a.nothing }}"},
    });
    let rehearsed = play(&graph, json!({"name": "ada"}), json!({"a": {"data": {"rev": 7}}}));
    let input = rehearsed.happenings.iter().find_map(|happening| match &happening.what {
        What::Begins { input, .. } if happening.task == "b" => Some(input.clone()),
        _ => None,
    });
    let expected = json!({
        "parameter": "ada", "variable": "hello", "both": "ada!", "task": 7, "raw": 7, "published": 7,
        "config": "eu", "pack": "eu", "whole": 7, "started": "2026-01-01T00:00:00Z", "text": "rev 7 of ada",
    });
    assert_eq!(input, Some(expected), "{rehearsed:?}");
    assert_eq!(
        (&rehearsed.result["rev"], &rehearsed.result["succeeded"]),
        (&json!(7), &json!(true))
    );
    assert!(rehearsed.result.get("missing").is_none(), "{rehearsed:?}");
    assert!(rehearsed.result["output_errors"]["missing"].is_string(), "{rehearsed:?}");
}

#[test]
fn items_are_gathered_in_their_order() {
    let graph = json!({
        "version": "1.0",
        "tasks": [task("a", json!({"with_items": "{{ ['x', 'y', 'z'] }}", "concurrency": 3, "input": {"i": "{{ item }}{{ index }}"}, "on_failure": "b"})), task("b", json!({}))],
        "output_map": {
            "results": "{{ task.a.results|map(attribute='n') }}", "count": "{{ task.a.total_count }}",
            "failed": "{{ task.a.failed_items }}",
        },
    });
    let script = json!({"a": [
        {"data": {"n": 0}, "seconds": 9}, {"data": {"n": 1}, "outcome": "failed"}, {"data": {"n": 2}},
    ]});
    let rehearsed = play(&graph, json!({}), script);
    let expected = json!({"results": [0, 1, 2], "count": 3, "failed": [1], "succeeded": true});
    assert_eq!(rehearsed.result, expected, "{rehearsed:?}");
    let inputs: Vec<_> = rehearsed
        .happenings
        .iter()
        .filter_map(|happening| match &happening.what {
            What::Begins { input, .. } if happening.task == "a" => Some(input["i"].clone()),
            _ => None,
        })
        .collect();
    assert_eq!(inputs, [json!("x0"), json!("y1"), json!("z2")]);
}

#[test]
fn a_task_without_input_gets_the_workflows_own() {
    let graph = graph(json!([{"name": "a", "action": "t.a"}]));
    let rehearsed = play(&graph, json!({"x": 1}), json!({}));
    assert!(
        matches!(&rehearsed.happenings[0].what, What::Begins { input, .. } if *input == json!({"x": 1})),
        "{rehearsed:?}"
    );
}

#[test]
fn what_failed_is_told_with_its_reason() {
    for (why, tasks, script, error) in [
        (
            "failed tasks by name",
            json!([task("b", json!({})), task("a", json!({}))]),
            json!({"a": {"outcome": "failed"}, "b": {"outcome": "failed"}}),
            "Workflow failed: 2 task(s) failed: a, b",
        ),
        (
            "an unmet join",
            json!([
                task("a", json!({"next": [{"do": ["c"]}]})),
                task("b", json!({"on_failure": "c"})),
                task("c", json!({"join": "all"})),
            ]),
            json!({}),
            "Workflow failed: task 'c' waits for 2 tasks, and only 1 came to it (a); nothing came from b",
        ),
        (
            "an endless loop",
            json!([
                task("s", json!({"on_success": "a"})),
                task("a", json!({"on_success": "b"})),
                task("b", json!({"on_success": "a"})),
            ]),
            json!({}),
            "Workflow failed: the workflow has entered more than 50 tasks",
        ),
    ] {
        let mut graph = graph(tasks);
        graph["step_limit"] = json!(50);
        let rehearsed = play(&graph, json!({}), script);
        assert_eq!(rehearsed.status, "failed", "{why}");
        assert_eq!(rehearsed.result["error"], error, "{why}");
    }
}

#[test]
fn a_rehearsal_in_which_too_much_happens_is_broken_off() {
    let numbers: Vec<u32> = (0..60_000).collect();
    let heavy = "x".repeat(1 << 20);
    for (why, more, parameters, expected) in [
        (
            "too many items",
            json!({"with_items": "{{ parameters.it }}", "input": {"n": "{{ item }}"}}),
            json!({"it": numbers}),
            "50000 happenings",
        ),
        (
            "too many items that begin at once",
            json!({"with_items": "{{ parameters.it }}", "concurrency": 60_000, "input": {"n": "{{ item }}"}}),
            json!({"it": numbers}),
            "50000 happenings",
        ),
        (
            "inputs too large together",
            json!({"with_items": numbers[..100], "concurrency": 100, "input": {"all": "{{ parameters.it }}"}}),
            json!({"it": heavy}),
            "bytes",
        ),
    ] {
        let rehearsed = play(&graph(json!([task("a", more)])), parameters, json!({}));
        assert_eq!(rehearsed.status, "failed", "{why}");
        let error = rehearsed.result["error"].as_str().unwrap_or_default();
        assert!(error.contains("broken off") && error.contains(expected), "{why}: {error}");
        assert!(rehearsed.happenings.len() <= MOST_HAPPENINGS + 1, "{why}");
    }
}
