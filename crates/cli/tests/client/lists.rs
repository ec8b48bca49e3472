//! Lists: both envelopes, filters, formats.

use crate::server::Server;
use crate::shell::Shell;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

fn rule() -> Value {
    json!({
        "ref": "demo.rule", "enabled": true, "trigger_ref": "core.webhook",
        "action_ref": "core.echo", "label": "Demo",
    })
}

fn list(envelope: &str) -> Value {
    let pagination = json!({
        "page": 1, "page_size": 1, "total_items": 3, "total_pages": 3,
        "has_previous": false, "has_next": true,
    });
    json!({envelope: [rule()], "pagination": pagination})
}

#[tokio::test]
async fn both_envelopes_make_the_same_table() {
    let mut tables = Vec::new();
    for envelope in ["data", "items"] {
        let answer = move || async move { Json(list(envelope)) };
        let server = Server::start(Router::new().route("/api/v1/rules", get(answer))).await;
        let outcome = Shell::at(&server.url).run("rule list").await;
        assert_eq!(outcome.stderr, "page 1 of 3, 3 in all; next: --page 2\n");
        tables.push(outcome.success());
    }
    assert_eq!(tables[0], tables[1]);
    insta::assert_snapshot!(tables[0], @r"
    REF        ENABLED  TRIGGER       ACTION     LABEL
    demo.rule  true     core.webhook  core.echo  Demo
    ");
}

#[tokio::test]
async fn programs_get_the_array() {
    let server =
        Server::start(Router::new().route("/api/v1/rules", get(async || Json(list("data"))))).await;
    let shell = Shell::at(&server.url);
    let json: Value =
        serde_json::from_str(&shell.run("rule list -o json").await.success()).unwrap();
    assert_eq!(json, json!([rule()]));
    let yaml = shell.run("rule list -o yaml").await.success();
    assert!(yaml.contains("ref: demo.rule"), "{yaml}");
    assert!(yaml.contains("enabled: true"), "{yaml}");
}

#[tokio::test]
async fn an_empty_list_is_a_remark_for_people_and_an_array_for_programs() {
    let answer = async || Json(json!({"data": [], "pagination": {"page": 1, "has_next": false}}));
    let server = Server::start(Router::new().route("/api/v1/policies", get(answer))).await;
    let shell = Shell::at(&server.url);
    let outcome = shell.run("policy list").await;
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", "no policies\n"));
    assert_eq!(shell.run("policy list -o json").await.success(), "[]\n");
}

#[tokio::test]
async fn filters_become_paths_and_queries() {
    let routes = Router::new().fallback(async || Json(json!({"data": []})));
    let server = Server::start(routes).await;
    let shell = Shell::at(&server.url);
    let mut expected = Vec::new();
    for (line, request) in [
        ("action list --page 2 --limit 5", "actions?page=2&page_size=5"),
        ("action list --pack core", "packs/core/actions?page=1"),
        ("rule list --action core.echo", "actions/core.echo/rules?page=1"),
        ("rule list --trigger core.webhook", "triggers/core.webhook/rules?page=1"),
        ("rule list --enabled", "rules/enabled?page=1"),
        ("trigger list", "triggers?page=1"),
        (
            "event list --trigger core.* --rule demo.rule",
            "events?page=1&trigger_ref=core.*&rule_ref=demo.rule",
        ),
        (
            "execution list --status Failed --action a.b --rule c.d --trigger e.f",
            "executions?page=1&status=failed&action_ref=a.b&rule_ref=c.d&trigger_ref=e.f",
        ),
        ("pack list", "packs?page=1"),
        ("policy get a/b", "policies/a%2Fb"),
        ("queue stats core.echo", "actions/core.echo/queue-stats"),
    ] {
        shell.run(line).await.success();
        expected.push(format!("GET /api/v1/{request}"));
    }
    assert_eq!(server.lines(), expected);
}
