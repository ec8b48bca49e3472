//! What is said of broken packs: each row is a file of an otherwise good pack and the line about it.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use attune_packs::{Errors, Pack, load};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const MANIFEST: &str = "ref: demo\nversion: \"1.0.0\"\n";

/// Loads pack `demo` with one more file, or with another manifest.
fn load_with(file: &str, content: impl AsRef<[u8]>) -> Result<Pack, Errors> {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "pack.yaml", MANIFEST);
    write(home.path(), file, content);
    load(home.path())
}

fn write(root: &Path, file: &str, content: impl AsRef<[u8]>) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn lines(problems: &[attune_packs::Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(rows: &[(&str, &str, &str)]) {
    for (file, content, line) in rows {
        match load_with(file, content) {
            Err(errors) => assert_eq!(lines(&errors.problems), [*line], "{file}:\n{content}"),
            Ok(_) => panic!("{file} loads:\n{content}"),
        }
    }
}

#[test]
fn a_wrong_manifest() {
    check(&[
        ("pack.yaml", "version: \"1.0.0\"\n", "pack.yaml:1:1: ref: required, but missing"),
        (
            "pack.yaml",
            "ref: Demo\nversion: \"1.0.0\"\n",
            "pack.yaml:1:6: ref: invalid pack ref 'Demo': expected at least two lower-case letters, digits, '_' or '-', starting with a letter",
        ),
        ("pack.yaml", "ref: demo\n", "pack.yaml:1:1: version: required, but missing"),
        (
            "pack.yaml",
            "ref: demo\n\nversion: 1.0\n",
            "pack.yaml:3:10: version: expected text, found a number: put the version in quotes, as in version: \"1.0.0\"",
        ),
        (
            "pack.yaml",
            "ref: demo\nversion: \"\"\n",
            "pack.yaml:2:10: version: expected 1 to 50 characters",
        ),
        (
            "pack.yaml",
            "ref: demo\nversion: \"1.0.0\"\ntags: [a, 7]\n",
            "pack.yaml:3:11: tags[1]: expected text, found a number: put it in quotes",
        ),
        (
            "pack.yaml",
            "ref: demo\nversion: \"1.0.0\"\nconfig_schema:\n  api_key: hunter2\n",
            "pack.yaml:4:12: config_schema.api_key: expected a mapping such as {type: string}, found text",
        ),
        (
            "pack.yaml",
            "ref: demo\nversion: \"1.0.0\"\nsystem: yes\n",
            "pack.yaml:3:9: system: expected true or false, found text",
        ),
        ("pack.yaml", "- ref: demo\n", "pack.yaml:1:1: expected a mapping, found a list"),
        ("pack.yaml", "ref: demo\nref: demo\n", "pack.yaml:2:1: the key 'ref' is there twice"),
    ]);
}

#[test]
fn a_wrong_action() {
    check(&[
        (
            "actions/a.yaml",
            "ref: a\nentry_point: echo\n",
            "actions/a.yaml:1:6: ref: invalid ref 'a': expected 'pack.name' in lower case, with exactly one dot",
        ),
        (
            "actions/a.yaml",
            "ref: other.a\nentry_point: echo\n",
            "actions/a.yaml:1:6: ref: 'other.a' is not of this pack: expected 'demo.…'",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nentry_point: echo\nparameter_delivery: env\n",
            "actions/a.yaml:3:21: parameter_delivery: unknown word 'env', expected one of stdin, file",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nentry_point: echo\noutput_format: xml\n",
            "actions/a.yaml:3:16: output_format: unknown word 'xml', expected one of text, json, yaml, jsonl",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nentry_point: [echo]\nrunner_type: native\n",
            "actions/a.yaml:2:14: entry_point: expected text, found a list",
        ),
        (
            "actions/a.yml",
            "ref: demo.a\nentry_point: echo\nparameters:\n  port:\n    type: int\n",
            "actions/a.yml:5:11: parameters.port.type: unknown type 'int', expected one of string, integer, number, boolean, array, object, null",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nentry_point: echo\nparameters:\n  password: {type: string, secret: hunter2}\n",
            "actions/a.yaml:4:36: parameters.password.secret: expected true or false, found text",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nentry_point: echo\nparameters: [host]\n",
            "actions/a.yaml:3:13: parameters: expected a mapping of parameters, found a list",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nentry_point: ../../a.py\nrunner_type: python3\n",
            "actions/a.yaml:2:14: entry_point: expected a path that stays in the pack",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nworkflow_file: ../../../etc/passwd\n",
            "actions/a.yaml:2:16: workflow_file: expected a path that stays in the pack",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nworkflow_file: workflows/w.yaml\n",
            "actions/a.yaml:2:16: workflow_file: no file actions/workflows/w.yaml",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nentry_point: echo\nlog_retention_limit: 0\n",
            "actions/a.yaml:3:22: log_retention_limit: expected a whole number from 1 on",
        ),
    ]);
}

#[test]
fn a_wrong_rule() {
    check(&[
        (
            "rules/r.yaml",
            "ref: r\naction_ref: core.echo\n",
            "rules/r.yaml:1:1: trigger_ref: required, but missing",
        ),
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: core.alert\naction_ref: Core.Echo\n",
            "rules/r.yaml:3:13: action_ref: invalid ref 'Core.Echo': expected 'pack.name' in lower case, with exactly one dot",
        ),
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: core.alert\naction_ref: core.echo\naction_params:\n  - message\n",
            "rules/r.yaml:5:3: action_params: expected a mapping, found a list",
        ),
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: core.alert\naction_ref: core.echo\nconditions: sometimes\n",
            "rules/r.yaml:4:13: conditions: expected a mapping or a list, found text",
        ),
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: core.alert\naction_ref: core.echo\nenabled: 1\n",
            "rules/r.yaml:4:10: enabled: expected true or false, found a number",
        ),
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: core.alert\naction_ref: core.echo\npermission_set_ref: 7\n",
            "rules/r.yaml:4:21: permission_set_ref: expected text or a list, found a number",
        ),
    ]);
}

#[test]
fn other_wrong_files() {
    check(&[
        (
            "triggers/t.yaml",
            "ref: demo.t\nenabled: \"true\"\n",
            "triggers/t.yaml:2:10: enabled: expected true or false, found text",
        ),
        (
            "triggers/t.yaml",
            "ref: demo.t\ntimer: interval\n",
            "triggers/t.yaml:2:8: timer: expected a mapping, found text",
        ),
        (
            "sensors/s.yaml",
            "ref: demo.s\nentry_point: s\ntrigger_type: core.alert\nmode: forever\n",
            "sensors/s.yaml:4:7: mode: unknown word 'forever', expected one of polled, process",
        ),
        (
            "sensors/s.yaml",
            "ref: demo.s\nentry_point: s\ntrigger_types: [core.alert, core.]\n",
            "sensors/s.yaml:3:29: trigger_types: invalid ref 'core.': expected 'pack.name' in lower case, with exactly one dot",
        ),
        (
            "sensors/s.yaml",
            "ref: demo.s\nentry_point: s\ntrigger_type: core.alert\npoll_interval: 0\n",
            "sensors/s.yaml:4:16: poll_interval: expected a whole number from 1 on",
        ),
        (
            "permission_sets/p.yaml",
            "ref: demo.p\ngrants: all\n",
            "permission_sets/p.yaml:2:9: grants: expected a list, found text",
        ),
        (
            "permission_sets/p.yaml",
            "ref: demo.p\ngrants:\n  - resource: rules\n    actions: [read]\n  - resource: everything\n    actions: [read]\n",
            "permission_sets/p.yaml:5:15: grants[1].resource: unknown word 'everything', expected one of packs, actions, queues, rules, triggers, executions, events, enforcements, inquiries, keys, artifacts, runtimes, workers, retention, identities, permissions, audit_log",
        ),
        (
            "permission_sets/p.yaml",
            "ref: demo.p\ngrants:\n  - {resource: rules, actions: [write]}\n",
            "permission_sets/p.yaml:3:32: grants[0].actions: unknown word 'write', expected one of read, create, install, configure, update, delete, execute, cancel, respond, manage, decrypt",
        ),
        (
            "runtimes/r.yaml",
            "ref: demo.r\nversions: [\"3.12\"]\n",
            "runtimes/r.yaml:2:12: versions[0]: expected a mapping, found text",
        ),
        (
            "policies/p.yaml",
            "ref: demo.one.policy\n",
            "policies/p.yaml:1:6: ref: invalid ref 'demo.one.policy': expected 'pack.name' in lower case, with exactly one dot",
        ),
        (
            "queues/q.yaml",
            "ref: 7\n",
            "queues/q.yaml:1:6: ref: expected text, found a number: put it in quotes",
        ),
        (
            "workflows/Deploy.yaml",
            "version: \"1.0\"\ntasks: [{name: a}]\n",
            "workflows/Deploy.yaml:1:1: ref: invalid ref 'demo.Deploy': expected 'pack.name' in lower case, with exactly one dot",
        ),
    ]);
}

#[test]
fn a_wrong_timer() {
    // How a timer's error goes on is for the timer to say; where it is, for the pack.
    for (file, content, start) in [
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: core.intervaltimer\naction_ref: core.echo\ntrigger_params:\n  interval: 0\n",
            "rules/r.yaml:5:13: trigger_params.interval: ",
        ),
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: core.crontimer\naction_ref: core.echo\n",
            "rules/r.yaml:1:1: trigger_params.expression: ",
        ),
        (
            "triggers/t.yaml",
            "ref: demo.t\ntimer: {type: hourglass}\n",
            "triggers/t.yaml:2:15: timer.type: ",
        ),
        (
            "sensors/s.yaml",
            "ref: demo.s\ntrigger_type: core.alert\nconfig: {type: one_shot}\n",
            "sensors/s.yaml:3:9: config.fire_at: ",
        ),
        (
            "sensors/s.yaml",
            "ref: demo.s\ntrigger_type: core.datetimetimer\n",
            "sensors/s.yaml:1:1: config.fire_at: ",
        ),
    ] {
        let errors = load_with(file, content).unwrap_err();
        let said = lines(&errors.problems);
        assert!(said.len() == 1 && said[0].starts_with(start), "{content}\nsays {said:?}");
    }
}

#[test]
fn wrong_events_of_the_cloud() {
    for (config, start) in [
        ("{type: cloud_event}", "triggers/t.yaml:2:9: config.event_pattern: "),
        (
            "{type: cloud_event, event_pattern: {source: aws.s3}}",
            "triggers/t.yaml:2:53: config.event_pattern.source: ",
        ),
        (
            "\n  type: cloud_event\n  event_pattern:\n    detail:\n      size: [{numeric: [big]}]",
            "triggers/t.yaml:6:13: config.event_pattern.detail.size[0].numeric: ",
        ),
        (
            "{type: cloud_event, event_pattern: {source: [a]}}\ntimer: {type: interval, seconds: 1}",
            "triggers/t.yaml:2:9: config: a trigger has either",
        ),
    ] {
        let errors = load_with("triggers/t.yaml", format!("ref: demo.t\nconfig: {config}\n"));
        let said = lines(&errors.unwrap_err().problems);
        assert!(said.len() == 1 && said[0].starts_with(start), "{config}\nsays {said:?}");
    }
}

#[test]
fn what_is_not_yaml() {
    for (content, line) in [
        (b"ref: demo.t\nlabel: [a, b\n".as_slice(), "triggers/t.yaml:"),
        (b"ref: demo.t\n  label: a\n", "triggers/t.yaml:2:"),
        (b"ref: demo.t\nlabel: \xff\n", "triggers/t.yaml: not UTF-8 text"),
    ] {
        let errors = load_with("triggers/t.yaml", content).unwrap_err();
        let said = lines(&errors.problems);
        assert!(said.len() == 1 && said[0].starts_with(line), "{said:?}");
    }
    let large = format!("ref: demo.t\nlabel: \"{}\"\n", "x".repeat(1 << 20));
    let errors = load_with("triggers/t.yaml", large).unwrap_err();
    assert_eq!(lines(&errors.problems), ["triggers/t.yaml: larger than 1048576 bytes"]);
}

#[test]
fn a_folder_that_is_no_pack() {
    let home = tempfile::tempdir().unwrap();
    let errors = load(home.path()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        format!("{}/pack.yaml: missing: every pack needs this file", home.path().display())
    );
}

#[test]
fn every_problem_is_named_at_once() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), "pack.yaml", "ref: demo\nversion: 1.0\ntags: core\n");
    write(
        home.path(),
        "actions/a.yaml",
        "ref: Wrong\nentry_point: echo\noutput_format: xml\naccesses_mcp: 1\n",
    );
    write(home.path(), "actions/b.yaml", "label: Nameless\n");
    write(home.path(), "rules/r.yaml", "ref: r\ntrigger_ref: demo.t\n");
    write(home.path(), "triggers/t1.yaml", "ref: demo.t\n");
    write(home.path(), "triggers/t2.yaml", "label: Again\nref: demo.t\n");
    write(home.path(), "triggers/deeper/t3.yaml", "no: matter\n");
    write(home.path(), "triggers/notes.txt", "no: matter: here\n");
    let root = home.path().display().to_string();
    let text = load(home.path()).unwrap_err().to_string().replace(&root, "demo");
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "demo/pack.yaml:2:10: version: expected text, found a number: put the version in quotes, as in version: \"1.0.0\"",
            "demo/pack.yaml:3:7: tags: expected a list, found text",
            "demo/triggers/t2.yaml:2:6: ref: 'demo.t' is already in triggers/t1.yaml",
            "demo/actions/a.yaml:1:6: ref: invalid ref 'Wrong': expected 'pack.name' in lower case, with exactly one dot",
            "demo/actions/a.yaml:3:16: output_format: unknown word 'xml', expected one of text, json, yaml, jsonl",
            "demo/actions/a.yaml:4:15: accesses_mcp: expected true or false, found a number",
            "demo/actions/b.yaml:1:1: warning: ref: missing, so the file is skipped",
            "demo/rules/r.yaml:1:1: action_ref: required, but missing",
        ]
    );
}

#[test]
fn warnings_let_a_pack_load() {
    for (file, content, line) in [
        (
            "pack.yaml",
            "ref: demo\nversion: \"1.0\"\n",
            "pack.yaml:2:10: warning: version: '1.0' is not a semantic version such as 1.0.0",
        ),
        (
            "actions/a.yaml",
            "name: a\n",
            "actions/a.yaml:1:1: warning: ref: missing, so the file is skipped",
        ),
        ("rules/r.yaml", "", "rules/r.yaml:1:1: warning: ref: missing, so the file is skipped"),
        (
            "permission_sets/p.yaml",
            "ref: demo.p\n",
            "permission_sets/p.yaml:1:1: warning: grants: missing, so the file is skipped",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nrunner_type: cobol\nentry_point: a.cob\n",
            "actions/a.yaml:2:14: warning: runner_type: unknown runner 'cobol': Attune has native, shell, python and node",
        ),
        (
            "actions/a.yaml",
            "ref: demo.a\nrunner_type: python\nentry_point: a.py\n",
            "actions/a.yaml:3:14: warning: entry_point: no file actions/a.py",
        ),
        (
            "rules/r.yaml",
            "ref: r\ntrigger_ref: t\naction_ref: core.echo\n",
            "rules/r.yaml:2:14: warning: trigger_ref: no file of this pack defines trigger 'demo.t'",
        ),
        (
            "sensors/s.yaml",
            "ref: demo.s\nentry_point: s\n",
            "sensors/s.yaml:1:1: warning: trigger_types: names no trigger, so the sensor can emit nothing",
        ),
    ] {
        let pack = load_with(file, content).unwrap();
        assert_eq!(lines(&pack.warnings), [line], "{file}:\n{content}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_panic(
        folder in prop::sample::select(vec!["actions", "rules", "sensors", "workflows", "permission_sets"]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = load_with(&format!("{folder}/x.yaml"), &bytes);
        let _ = load_with("pack.yaml", &bytes);
    }

    #[test]
    fn no_yaml_panics_and_no_secret_is_repeated(
        text in "(ref: demo\\.x\n)?((trigger_ref|password|parameters|grants|enabled|api_key): ?[\\[{&*!\"'|>-]{0,2}hunter2[\\]}: \"'\n]{0,4}\n){0,6}",
    ) {
        for folder in ["actions", "rules", "sensors", "triggers", "permission_sets"] {
            if let Err(errors) = load_with(&format!("{folder}/x.yaml"), &text) {
                for problem in errors.problems {
                    // A ref is not a secret, and is repeated so that one sees what is wrong with it.
                    let said = problem.to_string();
                    prop_assert!(!said.contains("hunter2") || problem.field.ends_with("ref"), "{text}\n{said}");
                }
            }
        }
    }
}
