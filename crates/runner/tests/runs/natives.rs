//! The built-ins that run in process.

use crate::bench::{Bench, With, until};
use attune_domain::catalogue::OutputFormat;
use attune_domain::{reference::ComponentRef, status::ExecutionStatus};
use attune_ports::{LogStream, Runner as _, runner::Invocation};
use attune_runner::Runner;
use serde_json::{Value, json};
use std::{future::ready, sync::Arc, time::Duration};

async fn result(bench: &Bench, invocation: Invocation) -> (ExecutionStatus, Value) {
    let mut outcome = bench.run(invocation).await;
    outcome.result.as_object_mut().unwrap().remove("duration_ms").expect("a duration");
    (outcome.status, outcome.result)
}

#[tokio::test]
async fn built_ins_end_as_processes_do() {
    use ExecutionStatus::{Completed, Failed};
    let bench = Bench::new();
    let rows = [
        (
            "echo prints its message",
            ("core.echo", json!({"message": "hi"})),
            (Completed, json!({"exit_code": 0, "succeeded": true, "stdout": "hi\n"})),
        ),
        (
            "echo prints any value",
            ("core.echo", json!({"message": {"a": [1]}})),
            (Completed, json!({"exit_code": 0, "succeeded": true, "stdout": "{\"a\":[1]}\n"})),
        ),
        (
            "echo of nothing is silent",
            ("core.echo", json!({})),
            (Completed, json!({"exit_code": 0, "succeeded": true})),
        ),
        (
            "noop does nothing",
            ("core.noop", json!({})),
            (Completed, json!({"exit_code": 0, "succeeded": true})),
        ),
        (
            "noop fails on demand",
            ("core.noop", json!({"message": "so be it", "exit_code": 3})),
            (
                Failed,
                json!({
                    "exit_code": 3, "succeeded": false, "stdout": "so be it\n",
                    "error": "Command exited with code 3",
                }),
            ),
        ),
        (
            "sleep sleeps and says so",
            ("core.sleep", json!({"seconds": 0.01, "message": "zzz"})),
            (Completed, json!({"exit_code": 0, "succeeded": true, "stdout": "zzz\n"})),
        ),
        (
            "sleep refuses what is no duration",
            ("core.sleep", json!({"seconds": "long"})),
            (
                Failed,
                json!({
                    "exit_code": 1, "succeeded": false,
                    "error": "seconds must be a number of at least 0",
                }),
            ),
        ),
    ];
    for (case, (name, parameters), expected) in rows {
        assert_eq!(result(&bench, bench.native(name, parameters)).await, expected, "{case}");
    }
}

#[tokio::test]
async fn a_built_in_is_found_by_the_ref_of_its_action() {
    let bench = Bench::new();
    let mut invocation = bench.native("echo", json!({"message": "hi"}));
    invocation.action_ref = ComponentRef::parse("core.echo").unwrap();
    assert_eq!(bench.run(invocation).await.result["stdout"], "hi\n");
}

#[tokio::test]
async fn the_output_of_a_built_in_is_redacted_and_parsed_like_any() {
    let bench = Bench::new();
    let echo = bench.native("core.echo", json!({"message": "{\"key\": \"hunter2\"}"}));
    let text = bench.run(echo.clone().hiding(&["hunter2"])).await;
    assert_eq!(text.result["stdout"], "{\"key\": \"[REDACTED]\"}\n");
    let parsed = bench.run(echo.hiding(&["hunter2"]).printing(OutputFormat::Json)).await;
    assert_eq!(parsed.result["data"], json!({"key": "[REDACTED]"}));
    assert_eq!(bench.log(LogStream::Stdout), None, "what is in the result is in no log");
}

#[tokio::test]
async fn sleep_keeps_to_its_time_limit() {
    let bench = Bench::new();
    let sleep = bench.native("core.sleep", json!({"seconds": 300, "message": "zzz"}));
    let outcome = bench.run(sleep.within(Duration::from_millis(20))).await;
    assert_eq!(outcome.status, ExecutionStatus::Failed);
    assert_eq!(outcome.result["timed_out"], true);
    assert_eq!(outcome.result["exit_code"], -1);
    assert_eq!(outcome.result["stdout"], "zzz\n");
}

#[tokio::test]
async fn sleep_can_be_cancelled() {
    let bench = Arc::new(Bench::new());
    let runner = Runner::new(bench.config.clone());
    let sleep = || bench.native("core.sleep", json!({"seconds": 300, "message": "zzz"}));
    let log = Arc::clone(&bench);
    let begun = until("it has begun", move || log.log(LogStream::Stdout).is_some());
    let outcome = runner.run(sleep(), Box::pin(begun)).await;
    assert_eq!(outcome.status, ExecutionStatus::Cancelled);
    assert_eq!(outcome.result["cancelled"], true);
    let outcome = runner.run(sleep(), Box::pin(ready(()))).await;
    assert_eq!(outcome.status, ExecutionStatus::Cancelled, "even before it began");
}
