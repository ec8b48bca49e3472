//! Changes of inquiries as they happen, as server-sent events.

use super::may_read;
use crate::auth::Caller;
use crate::auth::caller::StandardCaller;
use crate::auth::token::Use;
use crate::error::ErrorResponse;
use crate::routes::executions::streaming::Here;
use crate::routes::table::{Table, routes};
use crate::wire::notification::InquiryChange;
use crate::{Context, Error};
use attune_domain::inquiry::{Inquiry, Status};
use attune_ports::records::{Index, Kind, Query as Range};
use attune_ports::{FeedCursor, Lagged};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use futures::Stream;
use futures::stream::unfold;
use std::collections::VecDeque;
use std::convert::Infallible;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(stream_inquiries))
}

/// Inquiries that are looked at for what a client missed, at most: the newest.
const MADE_UP: usize = 200;

/// Follow inquiries: an event for each that is asked or ends, if the caller may see it. Event ids are positions; a
/// client that comes back with `Last-Event-ID` goes on from there while the feed remembers it, and is told which
/// inquiries are pending where it does not.
#[utoipa::path(
    get, path = "/api/v1/inquiries/stream", tag = "inquiries", security(("bearer_auth" = [])),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 307, description = "Streams are served at the address in `Location`"),
        (status = 401, body = ErrorResponse)
    )
)]
async fn stream_inquiries(
    State(context): State<Context>,
    here: Here,
    StandardCaller(caller): StandardCaller,
    headers: HeaderMap,
) -> Result<Response, Error> {
    if !matches!(caller.token_use(), Use::Access | Use::Execution) {
        return Err(Error::Unauthorized("An access token is needed".into()));
    }
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let cursor = resumed.map_or_else(|| context.feed.head(), FeedCursor);
    let start = here.ends().then(|| Event::default().id(cursor.0.to_string()));
    let ready = start.into_iter().collect();
    Ok(here.answer(watch(Watcher { context, caller, cursor, ready })))
}

struct Watcher {
    context: Context,
    caller: Caller,
    cursor: FeedCursor,
    ready: VecDeque<Event>,
}

fn watch(watcher: Watcher) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(watcher, |mut watcher| async move {
        loop {
            if let Some(event) = watcher.ready.pop_front() {
                return Some((Ok(event), watcher));
            }
            match watcher.context.feed.after(watcher.cursor).await {
                Ok(changes) => {
                    for change in changes {
                        watcher.cursor = change.cursor;
                        let event =
                            InquiryChange::of(&change).and_then(|told| watcher.event(&told));
                        watcher.ready.extend(event);
                    }
                }
                Err(Lagged) => {
                    watcher.cursor = watcher.context.feed.head();
                    watcher.ready.push_back(Event::default().comment("changes were left out"));
                    let pending = watcher.pending().await;
                    watcher.ready.extend(pending);
                }
            }
        }
    })
}

impl Watcher {
    /// Inquiries that are pending, as events. Where they cannot be read, the client knows as much as without.
    async fn pending(&self) -> Vec<Event> {
        let newest = Range::index(Index::List, Kind::Inquiry.as_str(), MADE_UP).descending();
        let found = self.context.ports.records.query(&newest).await.unwrap_or_default();
        let inquiries = found.records.iter().rev().filter_map(|record| record.decode().ok());
        inquiries
            .filter(|inquiry: &Inquiry| inquiry.status == Status::Pending)
            .filter_map(|inquiry| self.event(&InquiryChange::present(inquiry)))
            .collect()
    }

    fn event(&self, told: &InquiryChange) -> Option<Event> {
        let seen = may_read(&self.caller, &told.inquiry);
        seen.then(|| Event::default().id(self.cursor.0.to_string()).json_data(told).ok())?
    }
}
