//! Rehearsals as tests of a pack, and single workflow files.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use attune_packs::rehearsal::{Verdict, rehearse_all, rehearse_pack};
use attune_packs::{Severity, load, read_workflow};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const FLOW: &str = r#"version: "1.0"
label: Flow
parameters:
  host: {type: string, required: true}
  times: {type: integer, default: 2}
tasks:
  - name: start
    next: [{do: [check, both]}]
  - name: check
    action: core.echo
    input: {message: "{{ parameters.host }}"}
    next: [{when: "{{ failed() }}", do: [undo]}]
  - name: undo
    action: core.echo
  - name: both
    type: parallel
    tasks: [{name: left, action: core.noop}, {name: right, action: core.noop}]
output_map:
  host: "{{ parameters.host }}"
  times: "{{ parameters.times }}"
"#;

/// Pack `demo` with workflow `demo.flow`, and with files.
fn pack(files: &[(&str, &str)]) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let own = [("pack.yaml", "ref: demo\nversion: \"1.0.0\"\n"), ("workflows/flow.yaml", FLOW)];
    for (file, content) in own.iter().chain(files) {
        let path = home.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    home
}

#[test]
fn a_rehearsal_says_what_is_not_as_expected() {
    let expect = "{status: completed, tasks: [check, left, right], result: {host: db1, times: 2}}";
    for (why, text, expected) in [
        (
            "all is well",
            format!("workflow: demo.flow\nparameters: {{host: db1}}\nexpect: {expect}\n"),
            &[][..],
        ),
        (
            "a task fails, and another cleans up",
            "workflow: demo.flow\nparameters: {host: db1}\nresults: {check: {outcome: failed}}\n\
             expect: {status: completed, tasks: [check, left, right, undo]}\n"
                .into(),
            &[],
        ),
        (
            "everything is otherwise",
            "workflow: demo.flow\nparameters: {host: db1, times: 3}\n\
             expect: {status: failed, tasks: [check], result: {times: 2, more: 1}}\n"
                .into(),
            &[
                "the status is 'completed' instead of 'failed'",
                "result.more is missing instead of 1",
                "result.times is 3 instead of 2",
                "the tasks are [\"check\", \"left\", \"right\"] instead of [\"check\"]",
            ],
        ),
        (
            "a parameter is missing, and a result is nobody's",
            "workflow: demo.flow\nresults: {chekc: {}, start: {}, left: {}}\nexpect: {status: failed}\n"
                .into(),
            &[
                "parameters: \"host\" is a required property",
                "no task 'chekc' that executes something",
                "no task 'start' that executes something",
            ],
        ),
        (
            "there is no such workflow",
            "workflow: demo.other\nexpect: {status: failed}\n".into(),
            &["no file of this pack defines workflow 'demo.other'"],
        ),
    ] {
        let home = pack(&[("workflows/tests/one.yaml", &text)]);
        let verdicts = rehearse_all(home.path()).unwrap();
        assert_eq!(verdicts.len(), 1, "{why}");
        let verdict = &verdicts[0];
        assert_eq!(verdict.file, Path::new("workflows/tests/one.yaml"));
        assert_eq!(verdict.differences.len(), expected.len(), "{why}: {verdict:?}");
        for (difference, expected) in verdict.differences.iter().zip(expected) {
            assert!(difference.contains(expected), "{why}: {difference}");
        }
    }
}

#[test]
fn what_is_no_rehearsal_is_told_with_its_line_and_keeps_no_other_from_being_run() {
    let good = "workflow: demo.flow\nparameters: {host: db1}\nexpect: {status: completed}\n";
    for (why, text, expected) in [
        ("no YAML", "workflow: [", "line 1"),
        ("nothing is expected", "workflow: demo.flow\n", "missing field `expect`"),
        (
            "a word too many",
            "workflow: demo.flow\nexpect: {status: failed}\nresult: {}\n",
            "`result`",
        ),
    ] {
        let home = pack(&[("workflows/tests/one.yaml", text), ("workflows/tests/two.yaml", good)]);
        let verdicts = rehearse_all(home.path()).unwrap();
        let [bad, well] = verdicts.as_slice() else { panic!("{why}: {verdicts:?}") };
        assert_eq!(
            (bad.file.as_path(), &bad.workflow),
            (Path::new("workflows/tests/one.yaml"), &None)
        );
        assert!(bad.differences[0].contains(expected), "{why}: {bad:?}");
        assert!(well.passed(), "{why}: {well:?}");
        let of_pack = rehearse_pack(&load(home.path()).unwrap());
        assert_eq!((of_pack.len(), &of_pack[0].differences), (2, &bad.differences), "{why}");
    }
    let home = pack(&[("workflows/broken.yaml", "version: \"1\"\ntasks: {}\n")]);
    let errors = rehearse_all(home.path()).unwrap_err().to_string();
    assert!(errors.contains("broken.yaml:2:8"), "{errors}");
}

#[test]
fn the_rehearsals_of_a_pack_are_so_many_at_most() {
    let good = "workflow: demo.flow\nparameters: {host: db1}\nexpect: {status: completed}\n";
    let names: Vec<_> =
        (0..=500).map(|number| format!("workflows/tests/{number:03}.yaml")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), good)).collect();
    let verdicts = rehearse_all(pack(&files).path()).unwrap();
    let (last, before) = verdicts.split_last().unwrap();
    assert!(before.len() == 500 && before.iter().all(Verdict::passed));
    assert!(last.differences[0].starts_with("not run"), "{last:?}");
}

#[test]
fn a_pack_without_rehearsals_has_none() {
    assert!(rehearse_all(pack(&[]).path()).unwrap().is_empty());
}

#[test]
fn a_file_is_read_as_a_part_of_its_pack_or_alone() {
    let action = "ref: demo.linked\nlabel: Linked\nworkflow_file: workflows/linked.yaml\n\
                  runner_type: shell\nentry_point: \"\"\nparameters: {n: {type: integer}}\n";
    let linked = "version: \"1\"\ntasks: [{name: a, action: core.echo, input: {message: \"{{ parameters.n }}\"}}]\n";
    let home = pack(&[("actions/linked.yaml", action), ("actions/workflows/linked.yaml", linked)]);
    let found = read_workflow(&home.path().join("actions/workflows/linked.yaml"));
    let workflow = found.workflow.unwrap();
    assert_eq!(workflow.reference.as_str(), "demo.linked");
    assert!(workflow.parameters.is_some(), "its action has them");
    assert_eq!((found.problems, found.root.as_path()), (vec![], home.path()));

    let alone = tempfile::tempdir().unwrap();
    let file = alone.path().join("flow.yaml");
    fs::write(&file, FLOW).unwrap();
    let found = read_workflow(&file);
    assert_eq!(found.workflow.unwrap().reference.as_str(), "local.flow");

    fs::write(&file, "version: \"1\"\ntasks:\n  - name: a\n    action: echo\n").unwrap();
    let found = read_workflow(&file);
    let problem = &found.problems[0];
    assert!(found.workflow.is_none());
    assert_eq!((problem.line, problem.severity), (4, Severity::Error), "{problem}");

    let found = read_workflow(&alone.path().join("missing.yaml"));
    assert!(found.workflow.is_none() && found.problems.len() == 1, "{found:?}");
}
