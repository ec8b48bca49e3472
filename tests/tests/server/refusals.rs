//! Requests that cannot be read, and callers who may not call: refused in the standard shape, with nothing
//! half-written.

use super::actions::pack;
use attune_api::auth::token::{Claims, Signer, Use};
use attune_tests::server::{Answer, Client, Deployment, shell_action, webhook};
use reqwest::Method;
use serde_json::{Value, json};

pub(super) const EXECUTE: &str = "/api/v1/executions/execute";
const JSON: &str = "application/json";

/// Lists whose totals must be the same before and after.
const LISTS: [&str; 8] =
    ["packs", "actions", "triggers", "rules", "policies", "events", "enforcements", "executions"];

pub(super) async fn totals(client: &Client) -> Vec<(&'static str, Value)> {
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
pub(super) fn check(what: &str, answer: &Answer, status: u16, code: &str, named: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text);
    let body = answer.json();
    assert_eq!(body["code"], code, "{what}: {body}");
    let text = body["error"].as_str().unwrap_or_else(|| panic!("{what}: {body}"));
    assert!(!text.is_empty() && text.contains(named), "{what}: '{named}' is not in '{text}'");
    let kind = answer.headers["content-type"].to_str().expect("a content type is text");
    assert!(kind.starts_with(JSON), "{what}: {kind}");
}

/// A deployment with the action `strict.say`, which requires a `message`, and the trigger `strict.called`.
pub(super) struct Stage<D> {
    pub deployment: D,
    pub client: Client,
    hook: String,
}

impl<D: Deployment> Stage<D> {
    pub(super) async fn fresh() -> Self {
        let deployment = D::fresh().await;
        let client = deployment.client().await;
        pack(&client, "strict").await;
        let schema = json!({"message": {"type": "string", "required": true}});
        shell_action(&client, "strict.say", "echo \"$message\"", schema).await;
        let hook = webhook(&client, "strict.called").await;
        Self { deployment, client, hook }
    }
}

async fn requests_that_cannot_be_read_are_refused<D: Deployment>() {
    let Stage { deployment, client, hook } = Stage::<D>::fresh().await;
    let before = totals(&client).await;
    let huge = format!("\"{}\"", "x".repeat(3 << 20));
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
            "an event of no trigger",
            &post,
            "/api/v1/events",
            Some((JSON, "{\"trigger_ref\":\"strict.silence\"}")),
            404,
            "NOT_FOUND",
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
    deployment.stop().await;
}

/// A token that is over, signed as the deployment does.
fn expired(key: &[u8]) -> String {
    let claims = Claims {
        sub: "1".into(),
        login: "admin".into(),
        iat: 1_000,
        exp: 2_000,
        token_type: Use::Access,
        scope: None,
        metadata: None,
    };
    Signer::new(key).sign(&claims).expect("claims can be signed")
}

async fn nobody_comes_in_without_a_valid_token<D: Deployment>() {
    let Stage { deployment, client, .. } = Stage::<D>::fresh().await;
    let stranger = Client::stranger(deployment.url());
    let expired = expired(&deployment.token_key().await);
    let genuine = client.token().expect("it is logged in");
    let (head, signature) = genuine.rsplit_once('.').expect("a token has three parts");
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for (what, client, message) in [
        ("none", stranger.clone(), "Missing authentication token"),
        ("nonsense", stranger.with_token("nonsense"), "Invalid authentication token"),
        ("a forged one", stranger.with_token(&forged), "Invalid authentication token"),
        ("an expired one", stranger.with_token(&expired), "Authentication token expired"),
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
    deployment.stop().await;
}

attune_tests::over_http_on_both! {
    requests_that_cannot_be_read_are_refused,
    nobody_comes_in_without_a_valid_token,
}
