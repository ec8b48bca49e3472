//! Where streams are served, and how long they last.

use crate::{Context, Deadline};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures::{Stream, StreamExt};
use std::error::Error;
use std::time::SystemTime;

/// Streams are served here. Where they are not, the request is answered with 307 and the same path and query
/// at the address that does: a gateway in front may hold answers back until they are complete.
pub(crate) struct Here {
    /// When streams have to be over. `None`, they last as long as the client stays.
    until: Option<SystemTime>,
}

impl FromRequestParts<Context> for Here {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Redirect> {
        let Some(base) = &context.config.stream_url else {
            return Ok(Self {
                until: parts.extensions.get::<Deadline>().map(|deadline| deadline.0),
            });
        };
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Err(Redirect::temporary(&format!("{}{path}", base.trim_end_matches('/'))))
    }
}

impl Here {
    /// Whether a stream ends although its client stays.
    pub(crate) const fn ends(&self) -> bool {
        self.until.is_some()
    }

    /// The events as an answer that ends with them, or when its time is up. It ends between two events, so the
    /// client has seen whole ones and asks for what comes after the last.
    pub(crate) fn answer<E>(
        self,
        events: impl Stream<Item = Result<Event, E>> + Send + 'static,
    ) -> Response
    where
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let over = async move {
            match self.until {
                Some(end) => {
                    let remaining = end.duration_since(SystemTime::now()).unwrap_or_default();
                    tokio::time::sleep(remaining).await;
                }
                None => std::future::pending().await,
            }
        };
        let events = events.take_until(Box::pin(over));
        Sse::new(events).keep_alive(KeepAlive::default()).into_response()
    }
}
