//! An invocation for each function that needs nothing of AWS.

use serde_json::{Value, json};

/// The event; `None` where every invocation needs AWS.
pub(crate) fn without_aws(function: &str) -> Option<Value> {
    Some(match function {
        "api" => json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/health", "rawQueryString": "",
            "headers": {"host": "localhost"},
            "requestContext": {
                "accountId": "123456789012", "apiId": "none", "domainName": "localhost",
                "http": {
                    "method": "GET", "path": "/health", "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1", "userAgent": "cold-start",
                },
                "requestId": "none", "routeKey": "$default", "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_i64,
            },
            "isBase64Encoded": false,
        }),
        "sweep" | "advance-workflow" => return None,
        _ => json!({"Records": []}),
    })
}

/// What Lambda puts into a function's environment, and the stack. No address of it answers.
pub(crate) fn environment(function: &str, runtime_api: &str) -> Vec<(&'static str, String)> {
    let named = |what: &str| format!("attune-{what}");
    [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", named("log")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", named("log")),
        ("AWS_REGION", "eu-central-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "none".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned()),
        ("HOME", "/tmp".to_owned()),
        ("ATTUNE_STACK", named("none")),
        ("ATTUNE_TABLE", named("none")),
        ("ATTUNE_BUCKET", named("none")),
        ("ATTUNE_QUEUES", "http://127.0.0.1:1/123456789012/attune-".to_owned()),
        ("ATTUNE_ROOT_KEY_SECRET", named("none")),
        ("ATTUNE_TOKEN_KEY_SECRET", named("none")),
        ("ATTUNE_ADMIN_SECRET", named("none")),
        ("ATTUNE_TIMER_GROUP", named("none")),
        ("ATTUNE_INGEST_ARN", "arn:aws:lambda:eu-central-1:123456789012:function:none".to_owned()),
        ("ATTUNE_TIMER_ROLE", "arn:aws:iam::123456789012:role/none".to_owned()),
        ("ATTUNE_TICKS", "http://127.0.0.1:1/123456789012/attune-ticks".to_owned()),
        ("ATTUNE_API_URL", "http://127.0.0.1:1".to_owned()),
    ]
    .into()
}
