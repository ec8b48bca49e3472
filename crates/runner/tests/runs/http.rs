//! The built-in HTTP request against a server in this process.

use crate::bench::{Bench, With};
use attune_domain::status::ExecutionStatus;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A server that answers each request, told as its text, with a response of the test's making.
async fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let request = read_request(&mut connection).await;
            let _ = connection.write_all(answer(&request).as_bytes()).await;
        }
    });
    address
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let length = connection.read(&mut piece).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&piece[..length]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(length > 0, "the connection ended within a request");
            continue;
        };
        let expected = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        if body.len() >= expected || length == 0 {
            return text;
        }
    }
}

fn response(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

async fn request(bench: &Bench, parameters: Value) -> Value {
    let outcome = bench.run(bench.native("core.http_request", parameters)).await;
    assert_eq!(outcome.status, ExecutionStatus::Completed, "{}", outcome.result);
    outcome.result["data"].clone()
}

#[tokio::test]
async fn an_answer_is_data() {
    let url = server(|_| {
        response("200 OK", "content-type: application/json\r\nx-a: 1\r\nx-a: 2\r\n", "{\"n\": 1}")
    })
    .await;
    let bench = Bench::new();
    let mut data = request(&bench, json!({ "url": url })).await;
    let elapsed = data.as_object_mut().unwrap().remove("elapsed_ms").unwrap();
    assert!(elapsed.is_u64());
    assert_eq!(
        data,
        json!({
            "status_code": 200, "success": true, "url": format!("{url}/"),
            "body": "{\"n\": 1}", "json": {"n": 1},
            "headers": {
                "content-length": "8", "connection": "close",
                "content-type": "application/json", "x-a": "1, 2",
            },
        })
    );
}

#[tokio::test]
async fn what_the_server_sees() {
    let url = server(|request| response("200 OK", "", request)).await;
    let bench = Bench::new();
    let rows = [
        ("the method, get by default", json!({}), "GET / HTTP/1.1"),
        ("any method in any case", json!({"method": "delete"}), "DELETE / HTTP/1.1"),
        (
            "query parameters, lists repeated",
            json!({"query_params": {"a": [1, "b c"]}}),
            "GET /?a=1&a=b+c HTTP/1.1",
        ),
        ("headers", json!({"headers": {"X-Thing": "t", "X-N": 5}}), "x-thing: t\r\n"),
        ("a text body as it is", json!({"method": "POST", "body": "plain"}), "\r\n\r\nplain"),
        (
            "any other body as JSON",
            json!({"method": "POST", "body": {"a": 1}}),
            "\r\n\r\n{\"a\":1}",
        ),
        ("with its type", json!({"method": "POST", "json": "x"}), "content-type: application/json"),
        (
            "unless it has another",
            json!({"method": "POST", "body": [], "headers": {"content-type": "text/x"}}),
            "content-type: text/x",
        ),
        (
            "basic authentication",
            json!({"auth_type": "basic", "auth_username": "u", "auth_password": "p"}),
            "authorization: Basic dTpw",
        ),
        (
            "bearer authentication",
            json!({"auth_type": "bearer", "auth_token": "t"}),
            "authorization: Bearer t",
        ),
        ("who we are", json!({}), "user-agent: attune/"),
    ];
    for (case, mut parameters, expected) in rows {
        parameters["url"] = url.clone().into();
        let data = request(&bench, parameters).await;
        let seen = data["body"].as_str().unwrap();
        assert!(seen.contains(expected), "{case}: {seen}");
    }
}

#[tokio::test]
async fn an_unwelcome_status_is_an_answer_too() {
    let url = server(|_| response("404 Not Found", "", "gone")).await;
    let data = request(&Bench::new(), json!({ "url": url })).await;
    assert_eq!(data["status_code"], 404);
    assert_eq!(data["success"], false);
    assert_eq!(data["json"], Value::Null);
}

#[tokio::test]
async fn redirects_are_followed_unless_told_otherwise() {
    let url = server(|request| {
        if request.starts_with("GET /start") {
            response("302 Found", "location: /end\r\n", "")
        } else {
            response("200 OK", "", "arrived")
        }
    })
    .await;
    let bench = Bench::new();
    let start = format!("{url}/start");
    let followed = request(&bench, json!({ "url": start })).await;
    assert_eq!(followed["body"], "arrived");
    assert_eq!(followed["url"], format!("{url}/end"));
    let told = request(&bench, json!({ "url": start, "follow_redirects": false })).await;
    assert_eq!(told["status_code"], 302);
}

#[tokio::test]
async fn no_answer_is_a_failure_that_names_its_reason() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = (format!("http://{}", silent.local_addr().unwrap()), silent);
    // It answers a TLS greeting as if it were a request.
    let plain = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _ = connection.write_all(response("200 OK", "", "").as_bytes()).await;
        });
        url
    };
    let looping = server(|_| response("302 Found", "location: /again\r\n", "")).await;
    let closed = {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", gone.local_addr().unwrap())
    };
    let rows = [
        (json!({"url": silent.0, "timeout": 0.1}), "request timed out after 0.1 seconds"),
        (json!({"url": closed}), "request failed: "),
        (json!({"url": looping, "max_redirects": 2}), "redirect"),
        (json!({"url": plain, "verify_ssl": false}), "request failed: "),
        (json!({}), "url must be given"),
    ];
    let bench = Bench::new();
    for (parameters, expected) in rows {
        let outcome = bench.run(bench.native("core.http_request", parameters)).await;
        assert_eq!(
            (outcome.status, &outcome.result["exit_code"]),
            (ExecutionStatus::Failed, &json!(1))
        );
        let error = outcome.result["error"].as_str().unwrap();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn the_run_s_own_time_limit_holds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let bench = Bench::new();
    let invocation = bench.native("core.http_request", json!({ "url": url }));
    let outcome = bench.run(invocation.within(Duration::from_millis(50))).await;
    assert_eq!(outcome.result["timed_out"], true);
}

#[tokio::test]
async fn a_long_body_is_cut_and_secrets_are_redacted() {
    let url =
        server(|request| response("200 OK", "", &format!("{request}{}", "x".repeat(9000)))).await;
    let mut bench = Bench::new();
    bench.config.max_output_bytes = 5000;
    let parameters = json!({"url": url, "auth_type": "bearer", "auth_token": "t0ken"});
    let invocation = bench.native("core.http_request", parameters).hiding(&["t0ken"]);
    let data = bench.run(invocation).await.result["data"].clone();
    assert_eq!(data["body_truncated"], true);
    let body = data["body"].as_str().unwrap();
    assert!(body.len() < 5100 && body.contains("Bearer [REDACTED]"), "{body}");
}
