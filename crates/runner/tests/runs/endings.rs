//! Time limits, cancelling, and what processes leave behind.

use crate::bench::{Bench, PATIENCE, With, is_running, pid_in, until};
use attune_domain::{id::ExecutionId, status::ExecutionStatus};
use attune_ports::{LogStream, Runner as _, runner::Outcome};
use attune_runner::{Runner, log_path};
use serde_json::json;
use std::{
    fs,
    future::{pending, ready},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, task::JoinSet};

/// A file in the pack that an action may write its process id to.
fn pid_file(bench: &Bench) -> PathBuf {
    bench.pack().join("pid")
}

/// Runs code and cancels it once it has written a process id; answers that too.
async fn cancel_once_started(bench: &Bench, code: &str) -> (Outcome, i32) {
    let (cancel, cancelled) = oneshot::channel::<()>();
    let runner = Runner::new(bench.config.clone());
    let cancelled = async {
        let _ = cancelled.await;
    };
    let run = runner.run(bench.code(code), Box::pin(cancelled));
    let path = pid_file(bench);
    let watch = async {
        let pid = pid_in(&path).await;
        cancel.send(()).unwrap();
        pid
    };
    tokio::join!(run, watch)
}

#[tokio::test]
async fn the_time_limit_ends_a_run() {
    let bench = Bench::new();
    let code = "echo before; sleep 300";
    let mut outcome = bench.run(bench.code(code).within(Duration::from_millis(500))).await;
    assert_eq!(outcome.status, ExecutionStatus::Failed);
    let duration = outcome.result.as_object_mut().unwrap().remove("duration_ms").unwrap();
    assert!((500..20_000).contains(&duration.as_u64().unwrap()), "{duration}");
    assert_eq!(
        outcome.result,
        json!({
            "exit_code": -1, "succeeded": false, "timed_out": true, "stdout": "before\n",
            "error": "Execution timed out after 0.5 seconds",
        })
    );
    bench.assert_tidy();
}

#[tokio::test]
async fn output_without_end_does_not_keep_from_the_time_limit() {
    let mut bench = Bench::new();
    bench.config.max_output_bytes = 1024;
    let outcome = bench.run(bench.code("yes").within(Duration::from_secs(1))).await;
    assert_eq!(outcome.result["error"], "Execution timed out after 1 seconds");
    assert_eq!(outcome.result["stdout_truncated"], true);
}

#[tokio::test]
async fn cancelling_asks_before_it_kills() {
    let bench = Bench::new();
    let code = format!(
        "trap 'echo tidied; exit 7' TERM; echo $$ > {}; while :; do sleep 0.05; done 2>/dev/null",
        pid_file(&bench).display()
    );
    let (mut outcome, pid) = cancel_once_started(&bench, &code).await;
    assert_eq!(outcome.status, ExecutionStatus::Cancelled);
    outcome.result.as_object_mut().unwrap().remove("duration_ms").unwrap();
    assert_eq!(
        outcome.result,
        json!({
            "exit_code": 7, "succeeded": false, "cancelled": true, "stdout": "tidied\n",
            "error": "Execution cancelled",
        })
    );
    assert!(!is_running(pid));
    bench.assert_tidy();
}

#[tokio::test]
async fn what_ignores_the_request_is_killed_after_the_grace_period() {
    let mut bench = Bench::new();
    bench.config.term_grace = Duration::from_millis(300);
    let code = format!(
        "trap '' TERM; echo $$ > {}; while :; do sleep 1; done",
        pid_file(&bench).display()
    );
    let started = Instant::now();
    let (outcome, pid) = cancel_once_started(&bench, &code).await;
    assert_eq!(
        (outcome.status, &outcome.result["exit_code"]),
        (ExecutionStatus::Cancelled, &json!(-1))
    );
    assert!(started.elapsed() >= Duration::from_millis(300));
    until("the process is gone", || !is_running(pid)).await;
}

#[tokio::test]
async fn the_whole_group_ends_with_its_leader() {
    let bench = Bench::new();
    // A grandchild that holds no pipe of ours, so that only the signal can reach it.
    let code = format!(
        "(sleep 300 >/dev/null 2>&1 </dev/null & echo $! > {}); sleep 300",
        pid_file(&bench).display()
    );
    let (outcome, grandchild) = cancel_once_started(&bench, &code).await;
    assert_eq!(outcome.status, ExecutionStatus::Cancelled);
    until("the grandchild is gone", || !is_running(grandchild)).await;
}

#[tokio::test]
async fn a_grandchild_that_ignores_the_request_is_killed_too() {
    let mut bench = Bench::new();
    bench.config.term_grace = Duration::from_millis(300);
    let code = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {}; while :; do sleep 1; done' >/dev/null 2>&1 & wait",
        pid_file(&bench).display()
    );
    let (outcome, grandchild) = cancel_once_started(&bench, &code).await;
    assert_eq!(outcome.status, ExecutionStatus::Cancelled);
    until("the grandchild is gone", || !is_running(grandchild)).await;
}

#[tokio::test]
async fn a_process_left_behind_with_our_pipes_does_not_hold_up_the_outcome() {
    let mut bench = Bench::new();
    bench.config.drain_grace = Duration::from_millis(200);
    let code = format!("sleep 300 & echo $! > {}; echo done", pid_file(&bench).display());
    let outcome = tokio::time::timeout(PATIENCE, bench.run(bench.code(&code))).await.unwrap();
    assert_eq!(outcome.status, ExecutionStatus::Completed);
    assert_eq!(outcome.result["stdout"], "done\n");
    let left = pid_in(&pid_file(&bench)).await;
    until("what held the pipes is gone", || !is_running(left)).await;
}

#[tokio::test]
async fn a_process_left_behind_may_have_a_last_word() {
    let bench = Bench::new();
    let outcome = bench.run(bench.code("(sleep 0.3; echo late) & echo early")).await;
    assert_eq!(outcome.result["stdout"], "early\nlate\n");
}

#[tokio::test]
async fn a_daemon_that_an_action_started_on_purpose_stays() {
    let bench = Bench::new();
    let code =
        format!("sleep 300 >/dev/null 2>&1 </dev/null & echo $! > {}", pid_file(&bench).display());
    let outcome = bench.run(bench.code(&code)).await;
    assert_eq!(outcome.status, ExecutionStatus::Completed);
    let daemon = pid_in(&pid_file(&bench)).await;
    assert!(is_running(daemon));
    assert_eq!(attune_runner::reap(&bench.config.work_dir, &bench.config.instance).unwrap(), 0);
    assert!(is_running(daemon), "a restart of the server leaves it alone too");
    let daemon = rustix::process::Pid::from_raw(daemon).unwrap();
    rustix::process::kill_process(daemon, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_run_cancelled_before_it_began_starts_nothing() {
    let bench = Bench::new();
    let started = pid_file(&bench);
    let code = format!("echo $$ > {}", started.display());
    let outcome =
        Runner::new(bench.config.clone()).run(bench.code(&code), Box::pin(ready(()))).await;
    assert_eq!(outcome.status, ExecutionStatus::Cancelled);
    assert_eq!(outcome.result["cancelled"], true);
    assert!(!started.exists());
}

#[tokio::test]
async fn a_run_that_is_dropped_takes_its_processes_along() {
    let bench = Bench::new();
    let path = pid_file(&bench);
    let code = format!("sleep 300 & echo $! > {}; wait", path.display());
    let runner = Runner::new(bench.config.clone());
    let pid = tokio::select! {
        _ = runner.run(bench.code(&code), Box::pin(pending())) => panic!("nothing ended it"),
        pid = pid_in(&path) => pid,
    };
    until("the process is gone", || !is_running(pid)).await;
    // The record is left for the next start, which has nothing to kill any more.
    assert_eq!(fs::read_dir(bench.config.work_dir.join("processes")).unwrap().count(), 1);
    let (work, instance) = (bench.config.work_dir.clone(), bench.config.instance.clone());
    assert_eq!(
        tokio::task::spawn_blocking(move || attune_runner::reap(&work, &instance))
            .await
            .unwrap()
            .unwrap(),
        0
    );
    bench.assert_tidy();
}

#[tokio::test]
async fn a_stopped_server_is_cleaned_up_after_by_the_next() {
    let bench = Bench::new();
    let path = pid_file(&bench);
    let code = format!("sleep 300 & echo $! > {}; wait", path.display());
    let runner = Runner::new(bench.config.clone());
    let (work, instance) = (bench.config.work_dir.clone(), bench.config.instance.clone());
    let next_server = async {
        let pid = pid_in(&path).await;
        let reaped = tokio::task::spawn_blocking(move || attune_runner::reap(&work, &instance));
        assert_eq!(reaped.await.unwrap().unwrap(), 2, "the shell and its child");
        assert!(!is_running(pid));
    };
    let (outcome, ()) =
        tokio::join!(runner.run(bench.code(&code), Box::pin(pending())), next_server);
    assert_eq!(
        (outcome.status, &outcome.result["exit_code"]),
        (ExecutionStatus::Failed, &json!(-1))
    );
    assert_eq!(bench.log(LogStream::Stdout), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_runs_at_once_keep_apart() {
    let bench = Bench::new();
    let runner = Arc::new(Runner::new(bench.config.clone()));
    let mut runs = JoinSet::new();
    for execution in (1..=40).map(ExecutionId::new) {
        let mut invocation = bench.code("echo $n; echo $n >&2").with(json!({ "n": execution }));
        invocation.execution = execution;
        let runner = Arc::clone(&runner);
        runs.spawn(async move { (execution, runner.run(invocation, Box::pin(pending())).await) });
    }
    for (execution, outcome) in runs.join_all().await {
        let expected = format!("{execution}\n");
        assert_eq!(outcome.result["stdout"], expected);
        let log = log_path(&bench.config.logs_dir, execution, LogStream::Stderr);
        assert_eq!(fs::read_to_string(log).unwrap(), expected);
    }
    bench.assert_tidy();
}
