//! What is said of broken workflow files: one file with many mistakes for each form.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use attune_packs::load;
use std::fs;
use std::path::Path;

/// The problems of pack `demo` with these files, a line for each.
fn told(files: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    let write = |file: &str, content: &str| {
        let path = home.path().join(file);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        fs::write(path, content).unwrap();
    };
    write("pack.yaml", "ref: demo\nversion: \"1.0.0\"\n");
    for (file, content) in files {
        write(file, content);
    }
    let problems = match load(home.path()) {
        Ok(pack) => pack.warnings,
        Err(errors) => errors.problems,
    };
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn a_list_of_tasks() {
    let content = r#"version: "1.0"
parameters:
  host: {type: strnig}
vars: [1]
tasks:
  - name: build
    action: core.Echo
    input:
      message: "{{ 1 + }}"
      list: [a, "{{ upper( }}"]
    timeout: soon
    next:
      - when: "{{ succeeded( }}"
        do: [test, biuld]
  - name: build
  - action: demo.a
  - name: vars
    join: 0
    retry: {delay: 1, backoff: slow}
    type: parallel
"#;
    insta::assert_snapshot!(told(&[("workflows/w.yaml", content)]));
}

#[test]
fn a_mapping_of_tasks() {
    let content = r#"version: 1.0
input: [host]
tasks:
  build:
    action: core.echo message= "hello
    with:
      concurrency: 2
    next:
      - when: <% succeeded() %>
        publish: a=<% result() %> b
        do: test, depoly
  deploy:
    action: echo
    join: some
  noop: 7
"#;
    insta::assert_snapshot!(told(&[("workflows/w.yaml", content)]));
}

#[test]
fn what_is_doubtful_in_a_workflow() {
    let graph = r#"tasks:
  - name: build
    acton: core.echo
    input: {message: "{{ parameters.hots }}"}
    next:
      - do: [ship]
  - name: ship
    action: demo.missing
    join: 1
    input: {message: "{{ task.bulid.x }}{{ item }}"}
  - name: both
    type: parallel
    tasks:
      - {name: one, action: core.nothing}
      - {name: two, action: other.pack}
      - {name: three, action: demo.w}
"#;
    let action = "ref: demo.w\nworkflow_file: graphs/w.yaml\nparameters: {host: {type: string}}\n";
    let files = [("actions/w.yaml", action), ("actions/graphs/w.yaml", graph)];
    insta::assert_snapshot!(told(&files));
}

#[test]
fn an_action_of_the_same_name_must_name_the_file() {
    let files = [
        ("actions/w.yaml", "ref: demo.w\nentry_point: echo\n"),
        ("workflows/w.yaml", "version: \"1\"\ntasks: [{name: a}]\n"),
    ];
    assert_eq!(
        told(&files),
        "workflows/w.yaml: ref: 'demo.w' is already in actions/w.yaml: name this file there as workflow_file\n"
    );
}

#[test]
fn a_file_that_is_not_yaml_is_told_once() {
    let files = [
        ("actions/w.yaml", "ref: demo.w\nworkflow_file: workflows/w.yaml\n"),
        ("actions/workflows/w.yaml", "tasks: [\n"),
    ];
    assert_eq!(told(&files).lines().count(), 1);
}
