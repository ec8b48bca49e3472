//! What is wrong with a request is said in the standard shape, and nothing is written.

use crate::server::{Server, WEBHOOK};
use attune_api::auth::token::Use;
use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::json;

struct Row {
    what: &'static str,
    method: Method,
    path: String,
    content_type: Option<&'static str>,
    body: String,
    status: u16,
    code: &'static str,
}

fn row(
    what: &'static str,
    method: Method,
    path: impl Into<String>,
    body: impl Into<String>,
    status: u16,
    code: &'static str,
) -> Row {
    let body = body.into();
    let content_type = (!body.is_empty()).then_some("application/json");
    Row { what, method, path: path.into(), content_type, body, status, code }
}

fn rows() -> Vec<Row> {
    use Method as M;
    let execute = "/api/v1/executions/execute";
    let webhook = format!("/api/v1/webhooks/{WEBHOOK}");
    let large = json!({"action_ref": "test.echo", "parameters": {"message": "x".repeat(70_000)}});
    let mut rows = vec![
        row("no JSON", M::POST, execute, "{", 400, "BAD_REQUEST"),
        row("a missing field", M::POST, execute, "{}", 422, "VALIDATION_ERROR"),
        row("a wrong type", M::POST, execute, r#"{"action_ref": 5}"#, 422, "VALIDATION_ERROR"),
        row("an array for an object", M::POST, execute, "[]", 422, "VALIDATION_ERROR"),
        row("no body", M::POST, execute, "", 415, "UNSUPPORTED_MEDIA_TYPE"),
        row("a body over the limit", M::POST, execute, large.to_string(), 413, "PAYLOAD_TOO_LARGE"),
        row(
            "an unknown action",
            M::POST,
            execute,
            r#"{"action_ref":"test.nope"}"#,
            404,
            "NOT_FOUND",
        ),
        row("a malformed ref", M::POST, execute, r#"{"action_ref":"No Ref"}"#, 404, "NOT_FOUND"),
        row(
            "a required parameter missing",
            M::POST,
            execute,
            r#"{"action_ref":"test.echo"}"#,
            422,
            "VALIDATION_ERROR",
        ),
        row(
            "a parameter of the wrong type",
            M::POST,
            execute,
            r#"{"action_ref":"test.echo","parameters":{"message":{"a":1}}}"#,
            422,
            "VALIDATION_ERROR",
        ),
        row(
            "parameters that are no object",
            M::POST,
            execute,
            r#"{"action_ref":"test.echo","parameters":[1]}"#,
            422,
            "VALIDATION_ERROR",
        ),
        row(
            "a priority over 9",
            M::POST,
            execute,
            r#"{"action_ref":"test.echo","parameters":{"message":"x"},"priority":10}"#,
            422,
            "VALIDATION_ERROR",
        ),
        row(
            "an unknown permission set",
            M::POST,
            execute,
            r#"{"action_ref":"test.echo","parameters":{"message":"x"},"permission_set_refs":["no.such"]}"#,
            403,
            "FORBIDDEN",
        ),
        row(
            "a required parameter missing, by path",
            M::POST,
            "/api/v1/actions/test.echo/execute",
            "",
            422,
            "VALIDATION_ERROR",
        ),
        row(
            "an unknown action, by path",
            M::POST,
            "/api/v1/actions/a.b/execute",
            "{}",
            404,
            "NOT_FOUND",
        ),
        row(
            "an event of no trigger",
            M::POST,
            "/api/v1/events",
            r#"{"trigger_ref":"test.nope"}"#,
            404,
            "NOT_FOUND",
        ),
        row("an event without trigger", M::POST, "/api/v1/events", "{}", 422, "VALIDATION_ERROR"),
        row("a webhook without payload", M::POST, &webhook, r#"{"data":1}"#, 400, "BAD_REQUEST"),
        row("a webhook without JSON", M::POST, &webhook, "nope", 400, "BAD_REQUEST"),
        row(
            "a webhook with bad JSON for an unknown key",
            M::POST,
            "/api/v1/webhooks/wh_x",
            "nope",
            400,
            "BAD_REQUEST",
        ),
        row(
            "an unknown webhook key",
            M::POST,
            "/api/v1/webhooks/wh_x",
            r#"{"payload":1}"#,
            404,
            "NOT_FOUND",
        ),
        row("an unknown route", M::GET, "/api/v1/nothing", "", 404, "NOT_FOUND"),
        row("a wrong method", M::DELETE, "/api/v1/executions", "", 405, "METHOD_NOT_ALLOWED"),
        row("an id that is no number", M::GET, "/api/v1/executions/abc", "", 400, "BAD_REQUEST"),
        row(
            "an id that is too large",
            M::GET,
            "/api/v1/events/99999999999999999999",
            "",
            400,
            "BAD_REQUEST",
        ),
        row("an execution that is not there", M::GET, "/api/v1/executions/5", "", 404, "NOT_FOUND"),
        row("an event that is not there", M::GET, "/api/v1/events/5", "", 404, "NOT_FOUND"),
        row(
            "an enforcement that is not there",
            M::GET,
            "/api/v1/enforcements/5",
            "",
            404,
            "NOT_FOUND",
        ),
        row(
            "executions of no enforcement",
            M::GET,
            "/api/v1/enforcements/5/executions",
            "",
            404,
            "NOT_FOUND",
        ),
        row("children of nothing", M::GET, "/api/v1/executions/5/children", "", 404, "NOT_FOUND"),
        row("logs of nothing", M::GET, "/api/v1/executions/5/logs", "", 404, "NOT_FOUND"),
        row("a third log", M::GET, "/api/v1/executions/5/logs/stdin", "", 400, "BAD_REQUEST"),
        row(
            "a third log's stream",
            M::GET,
            "/api/v1/executions/5/logs/x/stream",
            "",
            400,
            "BAD_REQUEST",
        ),
        row("cancelling nothing", M::POST, "/api/v1/executions/5/cancel", "", 404, "NOT_FOUND"),
        row("stats of no action", M::GET, "/api/v1/actions/a.b/queue-stats", "", 404, "NOT_FOUND"),
        row(
            "stats without a policy",
            M::GET,
            "/api/v1/actions/test.echo/queue-stats",
            "",
            404,
            "NOT_FOUND",
        ),
        row("a bad status word", M::GET, "/api/v1/executions/status/done", "", 400, "BAD_REQUEST"),
        row(
            "a bad status filter",
            M::GET,
            "/api/v1/executions?status=done",
            "",
            400,
            "BAD_REQUEST",
        ),
        row(
            "a filter that is no number",
            M::GET,
            "/api/v1/events?trigger=x",
            "",
            400,
            "BAD_REQUEST",
        ),
        row("a page of zero", M::GET, "/api/v1/executions?page=0", "", 400, "BAD_REQUEST"),
        row("a page that is no number", M::GET, "/api/v1/events?page=x", "", 400, "BAD_REQUEST"),
        row(
            "a page size of zero",
            M::GET,
            "/api/v1/enforcements?per_page=0",
            "",
            400,
            "BAD_REQUEST",
        ),
        row(
            "a page too deep",
            M::GET,
            "/api/v1/executions?page=1000&per_page=100",
            "",
            400,
            "BAD_REQUEST",
        ),
        row("a bad cursor", M::GET, "/api/v1/events?cursor=xyz", "", 400, "BAD_REQUEST"),
        row(
            "dead letters of no queue",
            M::GET,
            "/api/v1/dead-letters?queue=x",
            "",
            404,
            "NOT_FOUND",
        ),
        row(
            "a dead letter that is not there",
            M::DELETE,
            "/api/v1/dead-letters/match/x",
            "",
            404,
            "NOT_FOUND",
        ),
        row(
            "redriving what is not there",
            M::POST,
            "/api/v1/dead-letters/match/redrive",
            r#"{"id":"x"}"#,
            404,
            "NOT_FOUND",
        ),
        row("a login with nothing", M::POST, "/auth/login", "{}", 422, "VALIDATION_ERROR"),
        row(
            "an empty login",
            M::POST,
            "/auth/login",
            r#"{"login":"","password":"x"}"#,
            422,
            "VALIDATION_ERROR",
        ),
        row(
            "a refresh with nonsense",
            M::POST,
            "/auth/refresh",
            r#"{"refresh_token":"x"}"#,
            401,
            "UNAUTHORIZED",
        ),
        row("a refresh with nothing", M::POST, "/auth/refresh", "", 401, "UNAUTHORIZED"),
        row(
            "registering where that is off",
            M::POST,
            "/auth/register",
            r#"{"login":"newcomer","password":"long enough"}"#,
            403,
            "FORBIDDEN",
        ),
        row(
            "a short new password",
            M::POST,
            "/auth/change-password",
            r#"{"current_password":"x","new_password":"short"}"#,
            422,
            "VALIDATION_ERROR",
        ),
    ];
    let mut typed =
        row("another content type", M::POST, execute, "{}", 415, "UNSUPPORTED_MEDIA_TYPE");
    typed.content_type = Some("text/plain");
    rows.push(typed);
    let mut typed =
        row("a webhook of another type", M::POST, webhook, "{}", 415, "UNSUPPORTED_MEDIA_TYPE");
    typed.content_type = Some("text/plain");
    rows.push(typed);
    rows
}

#[tokio::test]
async fn bad_input_is_refused_in_the_standard_shape_and_writes_nothing() {
    let server = Server::start().await;
    let before = server.tally().await;
    for row in rows() {
        let mut request = Request::builder()
            .method(row.method)
            .uri(&row.path)
            .header(header::AUTHORIZATION, format!("Bearer {}", server.token));
        if let Some(of) = row.content_type {
            request = request.header(header::CONTENT_TYPE, of);
        }
        let answer = server.answer(request.body(Body::from(row.body)).unwrap()).await;
        let what = row.what;
        assert_eq!(answer.status.as_u16(), row.status, "{what}: {}", answer.body);
        assert_eq!(answer.body["code"], row.code, "{what}: {}", answer.body);
        assert!(answer.body["error"].as_str().is_some_and(|text| !text.is_empty()), "{what}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json", "{what}");
        assert!(answer.headers.contains_key("x-request-id"), "{what}");
    }
    assert_eq!(server.tally().await, before, "something was written");
}

#[tokio::test]
async fn without_a_valid_token_nothing_answers_but_what_is_public() {
    let mut server = Server::start().await;
    let admin = server.get("/auth/me").await.body["data"]["id"].to_string();
    let mut expired = server.claims(Use::Access, &admin, "admin");
    expired.exp = server.ports.clock.now().timestamp() - 61;
    let tokens = [
        (String::new(), "Missing authentication token"),
        ("nonsense".into(), "Invalid authentication token"),
        (server.sign(&expired).await, "Authentication token expired"),
        (
            server.sign(&server.claims(Use::Refresh, &admin, "admin")).await,
            "Invalid authentication token",
        ),
    ];
    let protected = [
        (Method::GET, "/api/v1/executions"),
        (Method::GET, "/api/v1/executions/1"),
        (Method::GET, "/api/v1/executions/stats"),
        (Method::GET, "/api/v1/executions/status/failed"),
        (Method::GET, "/api/v1/executions/enforcement/1"),
        (Method::GET, "/api/v1/executions/1/children"),
        (Method::GET, "/api/v1/executions/1/logs"),
        (Method::GET, "/api/v1/executions/1/logs/stdout"),
        (Method::POST, "/api/v1/executions/execute"),
        (Method::POST, "/api/v1/executions/1/cancel"),
        (Method::POST, "/api/v1/actions/test.echo/execute"),
        (Method::GET, "/api/v1/actions/test.echo/queue-stats"),
        (Method::GET, "/api/v1/events"),
        (Method::POST, "/api/v1/events"),
        (Method::GET, "/api/v1/events/1"),
        (Method::GET, "/api/v1/enforcements"),
        (Method::GET, "/api/v1/enforcements/1"),
        (Method::GET, "/api/v1/enforcements/1/executions"),
        (Method::GET, "/api/v1/dead-letters"),
        (Method::POST, "/api/v1/dead-letters/match/redrive"),
        (Method::DELETE, "/api/v1/dead-letters/match"),
        (Method::DELETE, "/api/v1/dead-letters/match/1"),
        (Method::PUT, "/auth/me"),
        (Method::POST, "/auth/change-password"),
    ];
    for (token, text) in tokens {
        server.token = token;
        for (method, path) in &protected {
            let answer = server.answer(server.request(method.clone(), path, None)).await;
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
            let nested = json!({"error": {"code": 401, "message": text}});
            assert_eq!(answer.body, nested, "{method} {path}");
        }
        for path in
            ["/auth/me", "/api/v1/executions/stream", "/api/v1/executions/1/logs/stdout/stream"]
        {
            let answer = server.get(path).await;
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.body, json!({"error": text, "code": "UNAUTHORIZED"}), "{path}");
        }
        for path in
            ["/health", "/health/detailed", "/health/ready", "/health/live", "/auth/settings"]
        {
            assert_eq!(server.get(path).await.status, 200, "{path}");
        }
    }
}
