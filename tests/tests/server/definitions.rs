//! Definitions that make no sense and packs that are wrong: refused by name, with nothing half-written.

use super::refusals::{EXECUTE, Stage, check, stage, totals};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

#[tokio::test]
async fn definitions_that_make_no_sense_are_refused() {
    let Stage { site: _site, server, client, .. } = stage().await;
    let before = totals(&client).await;
    let rule = |trigger: &str, params: Value| {
        json!({"ref": "strict.rule", "pack_ref": "strict", "label": "Rule", "trigger_ref": trigger,
            "action_ref": "strict.say", "action_params": {"message": "x"}, "trigger_params": params})
    };
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    let called = || rule("strict.called", json!({}));
    let cron = |expression: &str, timezone: &str| {
        rule("core.crontimer", json!({"expression": expression, "timezone": timezone}))
    };
    let policy = json!({"ref": "strict.policy", "action_ref": "strict.say", "threshold": 1});
    let action =
        json!({"ref": "strict.act", "pack_ref": "strict", "label": "Act", "entrypoint": "true"});
    let execute = |reference: &str, parameters: Value| json!({"action_ref": reference, "parameters": parameters});
    let (rules, actions, policies) = ("/api/v1/rules", "/api/v1/actions", "/api/v1/policies");
    for (what, path, body, status, named) in [
        (
            "a ref in upper case",
            actions,
            with(action.clone(), "ref", json!("Strict.Act")),
            422,
            "Strict.Act",
        ),
        ("a ref without a dot", actions, with(action.clone(), "ref", json!("act")), 422, "act"),
        ("a ref with two dots", rules, with(called(), "ref", json!("a.b.c")), 422, "a.b.c"),
        (
            "an unknown pack",
            actions,
            with(action.clone(), "pack_ref", json!("nowhere")),
            404,
            "nowhere",
        ),
        (
            "a ref that is taken",
            actions,
            with(action, "ref", json!("strict.say")),
            409,
            "strict.say",
        ),
        (
            "an unknown action",
            rules,
            with(called(), "action_ref", json!("strict.mumble")),
            404,
            "strict.mumble",
        ),
        ("an unknown trigger", rules, rule("strict.silence", json!({})), 404, "strict.silence"),
        (
            "parameters against the schema",
            rules,
            with(called(), "action_params", json!({"message": 5})),
            422,
            "message",
        ),
        ("a wrong cron", rules, cron("61 * * * *", "UTC"), 422, "'expression'"),
        ("a wrong time zone", rules, cron("0 12 * * *", "Mars/Olympus"), 422, "Mars/Olympus"),
        (
            "an interval of nothing",
            rules,
            rule("core.intervaltimer", json!({"interval": 0, "unit": "seconds"})),
            422,
            "interval",
        ),
        (
            "a policy of nothing",
            policies,
            with(policy.clone(), "threshold", json!(0)),
            422,
            "threshold",
        ),
        (
            "a policy of words",
            policies,
            with(policy.clone(), "threshold", json!("few")),
            422,
            "\"few\"",
        ),
        (
            "a policy for no action",
            policies,
            with(policy, "action_ref", json!("strict.mumble")),
            404,
            "strict.mumble",
        ),
        ("executing nothing", EXECUTE, execute("strict.mumble", json!({})), 404, "strict.mumble"),
        (
            "executing without what is required",
            EXECUTE,
            execute("strict.say", json!({})),
            422,
            "message",
        ),
        (
            "executing with the wrong type",
            EXECUTE,
            execute("strict.say", json!({"message": [1]})),
            422,
            "message",
        ),
    ] {
        let answer = client.post(path, body).await;
        let body = answer.json();
        let text = body["error"].as_str().unwrap_or_else(|| panic!("{what}: {body}"));
        assert_eq!(answer.status, status, "{what}: {text}");
        assert!(text.contains(named), "{what}: '{named}' is not in '{text}'");
        assert!(body["code"].is_string(), "{what}: {body}");
    }
    assert_eq!(totals(&client).await, before, "something was written");
    server.stop().await;
}

fn broken_pack(folder: &Path, file: &str, text: &str) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder.join("actions")).expect("folders can be made");
    fs::write(folder.join("pack.yaml"), "ref: broken\nlabel: Broken\nversion: \"1.0.0\"\n")
        .expect("a file can be written");
    fs::write(folder.join("actions/good.yaml"), "ref: broken.good\nentry_point: echo good\n")
        .expect("a file can be written");
    fs::write(folder.join(file), text).expect("a file can be written");
}

#[tokio::test]
async fn a_pack_that_is_wrong_is_refused_by_file_line_and_field() {
    let Stage { site, server, client, .. } = stage().await;
    let before = totals(&client).await;
    let folder = site.path().join("broken");
    for (what, file, text, named) in [
        (
            "a manifest without version",
            "pack.yaml",
            "ref: broken\nlabel: Broken\n",
            vec!["pack.yaml", "version"],
        ),
        (
            "no YAML",
            "actions/bad.yaml",
            "ref: broken.bad\nparameters: {a: [\n",
            vec!["actions/bad.yaml:"],
        ),
        (
            "an unknown delivery",
            "actions/bad.yaml",
            "ref: broken.bad\nentry_point: true\nparameter_delivery: pigeon\n",
            vec!["actions/bad.yaml:3:", "parameter_delivery"],
        ),
        (
            "a type that is none",
            "actions/bad.yaml",
            "ref: broken.bad\nentry_point: bad.sh\nparameters:\n  port:\n    type: harbour\n",
            vec!["actions/bad.yaml:5:", "parameters.port.type"],
        ),
    ] {
        broken_pack(&folder, file, text);
        let answer = client.post("/api/v1/packs/register", json!({"path": folder})).await;
        for name in named {
            check(what, &answer, 422, "VALIDATION_ERROR", name);
        }
    }
    let nowhere =
        client.post("/api/v1/packs/register", json!({"path": site.path().join("none")})).await;
    check("no folder", &nowhere, 400, "BAD_REQUEST", "none");
    assert_eq!(
        totals(&client).await,
        before,
        "a broken pack leaves nothing, not even its good parts"
    );
    broken_pack(&folder, "actions/bad.yaml", "ref: broken.bad\nentry_point: echo mended\n");
    let mended = client.post("/api/v1/packs/register", json!({"path": folder})).await;
    assert_eq!(mended.status, 201, "once mended it is taken: {}", mended.text);
    server.stop().await;
}
