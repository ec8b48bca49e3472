//! Bad input over HTTP: refused in the standard shape, with nothing half-written.

use super::actions::pack;
use attune_tests::server::{Answer, Client, Site, shell_action, webhook};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const EXECUTE: &str = "/api/v1/executions/execute";
const JSON: &str = "application/json";

/// Lists whose totals must be the same before and after.
const LISTS: [&str; 8] =
    ["packs", "actions", "triggers", "rules", "policies", "events", "enforcements", "executions"];

async fn totals(client: &Client) -> Vec<(&'static str, Value)> {
    let mut totals = Vec::new();
    for list in LISTS {
        let page = client.get(&format!("/api/v1/{list}?include_total=true")).await.json();
        let total = page["pagination"]["total_items"].clone();
        assert!(total.is_u64(), "{list}: {page}");
        totals.push((list, total));
    }
    totals
}

/// What is wrong; method, path, type and text of the body; status and code of the answer.
type Row<'a> = (&'a str, &'a Method, &'a str, Option<(&'a str, &'a str)>, u16, &'a str);

/// The standard shape.
fn check(what: &str, answer: &Answer, status: u16, code: &str, named: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    let body = answer.json();
    assert_eq!(body["code"], code, "{what}: {body}");
    let text = body["error"].as_str().unwrap_or_else(|| panic!("{what}: {body}"));
    assert!(!text.is_empty() && text.contains(named), "{what}: '{named}' is not in '{text}'");
    let kind = answer.headers["content-type"].to_str().expect("a content type is text");
    assert!(kind.starts_with(JSON), "{what}: {kind}");
}

struct Stage {
    site: Site,
    server: attune_tests::server::Server,
    client: Client,
    hook: String,
}

async fn stage() -> Stage {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    pack(&client, "strict").await;
    let schema = json!({"message": {"type": "string", "required": true}});
    shell_action(&client, "strict.say", "echo \"$message\"", schema).await;
    let hook = webhook(&client, "strict.called").await;
    Stage { site, server, client, hook }
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_refused() {
    let Stage { site: _site, server, client, hook } = stage().await;
    let before = totals(&client).await;
    let huge = format!("{{\"action_ref\":\"{}\"}}", "x".repeat(3 << 20));
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let bad = "BAD_REQUEST";
    let rows: [Row<'_>; 21] = [
        ("malformed JSON", &post, EXECUTE, Some((JSON, "{\"action_ref\":")), 400, bad),
        (
            "a wrong type",
            &post,
            EXECUTE,
            Some((JSON, "{\"action_ref\":7}")),
            422,
            "VALIDATION_ERROR",
        ),
        ("a missing field", &post, EXECUTE, Some((JSON, "{}")), 422, "VALIDATION_ERROR"),
        (
            "a list for an object",
            &post,
            "/api/v1/rules",
            Some((JSON, "[]")),
            422,
            "VALIDATION_ERROR",
        ),
        (
            "a wrong content type",
            &post,
            EXECUTE,
            Some(("text/plain", "{}")),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        ("no content type", &post, "/api/v1/policies", None, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a body over 2 MiB", &post, EXECUTE, Some((JSON, &huge)), 413, "PAYLOAD_TOO_LARGE"),
        ("a webhook over 2 MiB", &post, &hook, Some((JSON, &huge)), 413, "PAYLOAD_TOO_LARGE"),
        ("an unknown route", &get, "/api/v1/robots", None, 404, "NOT_FOUND"),
        ("an unknown route outside the API", &get, "/robots.txt", None, 404, "NOT_FOUND"),
        ("a wrong method", &delete, EXECUTE, None, 405, "METHOD_NOT_ALLOWED"),
        ("a bad id in the path", &get, "/api/v1/executions/first", None, 400, bad),
        ("an id beyond 64 bits", &get, "/api/v1/events/99999999999999999999", None, 400, bad),
        ("a bad page", &get, "/api/v1/executions?page=two", None, 400, bad),
        ("a bad cursor", &get, "/api/v1/executions?cursor=there", None, 400, bad),
        ("a bad status word", &get, "/api/v1/executions/status/done", None, 400, bad),
        ("nothing there", &get, "/api/v1/executions/1", None, 404, "NOT_FOUND"),
        (
            "an unknown webhook key",
            &post,
            "/api/v1/webhooks/wh_0",
            Some((JSON, "{\"payload\":1}")),
            404,
            "NOT_FOUND",
        ),
        ("a webhook without payload", &post, &hook, Some((JSON, "{\"data\":1}")), 400, bad),
        ("a webhook that is no JSON", &post, &hook, Some((JSON, "payload=1")), 400, bad),
        (
            "a user's event",
            &post,
            "/api/v1/events",
            Some((JSON, "{\"trigger_ref\":\"strict.called\"}")),
            403,
            "FORBIDDEN",
        ),
    ];
    for (what, method, path, body, status, code) in rows {
        let mut request = client.request(method.clone(), path);
        if let Some((kind, text)) = body {
            request = request.header("content-type", kind).body(text.to_owned());
        }
        let answer = client.send(request).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        check(what, &answer, status, code, "");
        assert!(answer.headers.contains_key("x-request-id"), "{what}");
    }
    let deep = client.get("/api/v1/executions?page=2000&per_page=100").await;
    check("a deep page", &deep, 400, bad, "cursor");
    assert_eq!(totals(&client).await, before, "something was written");
    server.stop().await;
}

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
        ("a wrong cron", rules, cron("61 * * * *", "UTC"), 422, "61"),
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
            "threshold",
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

/// A token that the server signed and that is over, as its own key file allows to make.
fn expired(data: &Path) -> String {
    let key = fs::read_to_string(data.join("keys/token.key")).expect("the key can be read");
    let key = hex::decode(key.trim()).expect("a key is hexadecimal");
    let claims =
        json!({"sub": "1", "login": "admin", "iat": 1_000, "exp": 2_000, "token_type": "access"});
    let key = jsonwebtoken::EncodingKey::from_secret(&key);
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key)
        .expect("claims can be signed")
}

#[tokio::test]
async fn nobody_comes_in_without_a_valid_token() {
    let Stage { site, server, client, .. } = stage().await;
    let stranger = Client::stranger(server.url());
    let genuine = client.token().expect("it is logged in");
    let (head, signature) = genuine.rsplit_once('.').expect("a token has three parts");
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for (what, client, message) in [
        ("none", stranger.clone(), "Missing authentication token"),
        ("nonsense", stranger.with_token("nonsense"), "Invalid authentication token"),
        ("a forged one", stranger.with_token(&forged), "Invalid authentication token"),
        (
            "an expired one",
            stranger.with_token(&expired(&site.data())),
            "Authentication token expired",
        ),
    ] {
        for path in
            ["/api/v1/executions", "/api/v1/packs/strict", "/api/v1/actions/strict.say/queue-stats"]
        {
            let answer = client.get(path).await;
            let nested = json!({"error": {"code": 401, "message": message}});
            assert_eq!((answer.status, answer.json()), (401, nested), "{what}: {path}");
        }
        let answer = client.post(EXECUTE, json!({"action_ref": "strict.say"})).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.text);
        let me = client.get("/auth/me").await;
        check(what, &me, 401, "UNAUTHORIZED", message);
    }
    let login = json!({"login": "admin", "password": "guessed"});
    let wrong = stranger.post("/auth/login", login).await;
    check("a wrong password", &wrong, 401, "UNAUTHORIZED", "Invalid login or password");
    server.stop().await;
}
