//! The published schemas accept what loads, and find the mistakes that a schema can find.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use attune_packs::schemas;
use jsonschema::Validator;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn validator(name: &str) -> Validator {
    let schema: Value = serde_json::from_str(schemas::find(name).unwrap()).unwrap();
    jsonschema::draft202012::meta::validate(&schema)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// The kind of file that lies in a folder of a pack.
fn kind(folder: &str) -> Option<&'static str> {
    Some(match folder {
        "actions" => "action",
        "permission_sets" => "permission_set",
        "policies" => "policy",
        "queues" => "queue",
        "rules" => "rule",
        "runtimes" => "runtime",
        "tests" => "rehearsal",
        "sensors" => "sensor",
        "triggers" => "trigger",
        "workflows" => "workflow",
        _ => return None,
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_file_of_the_packs_here_fits_its_schema() {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
    let mut seen = 0;
    for path in files(&packs) {
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let name = match path.file_name().unwrap().to_str() {
            Some("pack.yaml") => "pack",
            _ => match kind(folder) {
                Some(name) => name,
                None => continue,
            },
        };
        let file = read(&fs::read_to_string(&path).unwrap());
        let errors: Vec<_> = validator(name)
            .iter_errors(&file)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        seen += 1;
    }
    assert!(seen > 20, "the core pack alone has as many");
}

#[test]
fn what_fits_and_what_does_not() {
    let rows = [
        ("pack", "ref: demo\nversion: \"1.0\"\n", true),
        ("pack", "ref: demo\nversion: 1.0\n", false),
        ("pack", "ref: Demo\nversion: \"1.0\"\n", false),
        (
            "pack",
            "ref: demo\nversion: \"1.0\"\nconf_schema: {token: {type: string, secret: true}}\n",
            true,
        ),
        ("action", "ref: demo.a\nentry_point: echo hi\nunknown: 1\n", true),
        ("action", "label: a\n", false),
        ("action", "ref: demo.a\nparameters: {n: {type: int}}\n", false),
        (
            "action",
            "ref: demo.a\nparameters: {type: object, properties: {n: {type: integer}}, required: [n]}\n",
            true,
        ),
        ("action", "ref: demo.a\noutput_format: JSON\ndescription: null\n", true),
        ("action", "ref: demo.a\noutput_format: xml\n", false),
        ("trigger", "ref: demo.t\ntimer: {type: interval, seconds: 1}\n", true),
        ("trigger", "ref: demo.t\nenabled: yes please\n", false),
        ("sensor", "ref: demo.s\ntrigger_types: [t, core.alert]\n", true),
        ("sensor", "ref: demo.s\npoll_interval: 0\n", false),
        ("rule", "ref: r\ntrigger_ref: t\naction_ref: core.echo\nconditions: []\n", true),
        ("rule", "ref: r\ntrigger_ref: t\n", false),
        ("policy", "ref: demo.p\nthreshold: 1\nmethod: enqueue\n", true),
        ("policy", "ref: demo.p\nmethod: drop\n", false),
        ("permission_set", "ref: demo.p\ngrants: [{resource: packs, actions: [read]}]\n", true),
        ("permission_set", "ref: demo.p\ngrants: [{resource: cakes, actions: [read]}]\n", false),
        ("runtime", "ref: demo.r\naliases: [r]\nversions: [{version: \"1\"}]\n", true),
        ("runtime", "ref: demo.r\nversions: [\"1\"]\n", false),
        ("queue", "ref: demo.q\ndispatch_action_ref: demo.a\n", true),
        ("queue", "label: q\n", false),
        (
            "rehearsal",
            "workflow: demo.w\nresults: {a: [{outcome: failed}, {data: {n: 1}}]}\nexpect: {status: failed, tasks: [a, a]}\n",
            true,
        ),
        (
            "rehearsal",
            "workflow: demo.w\nresults: {a: {outcome: bad}}\nexpect: {status: failed}\n",
            false,
        ),
        ("rehearsal", "workflow: demo.w\nexpect: {state: failed}\n", false),
        (
            "workflow",
            "version: \"1\"\ntasks: [{name: a, action: core.echo, next: [{when: \"{{ failed() }}\", do: [a]}]}]\n",
            true,
        ),
        (
            "workflow",
            "version: 1.0\ninput: [x, y: 1]\ntasks:\n  a:\n    action: core.echo x=1\n    join: all\n    next: [{do: noop, publish: a=1}]\n  b:\n",
            true,
        ),
        ("workflow", "version: \"1\"\n", false),
        ("workflow", "tasks: []\n", false),
        ("workflow", "tasks: [{action: core.echo}]\n", false),
        ("workflow", "tasks: [{name: item}]\n", false),
        ("workflow", "tasks: {fail: {}}\n", false),
        ("workflow", "tasks: [{name: a, join: 0}]\n", false),
        ("workflow", "tasks: [{name: a, retry: {count: 3, delay: 1, backoff: linear}}]\n", true),
        ("workflow", "tasks: [{name: a, retry: {delay: 1}}]\n", false),
        ("workflow", "tasks: [{name: a, type: parallel, tasks: [{name: x, action: p.x}]}]\n", true),
        ("workflow", "tasks: [{name: a, type: parallel, tasks: [{action: p.x}]}]\n", false),
        (
            "workflow",
            "tasks: [{name: a, timeout: \"{{ vars.t }}\", with_items: [1, 2], concurrency: 2}]\n",
            true,
        ),
        ("workflow", "tasks: [{name: a, timeout: -1}]\n", false),
    ];
    for (name, file, fits) in rows {
        let file = read(file);
        let errors: Vec<_> =
            validator(name).iter_errors(&file).map(|error| error.to_string()).collect();
        assert_eq!(errors.is_empty(), fits, "{name}: {file}: {errors:?}");
    }
}
