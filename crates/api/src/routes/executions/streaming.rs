//! Where streams are served, and how long they last.

use crate::Context;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures::{Stream, StreamExt};
use std::error::Error;

/// Streams are served here. Where they are not, the request is answered with 307 and the same path and query
/// at the address that does: a gateway in front may hold answers back until they are complete.
pub(super) struct Here;

impl FromRequestParts<Context> for Here {
    type Rejection = Redirect;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Redirect> {
        let Some(base) = &context.config.stream_url else { return Ok(Self) };
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Err(Redirect::temporary(&format!("{}{path}", base.trim_end_matches('/'))))
    }
}

/// The events as an answer that ends with them, or when its time is up.
pub(super) fn answer<E>(
    context: &Context,
    events: impl Stream<Item = Result<Event, E>> + Send + 'static,
) -> Response
where
    E: Into<Box<dyn Error + Send + Sync>> + 'static,
{
    let limit = context.config.stream_limit;
    let over = async move {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let events = events.take_until(Box::pin(over));
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
