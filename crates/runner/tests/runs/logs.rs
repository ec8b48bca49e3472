//! Logs while the action runs.

use crate::bench::{Bench, EXECUTION, With, until};
use attune_ports::{LogStream, Runner as _, runner::Invocation};
use attune_runner::{Runner, read_log};
use std::future::pending;

#[tokio::test]
async fn output_can_be_read_while_the_action_runs() {
    let bench = Bench::new();
    let go = bench.pack().join("go");
    let code = format!(
        "echo first; echo problem >&2; until [ -e {} ]; do :; done; echo last",
        go.display()
    );
    let runner = Runner::new(bench.config.clone());
    let run = runner.run(bench.code(&code), Box::pin(pending()));
    let watch = async {
        until("first output is in the logs", || {
            bench.log(LogStream::Stdout).as_deref() == Some("first\n")
                && bench.log(LogStream::Stderr).as_deref() == Some("problem\n")
        })
        .await;
        let logs = &bench.config.logs_dir;
        let seen = read_log(logs, EXECUTION, LogStream::Stdout, 2, 3).await;
        assert_eq!(seen.as_deref(), Some(&b"rst"[..]));
        std::fs::write(go, "").unwrap();
    };
    let (outcome, ()) = tokio::join!(run, watch);
    assert_eq!(outcome.result["stdout"], "first\nlast\n");
    assert_eq!(bench.log(LogStream::Stdout).as_deref(), Some("first\nlast\n"));
}

#[tokio::test]
async fn a_secret_printed_in_two_pieces_is_never_in_the_log() {
    let bench = Bench::new();
    let go = bench.pack().join("go");
    let code =
        format!("printf 'pw: hun'; until [ -e {} ]; do :; done; printf 'ter2.'", go.display());
    let runner = Runner::new(bench.config.clone());
    let run = runner.run(bench.code(&code).hiding(&["hunter2"]), Box::pin(pending()));
    let watch = async {
        until("the first piece has arrived", || bench.log(LogStream::Stdout).is_some()).await;
        assert_eq!(bench.log(LogStream::Stdout).as_deref(), Some("pw: "));
        std::fs::write(go, "").unwrap();
    };
    let (outcome, ()) = tokio::join!(run, watch);
    assert_eq!(outcome.result["stdout"], "pw: [REDACTED].");
    assert_eq!(bench.log(LogStream::Stdout).as_deref(), Some("pw: [REDACTED]."));
}

#[tokio::test]
async fn a_silent_action_has_no_log_files() {
    let bench = Bench::new();
    bench.run(bench.code(":")).await;
    assert_eq!(bench.log(LogStream::Stdout), None);
    assert_eq!(bench.log(LogStream::Stderr), None);
}

#[tokio::test]
async fn a_later_attempt_starts_its_logs_afresh() {
    let bench = Bench::new();
    bench.run(bench.code("echo a long line; echo problem >&2; exit 1")).await;
    let second = Invocation { attempt: 2, ..bench.code("echo short") };
    bench.run(second).await;
    assert_eq!(bench.log(LogStream::Stdout).as_deref(), Some("short\n"));
    assert_eq!(bench.log(LogStream::Stderr), None);
}
