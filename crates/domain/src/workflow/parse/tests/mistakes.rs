//! What is said of workflows with mistakes.

use crate::workflow::{Definition, Problem};
use serde_json::{Value, json};

/// The problems of a workflow, each as one line.
fn told(graph: &Value) -> Vec<String> {
    let (definition, problems) = Definition::check(graph, None);
    let refused = problems.iter().any(Problem::is_error);
    assert_eq!(definition.is_none(), refused, "{problems:?}");
    problems.iter().map(ToString::to_string).collect()
}

/// Of one task in a list.
fn told_of(task: Value) -> Vec<String> {
    let mut task = task;
    task["name"] = "a".into();
    told(&json!({"tasks": [task]}))
}

#[test]
fn every_mistake_in_a_task_is_told_with_its_field() {
    let rows: Vec<(&str, Value, &[&str])> = vec![
        (
            "an action without a pack",
            json!({"action": "echo"}),
            &["tasks[0].action: 'echo' has no pack: expected 'pack.name'"],
        ),
        (
            "an action in capitals",
            json!({"action": "core.Echo"}),
            &[
                "tasks[0].action: invalid ref 'core.Echo': expected 'pack.name' in lower case, with exactly one dot",
            ],
        ),
        (
            "a computed action",
            json!({"action": "{{ parameters.a }}"}),
            &["tasks[0].action: an action is named, not computed"],
        ),
        (
            "a workflow without a name",
            json!({"type": "workflow"}),
            &["tasks[0]: action: required, since the task is a workflow"],
        ),
        (
            "an unknown type",
            json!({"type": "loop"}),
            &["tasks[0].type: unknown word 'loop', expected one of action, workflow, parallel"],
        ),
        (
            "an unknown key",
            json!({"actoin": "p.a"}),
            &["warning: tasks[0].actoin: unknown key 'actoin': did you mean 'action'?"],
        ),
        (
            "an input that is a list",
            json!({"action": "p.a", "input": [1]}),
            &["tasks[0].input: expected a mapping, or an expression that gives one, found a list"],
        ),
        (
            "an input that is a word",
            json!({"action": "p.a", "input": "x"}),
            &["tasks[0].input: expected a mapping, or an expression that gives one, found text"],
        ),
        (
            "a join of none",
            json!({"join": 0}),
            &["tasks[0].join: expected a whole number from 1 to 4294967295, found another number"],
        ),
        (
            "a join of words",
            json!({"join": "most"}),
            &["tasks[0].join: expected 'all' or a whole number from 1 on, found text"],
        ),
        (
            "a negative timeout",
            json!({"timeout": -1}),
            &["tasks[0].timeout: expected a number from 0 to 31622400, found another number"],
        ),
        (
            "a timeout in words",
            json!({"timeout": "long"}),
            &[
                "tasks[0].timeout: expected a number from 0 to 31622400 or an expression, found text",
            ],
        ),
        (
            "no concurrency",
            json!({"with_items": "{{ [] }}", "concurrency": 0}),
            &["tasks[0].concurrency: expected a number from 1 to 1000000, found another number"],
        ),
        (
            "half a batch",
            json!({"with_items": "{{ [] }}", "batch_size": 1.5}),
            &["tasks[0].batch_size: expected a whole number, found another number"],
        ),
        (
            "concurrency of nothing",
            json!({"concurrency": 2}),
            &["warning: tasks[0].concurrency: has no effect without items"],
        ),
        (
            "items twice",
            json!({"with": "{{ [] }}", "with_items": "{{ [] }}"}),
            &["tasks[0].with: stands beside with_items: one of them is enough"],
        ),
        (
            "items that are a number",
            json!({"with_items": 3}),
            &[
                "tasks[0].with_items: expected a list, or an expression that gives one, found a number",
            ],
        ),
        (
            "a retry without a count",
            json!({"retry": {"delay": 1}}),
            &["tasks[0].retry: count: required, but missing"],
        ),
        (
            "too many retries",
            json!({"retry": {"count": 101}}),
            &["tasks[0].retry.count: expected a number from 1 to 100, found another number"],
        ),
        (
            "an unknown backoff",
            json!({"retry": {"count": 1, "backoff": "cubic"}}),
            &[
                "tasks[0].retry.backoff: unknown word 'cubic', expected one of constant, linear, exponential",
            ],
        ),
        (
            "a longest pause below the first",
            json!({"retry": {"count": 1, "delay": 9, "max_delay": 1}}),
            &["warning: tasks[0].retry.max_delay: less than the delay, which it cuts short"],
        ),
        (
            "an expression that cannot be read",
            json!({"action": "p.a", "input": {"x": ["{{ 1 + }}"]}}),
            &["tasks[0].input.x[0]: `1 +`: expected a value, found the end (character 4)"],
        ),
        (
            "an unknown function",
            json!({"when": "{{ nope(1) }}"}),
            &["tasks[0].when: there is no function 'nope'"],
        ),
        (
            "a condition that is a list",
            json!({"when": []}),
            &["tasks[0].when: expected an expression, found a list"],
        ),
        (
            "an unknown target",
            json!({"next": [{"do": ["b", "A"]}]}),
            &[
                "tasks[0].next[0].do[0]: there is no task 'b': did you mean 'a'?",
                "tasks[0].next[0].do[1]: there is no task 'A': did you mean 'a'?",
            ],
        ),
        (
            "a transition in words",
            json!({"next": "a"}),
            &["tasks[0].next: expected a list of {when, publish, do}, found text"],
        ),
        (
            "older keys beside next",
            json!({"next": [], "on_success": "a"}),
            &["warning: tasks[0].on_success: has no effect beside next"],
        ),
        (
            "a decision without a condition",
            json!({"decision": [{"next": "a"}]}),
            &["tasks[0].decision[0]: when: required, unless default is true"],
        ),
        (
            "parallel without tasks",
            json!({"type": "parallel"}),
            &["tasks[0]: tasks: required, since the task is parallel"],
        ),
        (
            "a branch that goes on",
            json!({"type": "parallel", "tasks": [{"name": "x", "action": "p.x", "next": []}]}),
            &[
                "tasks[0].tasks[0].next: not possible for a task of a parallel task: make it a workflow of its own",
            ],
        ),
        (
            "a branch named like a task",
            json!({"type": "parallel", "tasks": [{"name": "a", "action": "p.x"}]}),
            &["tasks[0].tasks: there are two tasks 'a'"],
        ),
        (
            "publishing a number",
            json!({"next": [{"publish": 5}]}),
            &[
                "tasks[0].next[0].publish: expected a list, or a mapping from names to values, found a number",
            ],
        ),
    ];
    for (what, task, wanted) in rows {
        assert_eq!(told_of(task), wanted, "{what}");
    }
}

#[test]
fn every_mistake_in_a_workflow_is_told_with_its_field() {
    let a = |more: Value| {
        let mut task = json!({"name": "a", "action": "p.a"});
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    let rows: Vec<(&str, Value, &[&str])> = vec![
        ("a list", json!([]), &["expected a mapping with tasks, found a list"]),
        ("no tasks", json!({}), &["tasks: required, but missing"]),
        ("an empty list of tasks", json!({"tasks": []}), &["tasks: expected at least one task"]),
        (
            "tasks in words",
            json!({"tasks": "a"}),
            &["tasks: expected a list or a mapping of tasks, found text"],
        ),
        (
            "a task in words",
            json!({"tasks": [a(json!({})), "b"]}),
            &["tasks[1]: expected a task, found text"],
        ),
        (
            "a task without a name",
            json!({"tasks": [{"action": "p.a"}]}),
            &["tasks[0]: name: required, but missing"],
        ),
        (
            "a name twice",
            json!({"tasks": [a(json!({})), a(json!({}))]}),
            &["tasks[1]: there are two tasks 'a'"],
        ),
        (
            "a reserved name",
            json!({"tasks": [{"name": "item"}]}),
            &["tasks[0].name: 'item' is a reserved name"],
        ),
        (
            "a command as a name",
            json!({"tasks": {"fail": {}}}),
            &["tasks.fail: 'fail' is a command of the engine, not a name for a task"],
        ),
        (
            "variables in words",
            json!({"vars": 1, "tasks": [a(json!({}))]}),
            &["vars: expected a mapping from names to values, found a number"],
        ),
        (
            "variables in a circle",
            json!({"vars": {"x": "{{ vars.y }}", "y": "{{ vars.x }}"}, "tasks": [a(json!({}))]}),
            &["vars: each of these variables needs another one of them: x, y"],
        ),
        (
            "an unknown policy",
            json!({"cancellation_policy": "kill", "tasks": [a(json!({}))]}),
            &[
                "cancellation_policy: unknown word 'kill', expected one of allow_finish, cancel_running",
            ],
        ),
        (
            "no step",
            json!({"step_limit": 0, "tasks": [a(json!({}))]}),
            &["step_limit: expected a whole number from 1 to 1099511627776, found another number"],
        ),
        (
            "a circle",
            json!({"tasks": [a(json!({"next": [{"do": "b"}]})), {"name": "b", "next": [{"do": "a"}]}]}),
            &["warning: tasks: every task follows another one, so that none ever begins"],
        ),
        (
            "a circle aside",
            json!({"tasks": [a(json!({})), {"name": "b", "next": [{"do": "c"}]}, {"name": "c", "next": [{"do": "b"}]}]}),
            &[
                "warning: tasks[1]: nothing leads to task 'b': it only follows itself",
                "warning: tasks[2]: nothing leads to task 'c': it only follows itself",
            ],
        ),
        (
            "a join of nobody",
            json!({"tasks": [a(json!({"join": "all"}))]}),
            &["warning: tasks[0].join: has no effect, since no task leads here"],
        ),
        (
            "a join of too many",
            json!({"tasks": [a(json!({"next": [{"do": "b"}]})), {"name": "b", "join": 2}]}),
            &["tasks[1].join: waits for 2 tasks, but only 1 lead here"],
        ),
        (
            "a join of what comes after it",
            json!({"tasks": [a(json!({"next": [{"do": "b"}]})), {"name": "b", "join": "all", "next": [{"do": "c"}]}, {"name": "c", "next": [{"do": "b"}]}]}),
            &[
                "tasks[1].join: waits for 2 tasks, but only 1 of them can end before this one begins",
            ],
        ),
    ];
    for (what, graph, wanted) in rows {
        assert_eq!(told(&graph), wanted, "{what}");
    }
}

#[test]
fn what_an_expression_looks_at_is_doubted_where_it_is_not_there() {
    let rows = [
        ("a parameter", "{{ parameters.host }}", ""),
        (
            "no parameter",
            "{{ parameters.hots }}",
            "there is no parameter 'hots': did you mean 'host'?",
        ),
        ("a variable", "{{ workflow.seen }}", ""),
        ("a variable that is published", "{{ vars.made }}", ""),
        (
            "no variable",
            "{{ variables.maid }}",
            "there is no variable 'maid': did you mean 'made'?",
        ),
        ("a bare variable", "{{ seen }}", ""),
        ("a bare name that is none", "{{ other }}", "there is no variable 'other'"),
        (
            "a bare parameter",
            "{{ host }}",
            "there is no variable 'host': did you mean 'parameters.host'?",
        ),
        ("a task", "{{ task.a }}", ""),
        ("no task", "{{ task.z }}", "there is no task 'z': did you mean 'a'?"),
        (
            "the item of no list",
            "{{ item }}",
            "`item` is there only in the input of a task with items",
        ),
        (
            "the result of none",
            "{{ result().x }}",
            "result() is that of the task that has just ended, and here none has",
        ),
        (
            "configuration and keys beside each other",
            "{{ [config.a, pack.config.b, system.workflow_start] }}-{{ keystore.c }}{{ kv.d | upper }}",
            "",
        ),
        (
            "a key and something else at once",
            "{{ keystore.c ~ parameters.host }}",
            "an expression of the keystore can look at nothing else, since it is evaluated where the action runs: \
             put the rest into one of its own, beside it",
        ),
    ];
    for (what, text, wanted) in rows {
        let told = told(&json!({
            "parameters": {"host": {"type": "string"}},
            "vars": {"seen": 0},
            "tasks": [{"name": "a", "action": "p.a", "input": {"x": text},
                       "next": [{"publish": [{"made": "{{ result() }}"}]}]}],
        }));
        let wanted: Vec<_> = (!wanted.is_empty())
            .then(|| format!("warning: tasks[0].input.x: {wanted}"))
            .into_iter()
            .collect();
        assert_eq!(told, wanted, "{what}");
    }
}

#[test]
fn expressions_of_orquesta_are_doubted_likewise() {
    let rows = [
        ("an input", "<% ctx().host %>", ""),
        ("an input in Jinja", "{{ ctx('host') }}", ""),
        ("a variable", "<% ctx(seen) %>", ""),
        ("a variable that is published", "on <% ctx().made %>", ""),
        ("no variable", "<% ctx().hots %>", "there is no variable 'hots': did you mean 'host'?"),
        ("all of them", "<% ctx() %>", ""),
        ("a task", "<% task(a).result %>", ""),
        ("no task", "<% task(z).result %>", "there is no task 'z': did you mean 'a'?"),
        (
            "the item of no list",
            "<% item() %>",
            "`item` is there only in the input of a task with items",
        ),
        (
            "the result of none",
            "<% result().x %>",
            "result() is that of the task that has just ended, and here none has",
        ),
    ];
    for (what, text, wanted) in rows {
        let told = told(&json!({
            "input": ["host"],
            "vars": [{"seen": 0}],
            "tasks": {"a": {"action": "p.a", "input": {"x": text},
                            "next": [{"when": "<% succeeded() %>", "publish": "made=<% result().y %>"}]}},
        }));
        let wanted: Vec<_> = (!wanted.is_empty())
            .then(|| format!("warning: tasks.a.input.x: {wanted}"))
            .into_iter()
            .collect();
        assert_eq!(told, wanted, "{what}");
    }
}

#[test]
fn mistakes_in_expressions_of_orquesta_are_told() {
    let graph = json!({"tasks": {"a": {"action": "p.a", "input": {"x": "<% 1 + %>"},
                                       "next": [{"when": "<% succeeded( %>"}]}}});
    let (definition, problems) = Definition::check(&graph, None);
    assert!(definition.is_none());
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["tasks.a.input.x", "tasks.a.next[0].when"]);
}

#[test]
fn parameters_of_the_action_are_known_as_well() {
    let graph =
        json!({"tasks": [{"name": "a", "action": "p.a", "input": {"x": "{{ parameters.y }}"}}]});
    assert_eq!(told(&graph), [""; 0], "a file that names no parameters is not doubted");
    let (_, problems) = Definition::check(&graph, Some(&json!({"z": {"type": "string"}})));
    assert_eq!(problems[0].field, "tasks[0].input.x");
}
