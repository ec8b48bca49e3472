//! Streams: where they are served, and how they end.

use crate::server::Server;
use attune_api::{ApiConfig, Deadline};
use axum::body::to_bytes;
use axum::http::{Method, header};
use std::time::{Duration, SystemTime};

const STREAMS: [&str; 2] = [
    "/api/v1/executions/stream?execution_id=7",
    "/api/v1/executions/7/logs/stdout/stream?offset=3",
];

#[tokio::test]
async fn a_stream_that_is_served_elsewhere_is_asked_for_there() {
    let stream_url = Some("https://streams.example.org/".to_owned());
    let server = Server::with(ApiConfig { stream_url, ..ApiConfig::default() }).await;
    for path in STREAMS {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 307, "{path}");
        let location = answer.headers[header::LOCATION].to_str().unwrap();
        assert_eq!(location, format!("https://streams.example.org{path}"));
    }
    assert_eq!(server.get("/api/v1/executions").await.status, 200, "all else is here");
}

/// One stream of executions, from its start to its end.
async fn streamed(server: &Server, after: Option<&str>) -> String {
    let mut request = server.request(Method::GET, "/api/v1/executions/stream", None);
    if let Some(id) = after {
        request.headers_mut().insert("last-event-id", id.parse().unwrap());
    }
    request.extensions_mut().insert(Deadline(SystemTime::now() + Duration::from_millis(50)));
    let response = server.send(request).await;
    assert_eq!(response.status(), 200);
    let text = to_bytes(response.into_body(), 1_000_000).await.unwrap();
    String::from_utf8(text.into()).unwrap()
}

#[tokio::test]
async fn a_stream_that_ends_says_where_to_go_on() {
    let server = Server::start().await;
    let head = server.local.feed.head().0.to_string();
    let nothing = streamed(&server, None).await;
    assert_eq!(nothing.trim().replace(' ', ""), format!("id:{head}"));
    let execution = server.execute("hi").await;
    let named = |text: &str| text.contains(&format!("\"id\":{execution},"));
    while !named(&streamed(&server, Some(&head)).await) {}
}
