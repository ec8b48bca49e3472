//! Bodies that nobody reads to their end: of a request that is refused before, or half-way.
//!
//! A connection that is closed while data is still coming in is reset, and a client that sends everything
//! before it reads would see the reset and not the answer. So what is left of a body is read and thrown away,
//! up to a limit; the answer does not wait for that, and the connection may serve the next request.

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;

/// Bytes that are thrown away at most.
const MOST: usize = 8 * 1024 * 1024;
/// Time that it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The layer.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let waits = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| {
        Body::from_stream(Incoming { rest: Some(body.into_data_stream()), withheld: waits })
    });
    next.run(request).await
}

/// A body that is read to its end by whoever has it, or else when it is dropped.
struct Incoming {
    /// What is still to come.
    rest: Option<BodyDataStream>,
    /// Whether the client waits for a word (`Expect: 100-continue`) before it sends anything. That word is
    /// given by reading; if the request is refused before, nothing comes.
    withheld: bool,
}

impl Stream for Incoming {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.withheld = false;
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let chunk = ready!(rest.poll_next_unpin(cx));
        if !matches!(chunk, Some(Ok(_))) {
            self.rest = None;
        }
        Poll::Ready(chunk)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take().filter(|_| !self.withheld) else { return };
        // Without a runtime there is no connection either.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(PATIENCE, discard(rest)));
        }
    }
}

async fn discard(mut rest: BodyDataStream) {
    let mut discarded = 0;
    while let Some(Ok(chunk)) = rest.next().await {
        discarded += chunk.len();
        if discarded > MOST {
            return;
        }
    }
}
