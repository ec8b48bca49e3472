//! Lambda's Runtime API, as far as a function's first invocation needs it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What a function answered.
pub(crate) struct Answer {
    /// When.
    pub at: Instant,
    /// Its error's text, where it was one.
    pub result: Result<(), String>,
}

type Waiting = (Value, Option<oneshot::Sender<Answer>>);

/// The state of the one invocation there is.
#[derive(Clone, Default)]
struct Invocation(Arc<Mutex<Waiting>>);

impl Invocation {
    fn answer(&self, result: Result<(), String>) {
        let at = Instant::now();
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).1.take();
        if let Some(waiting) = waiting {
            // Who gave up waiting does not want it any more.
            let _ = waiting.send(Answer { at, result });
        }
    }
}

/// A Runtime API on a port of its own.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    invocation: Invocation,
}

impl RuntimeApi {
    /// Starts to answer.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let invocation = Invocation::default();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(invocation.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, invocation })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The answer of the function that is started next, to this event.
    pub(crate) fn expect(&self, event: Value) -> oneshot::Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        *self.invocation.0.lock().unwrap_or_else(PoisonError::into_inner) = (event, Some(sender));
        receiver
    }
}

async fn next(State(invocation): State<Invocation>) -> Response {
    let (event, is_open) = {
        let waiting = invocation.0.lock().unwrap_or_else(PoisonError::into_inner);
        (waiting.0.clone(), waiting.1.is_some())
    };
    if !is_open {
        // It has answered and waits for more: until its end.
        std::future::pending::<()>().await;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let deadline = (now + Duration::from_secs(60)).as_millis().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-0000-0000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", deadline),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:none".to_owned(),
        ),
    ];
    (headers, axum::Json(event)).into_response()
}

async fn response(State(invocation): State<Invocation>, body: Bytes) -> StatusCode {
    // The answer counts when the whole of it is here.
    drop(body);
    invocation.answer(Ok(()));
    StatusCode::ACCEPTED
}

async fn error(State(invocation): State<Invocation>, body: Bytes) -> StatusCode {
    invocation.answer(Err(String::from_utf8_lossy(&body).into_owned()));
    StatusCode::ACCEPTED
}
