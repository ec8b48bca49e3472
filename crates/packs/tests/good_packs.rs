//! What good packs become.

// Clippy takes only `#[test]` functions for tests, not what they share.
#![allow(clippy::unwrap_used)]

use attune_domain::runtime::Runtime;
use attune_packs::sensor::Mode;
use attune_packs::{Pack, Runner, load};
use serde_json::json;
use std::fs;
use std::path::Path;

fn write(root: &Path, file: &str, content: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn load_files(files: &[(&str, &str)]) -> Pack {
    let home = tempfile::tempdir().unwrap();
    for (file, content) in files {
        write(home.path(), file, content);
    }
    let pack = load(home.path()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(pack.warnings, [], "{files:?}");
    pack
}

const MANIFEST: (&str, &str) = ("pack.yaml", "ref: demo\nversion: \"1.0.0\"\n");

#[test]
fn the_core_pack() {
    let home = tempfile::tempdir().unwrap();
    attune_packs::builtin::write_to(home.path()).unwrap();
    let pack = load(home.path()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(pack.warnings, []);
    // Whether JSON maps keep their order is for the whole build to say.
    insta::with_settings!({sort_maps => true}, {
        insta::assert_json_snapshot!("core", pack);
    });
}

#[test]
fn a_manifest_has_aliases() {
    let canonical = "label: Demo Pack\nconf_schema: {a: {type: string}}\nmeta: {b: 1}\ntags: [c]\nsystem: true\n";
    let aliased = "name: Demo Pack\nconfig_schema: {a: {type: string}}\nmetadata: {b: 1}\nkeywords: [c]\nis_standard: true\n";
    let packs = [canonical, aliased]
        .map(|more| load_files(&[("pack.yaml", &format!("{}{more}", MANIFEST.1))]).manifest);
    assert_eq!(packs[0], packs[1]);
    assert_eq!(packs[0].label, "Demo Pack");
    assert_eq!(packs[0].conf_schema, json!({"a": {"type": "string"}}));
    assert!(packs[0].system);

    let both = load_files(&[("pack.yaml", &format!("{}label: Label\nname: Name\n", MANIFEST.1))]);
    assert_eq!(both.manifest.label, "Label", "the canonical name wins");
    assert_eq!(load_files(&[MANIFEST]).manifest.label, "demo", "without a label, the ref is it");
}

#[test]
fn runners_have_aliases() {
    for (written, runner) in [
        ("", Runner::Known(Runtime::Shell)),
        ("runner_type: bash\n", Runner::Known(Runtime::Shell)),
        ("runner_type: SH\n", Runner::Known(Runtime::Shell)),
        ("runner_type: builtin\n", Runner::Known(Runtime::Native)),
        ("runner_type: standalone\n", Runner::Known(Runtime::Native)),
        ("runner_type: python3\n", Runner::Known(Runtime::Python)),
        ("runner_type: Node.js\n", Runner::Known(Runtime::Node)),
        ("runner_type: core.nodejs\n", Runner::Known(Runtime::Node)),
        ("runner_type: LUA\n", Runner::Other("LUA".to_owned())),
        ("runner_type: demo.lua\n", Runner::Other("demo.lua".to_owned())),
    ] {
        let pack = load_files(&[
            MANIFEST,
            ("actions/run.file", ""),
            ("actions/a.yaml", &format!("ref: demo.a\nentry_point: run.file\n{written}")),
            ("runtimes/lua.yaml", "ref: demo.lua\nname: Lua\n"),
        ]);
        assert_eq!(pack.actions[0].runner, runner, "{written}");
    }
}

#[test]
fn short_names_are_of_the_pack() {
    let pack = load_files(&[
        MANIFEST,
        ("triggers/t.yaml", "ref: demo.t\n"),
        ("actions/a.yaml", "ref: demo.a\nentry_point: echo hi\n"),
        ("rules/r.yaml", "ref: r\ntrigger_ref: t\naction_ref: a\n"),
        ("sensors/s.yaml", "ref: demo.s\nentry_point: s\ntrigger_types: [t, core.alert]\n"),
        (
            "sensors/u.yaml",
            "ref: demo.u\nentry_point: u\ntrigger_type: t\nmode: Process\npoll_interval: 5\n",
        ),
    ]);
    let rule = &pack.rules[0];
    assert_eq!(rule.reference.as_str(), "demo.r");
    assert_eq!(rule.trigger_ref.as_str(), "demo.t");
    assert_eq!(rule.action_ref.as_str(), "demo.a");
    assert_eq!(rule.conditions, json!({}));
    assert!(rule.enabled);
    let triggers: Vec<_> = pack.sensors[0].trigger_refs.iter().map(AsRef::as_ref).collect();
    assert_eq!(triggers, ["demo.t", "core.alert"]);
    assert_eq!((pack.sensors[0].mode, pack.sensors[0].poll_interval), (Mode::Polled, 30));
    assert_eq!((pack.sensors[1].mode, pack.sensors[1].poll_interval), (Mode::Process, 5));
}

#[test]
fn permission_sets_of_a_rule() {
    for (written, refs) in [
        ("", None),
        ("permission_set_refs: null\n", None),
        ("permission_set_refs: []\n", Some(vec![])),
        (
            "permission_set_refs: [core.viewer, core.editor]\n",
            Some(vec!["core.viewer", "core.editor"]),
        ),
        ("permission_set_refs: core.viewer\n", Some(vec!["core.viewer"])),
        ("permission_set_ref: core.viewer\n", Some(vec!["core.viewer"])),
    ] {
        let rule = format!("ref: r\ntrigger_ref: core.alert\naction_ref: core.echo\n{written}");
        let pack = load_files(&[MANIFEST, ("rules/r.yaml", &rule)]);
        let refs = refs.map(|refs| refs.into_iter().map(str::to_owned).collect());
        assert_eq!(pack.rules[0].permission_set_refs, refs, "{written}");
    }
}

#[test]
fn a_trigger_may_be_a_timer() {
    for (written, timer) in [
        (
            "timer: {type: interval, seconds: 10}\n",
            Some(json!({"type": "interval", "seconds": 10})),
        ),
        (
            "config: {type: cron, expression: '0 * * * *'}\n",
            Some(json!({"type": "cron", "expression": "0 * * * *"})),
        ),
        ("config: {colour: red}\n", None),
        ("type: interval\n", None),
    ] {
        let pack = load_files(&[MANIFEST, ("triggers/t.yaml", &format!("ref: demo.t\n{written}"))]);
        assert_eq!(pack.triggers[0].timer, timer, "{written}");
    }
}

#[test]
fn a_trigger_may_be_events_of_the_cloud() {
    let written =
        "ref: demo.t\nconfig:\n  type: cloud_event\n  event_pattern: {source: [aws.s3]}\n";
    let pack = load_files(&[MANIFEST, ("triggers/t.yaml", written)]);
    let config = json!({"type": "cloud_event", "event_pattern": {"source": ["aws.s3"]}});
    assert_eq!(pack.triggers[0].cloud_event, Some(config));
    assert_eq!(pack.triggers[0].timer, None);
}

#[test]
fn workflows_stand_alone_or_beside_their_actions() {
    let graph = "version: \"1.0\"\ntasks: [{name: a}]\n";
    let pack = load_files(&[
        MANIFEST,
        ("workflows/named.yaml", &format!("ref: demo.other\n{graph}")),
        ("workflows/both.yaml", graph),
        ("actions/workflows/both.workflow.yaml", graph),
        ("actions/workflows/linked.workflow.yaml", graph),
        ("actions/w.yaml", "ref: demo.w\nworkflow_file: workflows/linked.workflow.yaml\n"),
        ("policies/p.yaml", "ref: demo.p\naction_ref: demo.w\nmethod: enqueue\nthreshold: 1\n"),
        ("queues/q.yml", "ref: demo.q\ndispatch_action_ref: demo.w\n"),
    ]);
    let listed: Vec<_> = pack
        .workflows
        .iter()
        .map(|workflow| (workflow.reference.as_str(), workflow.file.to_str().unwrap()))
        .collect();
    assert_eq!(
        listed,
        [
            ("demo.w", "actions/workflows/linked.workflow.yaml"),
            ("demo.other", "workflows/named.yaml"),
            ("demo.both", "actions/workflows/both.workflow.yaml"),
        ],
        "of two without an action, what stands beside the actions wins"
    );
    for (workflow, action) in pack.workflows.iter().zip(&pack.actions) {
        assert_eq!(workflow.reference, action.reference, "each workflow has an action");
        assert_eq!(action.workflow_file.as_ref(), Some(&workflow.file));
    }
    assert_eq!(pack.policies[0].content["threshold"], 1);
    assert_eq!(pack.queues[0].reference.as_str(), "demo.q");
}

#[test]
fn the_action_of_a_workflow_has_the_last_word_on_schemas() {
    let graph = "label: Graph\nversion: 2\nparameters: {a: {type: string}}\noutput: {c: {type: string}}\ntags: [x]\ntasks: [{name: t}]\n";
    let action = "ref: demo.w\nlabel: Action\nworkflow_file: graphs/w.workflow.yaml\n";
    let load = |action: &str| {
        let graph = ("actions/graphs/w.workflow.yaml", graph);
        load_files(&[MANIFEST, ("actions/w.yaml", action), graph]).workflows.remove(0)
    };
    let plain = load(action);
    assert_eq!((plain.label.as_str(), plain.version.as_str()), ("Action", "2"));
    assert_eq!(plain.parameters, Some(json!({"a": {"type": "string"}})));
    assert_eq!(plain.output, Some(json!({"c": {"type": "string"}})));
    assert_eq!(plain.tags, ["x"]);
    let more = "parameters: {b: {type: integer}}\noutput: {d: {type: integer}}\ntags: [y]\n";
    let whole = load(&format!("{action}{more}"));
    assert_eq!(whole.parameters, Some(json!({"b": {"type": "integer"}})));
    assert_eq!(whole.output, Some(json!({"d": {"type": "integer"}})));
    assert_eq!(whole.tags, ["y"]);
}

#[test]
fn inputs_of_an_orquesta_workflow_are_parameters() {
    let graph = "version: 1.0\ninput:\n  - host\n  - port: 22\noutput:\n  - up: <% ctx().host %>\ntasks:\n  ping:\n    action: core.echo message=<% ctx().host %>\n";
    let pack = load_files(&[MANIFEST, ("workflows/check.yaml", graph)]);
    let workflow = &pack.workflows[0];
    let parameters = json!({"host": {"default": null}, "port": {"default": 22}});
    assert_eq!(workflow.parameters, Some(parameters.clone()));
    assert_eq!(workflow.output, None);
    assert_eq!(pack.actions[0].parameters, Some(parameters));
}

#[test]
fn unknown_keys_and_folders_are_passed_over() {
    let pack = load_files(&[
        ("pack.yaml", "ref: demo\nversion: \"1.0.0\"\nemail: 7\ncolour: [red]\n"),
        ("actions/a.yaml", "ref: demo.a\nentry_point: echo\nenabled: maybe\n"),
        ("lib/broken.yaml", "a: b: c\n"),
        ("README.md", "# Demo\n"),
    ]);
    assert_eq!(pack.actions.len(), 1);
}
