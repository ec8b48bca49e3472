//! The environment of a process.

use crate::bench::{Bench, With};
use attune_domain::catalogue::ParameterDelivery as Delivery;
use attune_ports::runner::Invocation;
use serde_json::json;
use std::collections::BTreeMap;

async fn environment(bench: &Bench, invocation: Invocation) -> BTreeMap<String, String> {
    let outcome = bench.run(Invocation { attempt: 2, ..invocation }).await;
    let text = outcome.result["stdout"].as_str().unwrap_or_default().to_owned();
    text.split_terminator('\0')
        .filter_map(|line| line.split_once('='))
        // What the shell sets for itself.
        .filter(|(name, _)| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn nothing_but_the_allow_list_and_the_protocol() {
    let bench = Bench::new();
    // Cargo sets plenty of variables for this test process; none of them may get through.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let found = environment(&bench, bench.script("env -0")).await;
    let allowed = ["HOME", "LANG", "PATH", "TZ"];
    let names: Vec<&str> =
        found.keys().map(String::as_str).filter(|name| !allowed.contains(name)).collect();
    assert_eq!(
        names,
        [
            "ATTUNE_ACTION",
            "ATTUNE_API_URL",
            "ATTUNE_ARTIFACTS_DIR",
            "ATTUNE_EXEC_ID",
            "ATTUNE_INSTANCE",
            "ATTUNE_PACK_REF",
            "ATTUNE_PARAMETER_DELIVERY",
            "ATTUNE_PARAMETER_FORMAT",
            "ATTUNE_RUNTIME_ENVS_DIR",
        ]
    );
    assert!(found.contains_key("PATH"));
    assert_eq!(found["ATTUNE_EXEC_ID"], "4711");
    assert_eq!(found["ATTUNE_ACTION"], "mine.action");
    assert_eq!(found["ATTUNE_PACK_REF"], "mine");
    assert_eq!(found["ATTUNE_API_URL"], "http://127.0.0.1:8080");
    assert_eq!(found["ATTUNE_INSTANCE"], bench.config.instance);
    assert_eq!(found["ATTUNE_PARAMETER_DELIVERY"], "stdin");
    assert_eq!(found["ATTUNE_PARAMETER_FORMAT"], "json");
}

#[tokio::test]
async fn what_depends_on_the_run() {
    let bench = Bench::new();
    let invocation = Invocation {
        rule_ref: Some("mine.rule".into()),
        trigger_ref: Some("core.webhook".into()),
        api_token: Some("the-token".into()),
        parameter_delivery: Delivery::File,
        ..bench.script("env -0; printf 'length=%s\\0' ${#ATTUNE_API_TOKEN}")
    };
    let context = json!({"context": {"run-id": 7, "who": "me", "list": [1], "pass": "hunter2"}});
    let found = environment(&bench, invocation.with(context).hiding(&["hunter2"])).await;
    assert_eq!(found["ATTUNE_RULE"], "mine.rule");
    assert_eq!(found["ATTUNE_TRIGGER"], "core.webhook");
    assert_eq!(found["ATTUNE_PARAMETER_DELIVERY"], "file");
    assert!(found["ATTUNE_PARAMETER_FILE"].starts_with('/'));
    assert_eq!(found["ATTUNE_CONTEXT_RUN_ID"], "7");
    assert_eq!(found["ATTUNE_CONTEXT_WHO"], "me");
    assert_eq!(found["ATTUNE_CONTEXT_LIST"], "[1]");
    assert_eq!(found.get("ATTUNE_CONTEXT_PASS"), None, "a secret stays out of the environment");
    assert_eq!(found["ATTUNE_API_TOKEN"], "[REDACTED]", "the token is redacted like any secret");
    assert_eq!(found["length"], "9", "the action has the token itself");
}
