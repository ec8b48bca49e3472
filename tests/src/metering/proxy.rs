//! A proxy in front of the emulator that remembers what was asked.

use super::capacity::{Meter, Units};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use parking_lot::Mutex;
use serde_json::Value;
use std::sync::{Arc, OnceLock};

/// Header of the AWS JSON protocols that names the operation: `DynamoDB_20120810.PutItem`.
const TARGET: &str = "x-amz-target";

/// One request that a function made.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Which function, as its client says; `None`, somebody else.
    pub function: Option<String>,
    /// `dynamodb`, `sqs`, `s3`, …
    pub service: String,
    /// The operation, such as `PutItem`; of S3, the method.
    pub operation: String,
    /// Whether a queue that it is about is ordered.
    pub ordered: bool,
    /// What DynamoDB charges for it.
    pub units: Units,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Request>>,
    meter: Mutex<Meter>,
}

struct Shared {
    seen: Seen,
    upstream: OnceLock<String>,
    http: reqwest::Client,
}

/// A proxy on a port of its own, in front of one emulator.
pub struct Proxy {
    endpoint: String,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts to listen. The emulator is told of it when it starts, so it is told of the emulator later:
    /// [`Proxy::pass_on_to`].
    ///
    /// # Panics
    /// Where there is no free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().expect("this machine does HTTP");
        let shared = Arc::new(Shared { seen: Seen::default(), upstream: OnceLock::new(), http });
        let router = Router::new().fallback(pass_on).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { endpoint: format!("http://{address}"), shared }
    }

    /// Passes requests on to `upstream`, such as `http://127.0.0.1:4566`.
    pub fn pass_on_to(&self, upstream: &str) {
        // Whoever said so first is right.
        let _ = self.shared.upstream.set(upstream.to_owned());
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What functions asked since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.seen.requests.lock())
    }
}

async fn pass_on(
    State(shared): State<Arc<Shared>>,
    method: axum::http::Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut passed = headers.clone();
    // The body is whole by now; the client sets its length anew. The host is part of the signature, which
    // the emulator does not check.
    passed.remove("host");
    passed.remove("content-length");
    passed.remove("transfer-encoding");
    let Some(upstream) = shared.upstream.get() else { return failed() };
    let answer = shared
        .http
        .request(method.clone(), format!("{upstream}{path}"))
        .headers(passed)
        .body(body.clone())
        .send()
        .await;
    let Ok(answer) = answer else { return failed() };
    let (status, answered) = (answer.status(), answer.headers().clone());
    let Ok(content) = answer.bytes().await else { return failed() };
    remember(&shared.seen, method.as_str(), path, &headers, &body, &content, status.is_success());
    let mut response = Response::new(Body::from(content));
    *response.status_mut() = status;
    for (name, value) in &answered {
        if !["content-length", "transfer-encoding", "connection"].contains(&name.as_str()) {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

fn failed() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

fn remember(
    seen: &Seen,
    method: &str,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
    answer: &[u8],
    success: bool,
) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let function = text("user-agent").and_then(application);
    let (service, operation) = match text(TARGET) {
        Some(target) => named(target),
        None => ("s3".to_owned(), method.to_owned()),
    };
    let parse = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let units = if service == "dynamodb" && success {
        seen.meter.lock().charge(&operation, &parse(body), &parse(answer))
    } else {
        Units::default()
    };
    let url = parse(body)["QueueUrl"].as_str().unwrap_or(path).to_owned();
    let ordered = url.ends_with(".fifo");
    seen.requests.lock().push(Request { function, service, operation, ordered, units });
}

/// `DynamoDB_20120810.PutItem` is `PutItem` of `dynamodb`.
fn named(target: &str) -> (String, String) {
    let (service, operation) = target.rsplit_once('.').unwrap_or(("", target));
    let service = match service {
        of if of.starts_with("DynamoDBStreams") => "dynamodb-streams",
        of if of.starts_with("DynamoDB") => "dynamodb",
        "AmazonSQS" => "sqs",
        "secretsmanager" => "secretsmanager",
        "AWSEvents" => "events",
        "AWSStepFunctions" => "states",
        other => other,
    };
    (service.to_owned(), operation.to_owned())
}

/// The application that a client of the SDK names itself: `… app/attune-match-rules …`.
fn application(agent: &str) -> Option<String> {
    agent.split(' ').find_map(|part| part.strip_prefix("app/")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named() {
        for (target, service, operation) in [
            ("DynamoDB_20120810.TransactWriteItems", "dynamodb", "TransactWriteItems"),
            ("DynamoDBStreams_20120810.GetRecords", "dynamodb-streams", "GetRecords"),
            ("AmazonSQS.SendMessage", "sqs", "SendMessage"),
        ] {
            assert_eq!(named(target), (service.to_owned(), operation.to_owned()));
        }
        let agent = "aws-sdk-rust/1.3 api/dynamodb/1.1 os/linux lang/rust/1.95 app/s-match-rules";
        assert_eq!(application(agent).as_deref(), Some("s-match-rules"));
        assert_eq!(application("curl/8"), None);
    }
}
