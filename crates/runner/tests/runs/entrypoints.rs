//! Inline code and where processes run.

use crate::bench::{Bench, With};
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::{LogStream, runner::Invocation};
use serde_json::json;

#[tokio::test]
async fn inline_code_has_its_parameters_as_variables_and_nothing_on_stdin() {
    let bench = Bench::new();
    let parameters =
        json!({"name": "it's $HOME", "n": 3, "list": [1, 2], "a-b": true, "none": null});
    let code = "echo \"$name|$PARAM_NAME|$n|$list|$a_b|$PARAM_A_B|$none|\"; cat; env | grep -c '^name=\\|^PARAM_' || :";
    let outcome = bench.run(bench.code(code).with(parameters)).await;
    assert_eq!(outcome.result["stdout"], "it's $HOME|it's $HOME|3|[1,2]|true|true||\n0\n");
    bench.assert_tidy();
}

#[tokio::test]
async fn inline_code_stops_at_the_first_failing_command() {
    let bench = Bench::new();
    let outcome = bench.run(bench.code("echo one\nfalse\necho two")).await;
    assert_eq!(outcome.status, ExecutionStatus::Failed);
    assert_eq!(outcome.result["stdout"], "one\n");
}

#[tokio::test]
async fn inline_code_is_in_a_file_for_its_owner_only() {
    let bench = Bench::new();
    let outcome = bench.run(bench.code("stat -c %a \"$0\"")).await;
    assert_eq!(outcome.result["stdout"], "600\n");
}

#[tokio::test]
async fn inline_code_needs_no_pack() {
    let bench = Bench::new();
    let invocation = Invocation { pack_dir: None, ..bench.code("echo fine") };
    assert_eq!(bench.run(invocation).await.result["stdout"], "fine\n");
}

#[tokio::test]
async fn scripts_run_in_the_root_of_their_pack() {
    let bench = Bench::new();
    let pack = format!("{}\n", bench.pack().display());
    bench.file("tool", "#!/bin/sh\npwd\n", 0o755);
    let here = format!("{}\n", std::env::current_dir().unwrap().display());
    let rows = [
        ("a script", bench.script("pwd"), pack.clone()),
        ("inline code", bench.code("pwd;"), pack),
        ("an executable", Invocation { runtime: Runtime::Native, ..bench.code("tool") }, here),
    ];
    for (case, invocation, expected) in rows {
        assert_eq!(bench.run(invocation).await.result["stdout"], expected, "{case}");
    }
}

#[tokio::test]
async fn a_script_in_a_language_of_its_own_shell_is_run_by_the_configured_one() {
    let mut bench = Bench::new();
    bench.config.interpreters.shell = "/bin/bash".into();
    let outcome = bench.run(bench.script("a=(1 2 3); echo ${#a[@]}; echo done >&2")).await;
    assert_eq!(outcome.result["stdout"], "3\n");
    assert_eq!(bench.log(LogStream::Stderr).as_deref(), Some("done\n"));
}
