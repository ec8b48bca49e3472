//! Changes of executions as they happen, as server-sent events.

use super::streaming::Here;
use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::auth::caller::StandardCaller;
use crate::auth::token::Use;
use crate::error::ErrorResponse;
use crate::extract::Query;
use crate::routes::table::{Table, routes};
use crate::wire::notification::ExecutionChange;
use crate::{Context, Error};
use attune_domain::Timestamp;
use attune_domain::id::ExecutionId;
use attune_journey::layout;
use attune_ports::records::{Index, Kind, Query as Range};
use attune_ports::{FeedCursor, Lagged, Record};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::response::sse::Event;
use chrono::TimeDelta;
use futures::Stream;
use futures::stream::unfold;
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(stream_executions))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Watched {
    /// Only this execution; an execution's own token must name its own.
    execution_id: Option<i64>,
}

/// Follow executions: an event for each that is made or changes its status. Event ids are positions;
/// a client that comes back with `Last-Event-ID` goes on from there while the feed remembers it;
/// elsewhere it is told how executions stand that changed within the last quarter of an hour.
#[utoipa::path(
    get, path = "/api/v1/executions/stream", tag = "executions", security(("bearer_auth" = [])),
    params(Watched),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 307, description = "Streams are served at the address in `Location`"),
        (status = 401, body = ErrorResponse), (status = 403, body = ErrorResponse)
    )
)]
async fn stream_executions(
    State(context): State<Context>,
    here: Here,
    StandardCaller(caller): StandardCaller,
    headers: HeaderMap,
    Query(watched): Query<Watched>,
) -> Result<Response, Error> {
    match caller.token_use() {
        Use::Access => caller.require_some(Resource::Executions, Action::Read)?,
        Use::Execution => {
            let own = caller.execution().map(|id| id.get());
            if own.is_none() || watched.execution_id != own {
                return Err(Error::Forbidden("An execution may only follow itself".into()));
            }
        }
        Use::Refresh | Use::Sensor | Use::Worker => {
            return Err(Error::Unauthorized("An access token is needed".into()));
        }
    }
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let cursor = resumed.map_or_else(|| context.feed.head(), FeedCursor);
    // A stream that will end says at once where to go on, in case that nothing happens meanwhile.
    let start = here.ends().then(|| Event::default().id(cursor.0.to_string()));
    let watcher = Watcher {
        context: context.clone(),
        caller,
        only: watched.execution_id,
        cursor,
        resumes: resumed.is_some(),
        ready: start.into_iter().collect(),
    };
    Ok(here.answer(watch(watcher)))
}

/// Executions that are looked at for what a client missed, at most: the newest.
const MADE_UP: usize = 200;
/// How far back a client is told what it missed: as long as a stream lasts in the cloud.
const LATELY: TimeDelta = TimeDelta::minutes(15);

#[derive(Deserialize)]
struct Updated {
    updated: Timestamp,
}

struct Watcher {
    context: Context,
    caller: Caller,
    only: Option<i64>,
    cursor: FeedCursor,
    /// Whether the client has followed before, so that it may have missed something.
    resumes: bool,
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
                    watcher.resumes = true;
                    for change in changes {
                        watcher.cursor = change.cursor;
                        let told =
                            ExecutionChange::of(&change).filter(|change| watcher.sees(change));
                        let event = told.and_then(|told| {
                            let id = change.cursor.0.to_string();
                            Event::default().id(id).json_data(&told).ok()
                        });
                        watcher.ready.extend(event);
                    }
                }
                Err(Lagged) => {
                    watcher.cursor = watcher.context.feed.head();
                    watcher.ready.push_back(Event::default().comment("changes were left out"));
                    // After the head was read: what changes meanwhile is told twice rather than never.
                    if watcher.resumes {
                        let made_up = watcher.make_up().await;
                        watcher.ready.extend(made_up);
                    }
                }
            }
        }
    })
}

impl Watcher {
    /// How executions stand that changed lately, as events: for who cannot be told what happened to them. The next
    /// change may find that it cannot read them; then the client knows as much as without.
    async fn make_up(&self) -> Vec<Event> {
        let records = &self.context.ports.records;
        let found = if let Some(id) = self.only {
            let key = layout::execution(ExecutionId::new(id));
            records.get(&key).await.map(|record| record.into_iter().collect())
        } else {
            let newest = Range::index(Index::List, Kind::Execution.as_str(), MADE_UP).descending();
            records.query(&newest).await.map(|page| page.records)
        };
        let since = self.context.ports.clock.now() - LATELY;
        let lately = |record: &Record| {
            record.decode::<Updated>().is_ok_and(|execution| execution.updated >= since)
        };
        let id = self.cursor.0.to_string();
        let found = found.unwrap_or_default();
        found
            .iter()
            .rev()
            .filter(|record| self.only.is_some() || lately(record))
            .filter_map(ExecutionChange::present)
            .filter(|present| self.sees(present))
            .filter_map(|present| Event::default().id(&id).json_data(&present).ok())
            .collect()
    }

    fn sees(&self, change: &ExecutionChange) -> bool {
        if self.only.is_some_and(|id| id != change.id) {
            return false;
        }
        let target = Target {
            id: Some(change.id),
            reference: Some(&change.action_ref),
            pack_ref: change.action_ref.split('.').next(),
            owner: change.executor,
            ..Target::default()
        };
        self.caller.token_use() == Use::Execution
            || self.caller.may(Resource::Executions, Action::Read, target)
    }
}
