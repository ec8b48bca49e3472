//! The result object.

use crate::bench::{Bench, EXECUTION, With};
use attune_domain::catalogue::{OutputFormat, ParameterFormat as Format};
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::{LogStream, runner::Invocation};
use serde_json::{Value, json};

/// The result without its duration, which must be there and be small.
async fn result(bench: &Bench, invocation: Invocation) -> (ExecutionStatus, Value) {
    let mut outcome = bench.run(invocation).await;
    let duration = outcome.result.as_object_mut().unwrap().remove("duration_ms");
    assert!(duration.and_then(|d| d.as_u64()).is_some_and(|d| d < 60_000));
    bench.assert_tidy();
    (outcome.status, outcome.result)
}

#[tokio::test]
async fn completed_and_failed_runs() {
    use ExecutionStatus::{Completed, Failed};
    let log = |bench: &Bench| {
        let logs_dir = &bench.config.logs_dir;
        let path = attune_runner::log_path(logs_dir, EXECUTION, LogStream::Stderr);
        path.strip_prefix(logs_dir).unwrap().to_str().unwrap().to_owned()
    };
    let bench = Bench::new();
    let log = log(&bench);
    let rows = [
        (
            "silence",
            ":",
            OutputFormat::Text,
            (Completed, json!({"exit_code": 0, "succeeded": true})),
        ),
        (
            "text",
            "echo hi",
            OutputFormat::Text,
            (Completed, json!({"exit_code": 0, "succeeded": true, "stdout": "hi\n"})),
        ),
        (
            "parsed output takes the place of text",
            "echo log; echo '{\"a\": 1, \"queue_ack\": \"done\"}'",
            OutputFormat::Json,
            (
                Completed,
                json!({
                    "exit_code": 0, "succeeded": true, "queue_ack": "done",
                    "data": {"a": 1, "queue_ack": "done"},
                }),
            ),
        ),
        (
            "output that does not parse is no failure",
            "echo '{\"a\":'",
            OutputFormat::Json,
            (Completed, json!({"exit_code": 0, "succeeded": true, "stdout": "{\"a\":\n"})),
        ),
        (
            "JSON lines",
            "echo 1; echo x; echo 2",
            OutputFormat::Jsonl,
            (Completed, json!({"exit_code": 0, "succeeded": true, "data": [1, 2]})),
        ),
        (
            "YAML",
            "echo 'a: [x]'",
            OutputFormat::Yaml,
            (Completed, json!({"exit_code": 0, "succeeded": true, "data": {"a": ["x"]}})),
        ),
        (
            "standard error of a success is in its log",
            "echo warning >&2",
            OutputFormat::Text,
            (Completed, json!({"exit_code": 0, "succeeded": true, "stderr_log": log})),
        ),
        (
            "blank standard error is nothing",
            "echo >&2",
            OutputFormat::Text,
            (Completed, json!({"exit_code": 0, "succeeded": true})),
        ),
        (
            "a failure, with its output unparsed",
            "echo '{}'; echo broken >&2; exit 3",
            OutputFormat::Json,
            (
                Failed,
                json!({
                    "exit_code": 3, "succeeded": false, "stdout": "{}\n",
                    "error": "broken", "stderr_log": log,
                }),
            ),
        ),
        (
            "a silent failure",
            "exit 4",
            OutputFormat::Text,
            (
                Failed,
                json!({"exit_code": 4, "succeeded": false, "error": "Command exited with code 4"}),
            ),
        ),
        (
            "a failure of many words",
            "printf '1\\n2\\n3\\n4\\n5\\nthe end\\n' >&2; exit 1",
            OutputFormat::Text,
            (
                Failed,
                json!({
                    "exit_code": 1, "succeeded": false, "error": "the end", "stderr_log": log,
                }),
            ),
        ),
        (
            "the end by a signal",
            "kill -9 $$",
            OutputFormat::Text,
            (
                Failed,
                json!({"exit_code": -1, "succeeded": false, "error": "Command exited with code -1"}),
            ),
        ),
    ];
    for (case, code, format, expected) in rows {
        // As a later attempt, so that each row starts with fresh logs.
        let invocation = Invocation { attempt: 2, ..bench.code(code).printing(format) };
        assert_eq!(result(&bench, invocation).await, expected, "{case}");
    }
}

#[tokio::test]
async fn invalid_utf8_is_shown_as_far_as_it_can_be() {
    let bench = Bench::new();
    let (status, result) = result(&bench, bench.code("printf 'a\\377b'")).await;
    assert_eq!((status, &result["stdout"]), (ExecutionStatus::Completed, &json!("a\u{fffd}b")));
}

#[tokio::test]
async fn output_over_the_limit_is_cut_and_failure_says_by_how_much() {
    let mut bench = Bench::new();
    bench.config.max_output_bytes = 128 + 10;
    let code = "printf 0123456789abc; printf 0123456789abcdef >&2; exit ";
    let (_, failed) = result(&bench, bench.code(&format!("{code}1"))).await;
    let expected = "0123456789\n\n[OUTPUT TRUNCATED: stdout exceeded size limit]\n";
    assert_eq!(failed["stdout"], expected);
    assert_eq!(bench.log(LogStream::Stdout).as_deref(), Some(expected));
    assert_eq!(
        bench.log(LogStream::Stderr).as_deref(),
        Some("0123456789\n\n[OUTPUT TRUNCATED: stderr exceeded size limit]\n")
    );
    assert_eq!(failed["error"], "0123456789");
    assert_eq!(failed["stdout_truncated"], true);
    assert_eq!(failed["stdout_bytes_truncated"], 3);
    assert_eq!(failed["stderr_truncated"], true);
    assert_eq!(failed["stderr_bytes_truncated"], 6);
    let (_, completed) = result(&bench, bench.code(&format!("{code}0"))).await;
    assert_eq!(completed.get("stdout_truncated"), None, "a success does not mention it");
}

#[tokio::test]
async fn more_output_than_is_kept_does_not_block_the_action() {
    let mut bench = Bench::new();
    bench.config.max_output_bytes = 64 * 1024;
    let (status, result) = result(&bench, bench.code("head -c 3000000 /dev/zero; exit 1")).await;
    assert_eq!(status, ExecutionStatus::Failed);
    assert_eq!(result["stdout_bytes_truncated"], 3_000_000 - (64 * 1024 - 128));
    assert!(bench.log(LogStream::Stdout).unwrap().len() <= 64 * 1024);
}

#[tokio::test]
async fn secrets_are_nowhere_in_result_and_logs() {
    let bench = Bench::new();
    let code = r#"echo "$secret" >&2; printf '{"hunter2": ["a hunter2", 987654]}'"#;
    let invocation = bench
        .code(code)
        .with(json!({"secret": "hunter2"}))
        .hiding(&["hunter2", "987654"])
        .printing(OutputFormat::Json);
    let (_, found) = result(&bench, invocation).await;
    assert_eq!(found["data"], json!({"[REDACTED]": ["a [REDACTED]", "[REDACTED]"]}));
    assert_eq!(bench.log(LogStream::Stderr).as_deref(), Some("[REDACTED]\n"));
    let stdout = bench.log(LogStream::Stdout).unwrap();
    assert_eq!(stdout, r#"{"[REDACTED]": ["a [REDACTED]", [REDACTED]]}"#);

    let failing = bench.code("echo \"no access with hunter2\" >&2; exit 1").hiding(&["hunter2"]);
    let (_, failed) = result(&bench, failing).await;
    assert_eq!(failed["error"], "no access with [REDACTED]");
}

#[tokio::test]
async fn input_that_is_not_read_fails_only_an_action_that_took_its_time() {
    let bench = Bench::new();
    let long = json!({"text": "x".repeat(300_000)});
    let rows = [
        ("a quick success may ignore it", "exit 0", ExecutionStatus::Completed, None),
        ("a failure is its own reason", "exit 5", ExecutionStatus::Failed, Some("stdin")),
        (
            "a slow success has not done its job",
            "sleep 0.6; exit 0",
            ExecutionStatus::Failed,
            Some("stdin"),
        ),
    ];
    for (case, text, expected, error) in rows {
        let outcome = bench.run(bench.script(text).with(long.clone())).await;
        assert_eq!(outcome.status, expected, "{case}: {}", outcome.result);
        let found = outcome.result.get("error").map(|e| e.as_str().unwrap().to_owned());
        assert_eq!(found.is_some(), error.is_some(), "{case}");
        assert!(found.unwrap_or_default().contains(error.unwrap_or_default()), "{case}");
    }
}

#[tokio::test]
async fn what_cannot_be_started_has_an_error_and_no_exit_code() {
    let mut bench = Bench::new();
    bench.config.interpreters.node = "no-such-interpreter".into();
    bench.file("a.js", "", 0o644);
    bench.file("tool", "", 0o644);
    let rows = [
        (Runtime::Node, "a.js", "interpreter no-such-interpreter was not found"),
        (
            Runtime::Python,
            "gone.py",
            "entry point gone.py was not found in the pack's actions folder",
        ),
        (Runtime::Python, "../x.py", "entry point ../x.py lies outside of its pack"),
        (Runtime::Native, "tool", "entry point tool is not executable"),
        (
            Runtime::Native,
            "core.unknown",
            "entry point core.unknown was not found in the pack's actions folder",
        ),
    ];
    for (runtime, entrypoint, error) in rows {
        let invocation = Invocation { runtime, ..bench.code(entrypoint) };
        let outcome = bench.run(invocation).await;
        assert_eq!(outcome.status, ExecutionStatus::Failed);
        assert_eq!(outcome.result, json!({"succeeded": false, "error": error}));
        bench.assert_tidy();
    }
    // A file that somebody is writing is waited for, but not for ever.
    bench.file("tool", "#!/bin/sh\n", 0o755);
    let path = bench.pack().join("actions/tool");
    let writer = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    let invocation = Invocation { runtime: Runtime::Native, ..bench.code("tool") };
    let outcome = bench.run(invocation.clone()).await;
    assert!(outcome.result["error"].as_str().unwrap().starts_with("could not start"));
    drop(writer);
    assert_eq!(bench.run(invocation).await.status, ExecutionStatus::Completed);
    // An executable without a valid format gets as far as the start itself.
    bench.file("tool", "\u{1}", 0o755);
    let invocation = Invocation { runtime: Runtime::Native, ..bench.code("tool") };
    let outcome = bench.run(invocation).await;
    assert!(outcome.result["error"].as_str().unwrap().starts_with("could not start"));
    assert_eq!(outcome.result.get("exit_code"), None);
    bench.assert_tidy();
}

#[tokio::test]
async fn an_executable_has_its_output_tried_as_json_whatever_its_format() {
    let bench = Bench::new();
    bench.file("tool", "#!/bin/sh\ncat\n", 0o755);
    let invocation = Invocation { runtime: Runtime::Native, ..bench.code("tool") };
    let (_, json_out) = result(&bench, invocation.clone().with(json!({"a": 1}))).await;
    assert_eq!(json_out["data"], json!({"a": 1}));
    let yaml = Invocation { parameter_format: Format::Yaml, ..invocation.with(json!({"a": 1})) };
    let (_, text_out) = result(&bench, yaml).await;
    assert_eq!(text_out["stdout"], "a: 1\n\n");
}
