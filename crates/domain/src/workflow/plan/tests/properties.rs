//! What holds of any graph, whatever its executions come to, and in whatever order.

use super::*;
use crate::workflow::plan::{self, children, control};
use crate::workflow::rehearsal::Stage;
use crate::workflow::run::{Outcome, Status};
use proptest::prelude::*;

/// A graph of tasks that lead forward or back, with joins, items and retries.
fn graphs() -> impl Strategy<Value = Value> {
    let shape =
        (prop::collection::vec(0_usize..6, 0..3), 0_u8..3, any::<bool>(), 0_u32..4, 0_u8..3);
    prop::collection::vec(shape, 2..6).prop_map(|shapes| {
        let many = shapes.len();
        let name = |n: usize| format!("t{}", n % many);
        let tasks: Vec<Value> = shapes
            .iter()
            .enumerate()
            .map(|(n, (targets, when, joins, items, retries))| {
                let when = ["{{ succeeded() }}", "{{ failed() }}", "{{ true }}"][*when as usize];
                let targets: std::collections::BTreeSet<String> =
                    targets.iter().map(|t| name(*t)).collect();
                let mut task = task(&name(n), json!({"next": [{"when": when, "do": targets}]}));
                if *items > 0 {
                    task["with_items"] = format!("{{{{ range({items}) }}}}").into();
                    task["concurrency"] = json!(2);
                }
                if *retries > 0 {
                    task["retry"] = json!({"count": retries, "delay": 1});
                }
                if *joins {
                    task["join"] = json!("all");
                }
                task
            })
            .collect();
        json!({"version": "1.0", "step_limit": 40, "tasks": tasks})
    })
}

fn scripts() -> impl Strategy<Value = Script> {
    let end = (0_u8..4, 0_u8..3).prop_map(|(outcome, seconds)| {
        let outcome = ["succeeded", "succeeded", "failed", "timed_out"][outcome as usize];
        json!({"outcome": outcome, "seconds": seconds})
    });
    prop::collection::vec(prop::collection::vec(end, 1..4), 6).prop_map(|ends| {
        let named: Value = ends
            .into_iter()
            .enumerate()
            .map(|(n, ends)| (format!("t{n}"), Value::from(ends)))
            .collect();
        serde_json::from_value(named).expect("a script")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_ends_first_the_run_is_legal_and_ends(
        graph in graphs(), script in scripts(), order in prop::collection::vec(0_usize..5, 40)
    ) {
        let Ok(definition) = Definition::parse(&graph) else { return Ok(()) };
        let mut at = 0;
        let choose = |many: usize| { at += 1; order[at % order.len()] % many };
        let rehearsed = rehearse(&definition, json!({}), json!({}), &script, choose);
        prop_assert!(["completed", "failed"].contains(&rehearsed.status.as_str()), "{rehearsed:?}");
        let begun = rehearsed.happenings.iter().filter(|h| matches!(h.what, What::Begins { .. })).count();
        let ended = rehearsed.happenings.iter().filter(|h| matches!(h.what, What::Ends { .. })).count();
        prop_assert_eq!(begun, ended, "what begins ends before the run does");
    }

    #[test]
    fn a_step_taken_twice_changes_nothing(graph in graphs(), script in scripts(), stop in 0_usize..30) {
        let Ok(definition) = Definition::parse(&graph) else { return Ok(()) };
        let mut stage = Stage::new(&definition, json!({}), json!({}), &script, |_| 0);
        for _ in 0..stop {
            stage.happens();
        }
        for thread in stage.run.threads.keys().copied().collect::<Vec<_>>() {
            // While children run, a step has nothing to do.
            let waits = stage.run.threads[&thread].working().is_some_and(|w| !w.is_done() && !w.has_room());
            if waits {
                let before = stage.run.clone();
                let next = stage.replan(thread);
                prop_assert_eq!(next, plan::Next::Nothing);
                prop_assert_eq!(&before, &stage.run);
            }
        }
    }

    #[test]
    fn a_paused_run_begins_nothing_and_goes_on_where_it_was(graph in graphs(), script in scripts(), stop in 0_usize..20) {
        let Ok(definition) = Definition::parse(&graph) else { return Ok(()) };
        let plain = rehearse(&definition, json!({}), json!({}), &script, |_| 0);
        let mut stage = Stage::new(&definition, json!({}), json!({}), &script, |_| 0);
        for _ in 0..stop {
            stage.happens();
        }
        if control::pause(&mut stage.run).is_ok() {
            let begun = stage.begun();
            stage.play();
            prop_assert_eq!(begun, stage.begun(), "nothing begins");
            for thread in control::resume(&mut stage.run).expect("it is paused") {
                stage.schedule_step(thread);
            }
        }
        stage.play();
        let resumed = stage.close();
        prop_assert_eq!(&resumed.status == "running", false, "{:?}", resumed);
        // Order may differ, and with it who comes first to a task that several lead to: a failure is dealt with only by
        // what it begins. Elsewhere the same happens.
        let tasks = 0..definition.tasks.len();
        if tasks.into_iter().all(|at| definition.inbound(at).len() < 2 && !definition.is_circular(at)) {
            prop_assert_eq!(&plain.status, &resumed.status);
            prop_assert_eq!(plain.happenings.len(), resumed.happenings.len());
        }
    }

    #[test]
    fn a_cancelled_run_ends_when_its_children_have(graph in graphs(), script in scripts(), stop in 0_usize..20) {
        let Ok(definition) = Definition::parse(&graph) else { return Ok(()) };
        let mut stage = Stage::new(&definition, json!({}), json!({}), &script, |_| 0);
        for _ in 0..stop {
            stage.happens();
        }
        if control::cancel(&mut stage.run).is_ok() {
            let begun = stage.begun();
            stage.end_if_over();
            stage.play();
            prop_assert_eq!(begun, stage.begun(), "nothing begins");
            prop_assert_eq!(stage.run.status, Status::Over);
            prop_assert_eq!(stage.close().status, "cancelled");
        }
    }
}

#[test]
fn what_failed_is_done_again_and_nothing_else() {
    let graph = graph(json!([
        task("a", json!({"on_success": "b"})),
        task("b", json!({"with_items": "{{ range(3) }}", "concurrency": 3, "on_success": "c"})),
        task("c", json!({})),
    ]));
    let definition = definition(&graph);
    let script = json!({"b": [{}, {"outcome": "failed"}, {}]});
    let script: Script = serde_json::from_value(script).expect("a script");
    let mut stage = Stage::new(&definition, json!({}), json!({}), &script, |_| 0);
    stage.play();
    assert_eq!(stage.run.status, Status::Over);
    let execution = stage.run.execution;
    let run = control::repeat(&definition, &stage.run, execution, None, stage.run.started);
    let run = run.expect("something has failed");
    assert_eq!(run.threads.len(), 1);
    let thread = &run.threads.values().next().expect("there is one");
    assert_eq!(thread.task, "b");
    let working = thread.working().expect("its items are left");
    assert_eq!((working.tries, working.succeeded, working.next), (1, 2, 0));
    let whole = control::repeat(&definition, &stage.run, execution, Some("a"), run.started);
    let whole = whole.expect("there is such a task");
    assert!(!whole.tasks.contains_key("c") && whole.threads.values().all(|t| t.task == "a"));
    assert!(control::repeat(&definition, &stage.run, execution, Some("x"), run.started).is_err());
}

#[test]
fn an_end_is_settled_by_counting() {
    let graph =
        graph(json!([task("a", json!({"with_items": "{{ range(2) }}", "concurrency": 2}))]));
    let definition = definition(&graph);
    let mut stage = Stage::new(&definition, json!({}), json!({}), &Script::default(), |_| 0);
    stage.happens();
    let settled = children::settle(&mut stage.run, 0, Outcome::Succeeded);
    assert_eq!(settled, children::Settled::Nothing);
    let settled = children::settle(&mut stage.run, 0, Outcome::Succeeded);
    assert_eq!(settled, children::Settled::Done);
}
