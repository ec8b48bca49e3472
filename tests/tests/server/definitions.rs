//! Definitions that make no sense: refused by name, with nothing half-written.

use super::refusals::{EXECUTE, Stage, totals};
use attune_tests::server::Deployment;
use serde_json::{Value, json};

async fn definitions_that_make_no_sense_are_refused<D: Deployment>() {
    let Stage { deployment, client, .. } = Stage::<D>::fresh().await;
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
    deployment.stop().await;
}

attune_tests::over_http_on_both! { definitions_that_make_no_sense_are_refused }
