//! What executions print, while they run and afterwards.

use super::streaming::Here;
use super::{printed, readable};
use crate::auth::Caller;
use crate::auth::caller::StandardCaller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{Path, Query};
use crate::routes::table::{Table, routes};
use crate::wire::execution::{ExecutionLogs, LogText};
use crate::{Context, Error};
use attune_domain::id::ExecutionId;
use attune_journey::load;
use attune_ports::LogStream;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use futures::stream::unfold;
use serde::Deserialize;
use std::time::Duration;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(get_logs)).routes(routes!(get_log)).routes(routes!(stream_log))
}

/// Bytes of a log in one answer, where none were asked for.
const DEFAULT_BYTES: usize = 1024 * 1024;
/// Bytes of a log in one answer, at most: all of what is kept.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of a log in one event of a stream.
const CHUNK_BYTES: usize = 64 * 1024;
/// How often a stream looks for more.
const POLL: Duration = Duration::from_millis(250);
/// Header that says where the next part of a log starts.
const NEXT_OFFSET: HeaderName = HeaderName::from_static("x-next-offset");

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Part {
    /// First byte.
    #[serde(default)]
    offset: u64,
    /// Bytes at most.
    limit: Option<usize>,
}

fn stream_named(name: &str) -> Result<LogStream, Error> {
    [LogStream::Stdout, LogStream::Stderr]
        .into_iter()
        .find(|stream| stream.as_str() == name)
        .ok_or_else(|| {
            Error::BadRequest(format!("Unknown log '{name}': expected stdout or stderr"))
        })
}

/// Get both logs of an execution.
#[utoipa::path(
    get, path = "/api/v1/executions/{id}/logs", tag = "executions", security(("bearer_auth" = [])),
    params(("id" = i64, Path), Part),
    responses(
        (status = 200, body = ApiResponse<ExecutionLogs>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_logs(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    Query(asked): Query<Part>,
) -> Result<ApiResponse<ExecutionLogs>, Error> {
    let execution = readable(&context, &caller, id).await?;
    let limit = asked.limit.unwrap_or(DEFAULT_BYTES).min(MOST_BYTES);
    let text = async |stream| {
        let (bytes, complete) =
            printed::part(&context.ports, &execution, stream, asked.offset, limit).await?;
        Ok::<_, Error>(LogText {
            content: String::from_utf8_lossy(&bytes).into_owned(),
            offset: asked.offset,
            next_offset: asked.offset + bytes.len() as u64,
            complete,
        })
    };
    Ok(ApiResponse::of(ExecutionLogs {
        execution: id,
        stdout: text(LogStream::Stdout).await?,
        stderr: text(LogStream::Stderr).await?,
    }))
}

/// Get one log: as text, or as JSON where the `Accept` header prefers it.
#[utoipa::path(
    get, path = "/api/v1/executions/{id}/logs/{stream}", tag = "executions",
    security(("bearer_auth" = [])),
    params(("id" = i64, Path), ("stream" = String, Path, description = "stdout or stderr"), Part),
    responses(
        (status = 200, content(
            (String = "text/plain"), (ApiResponse<LogText> = "application/json")
        )),
        (status = 400, body = ErrorResponse), (status = 401),
        (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_log(
    State(context): State<Context>,
    caller: Caller,
    headers: HeaderMap,
    Path((id, name)): Path<(i64, String)>,
    Query(asked): Query<Part>,
) -> Result<Response, Error> {
    let stream = stream_named(&name)?;
    let execution = readable(&context, &caller, id).await?;
    let limit = asked.limit.unwrap_or(MOST_BYTES).min(MOST_BYTES);
    let (bytes, complete) =
        printed::part(&context.ports, &execution, stream, asked.offset, limit).await?;
    let next_offset = asked.offset + bytes.len() as u64;
    let json = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"));
    if json {
        let content = String::from_utf8_lossy(&bytes).into_owned();
        let text = LogText { content, offset: asked.offset, next_offset, complete };
        return Ok(ApiResponse::of(text).into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (NEXT_OFFSET, next_offset.to_string()),
    ];
    Ok((headers, bytes).into_response())
}

/// Follow one log: events `waiting`, `content` (what is there already), `append`, `done`; their ids are
/// byte offsets.
#[utoipa::path(
    get, path = "/api/v1/executions/{id}/logs/{stream}/stream", tag = "executions",
    security(("bearer_auth" = [])),
    params(("id" = i64, Path), ("stream" = String, Path, description = "stdout or stderr"), Part),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 307, description = "Streams are served at the address in `Location`"),
        (status = 400, body = ErrorResponse), (status = 401, body = ErrorResponse),
        (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn stream_log(
    State(context): State<Context>,
    here: Here,
    StandardCaller(caller): StandardCaller,
    headers: HeaderMap,
    Path((id, name)): Path<(i64, String)>,
    Query(asked): Query<Part>,
) -> Result<Response, Error> {
    let stream = stream_named(&name)?;
    let execution = readable(&context, &caller, id).await?;
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let follower = Follower {
        context: context.clone(),
        execution: execution.id,
        stream,
        offset: resumed.unwrap_or(asked.offset),
        stage: Stage::Catching,
        waiting: false,
    };
    Ok(here.answer(follow(follower)))
}

struct Follower {
    context: Context,
    execution: ExecutionId,
    stream: LogStream,
    offset: u64,
    stage: Stage,
    waiting: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Catching,
    Appending,
    Over,
}

fn follow(follower: Follower) -> impl Stream<Item = Result<Event, Error>> {
    unfold(follower, |mut follower| async move {
        if follower.stage == Stage::Over {
            return None;
        }
        let step = follower.next().await;
        if step.is_err() {
            follower.stage = Stage::Over;
        }
        Some((step, follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Result<Event, Error> {
        loop {
            let ports = &self.context.ports;
            // Asked before reading: what an ended execution printed is all there.
            let execution = load::execution(ports, self.execution).await?;
            let over = execution.as_ref().is_none_or(|execution| execution.status.is_terminal());
            let bytes = match &execution {
                Some(execution) => {
                    printed::read(ports, execution, self.stream, self.offset, CHUNK_BYTES).await?
                }
                None => Bytes::new(),
            };
            let text = whole_characters(&bytes, over);
            if !text.is_empty() {
                let name = if self.stage == Stage::Catching { "content" } else { "append" };
                self.offset += text.len() as u64;
                let event = Event::default().event(name).id(self.offset.to_string());
                return Ok(event.data(String::from_utf8_lossy(text)));
            }
            if over {
                self.stage = Stage::Over;
                return Ok(Event::default().event("done").id(self.offset.to_string()).data(""));
            }
            self.stage = Stage::Appending;
            if self.offset == 0 && !self.waiting {
                self.waiting = true;
                return Ok(Event::default().event("waiting").id("0").data(""));
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// `bytes` without a character that is cut off at the end, unless nothing will complete it.
fn whole_characters(bytes: &[u8], last: bool) -> &[u8] {
    let cut = (1..=bytes.len().min(3)).find(|back| {
        let lead = bytes[bytes.len() - back];
        let length = match lead {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 0,
        };
        length > *back
    });
    match cut {
        Some(back) if !last || bytes.len() == CHUNK_BYTES => &bytes[..bytes.len() - back],
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::whole_characters;

    #[test]
    fn no_character_is_torn_while_more_may_come() {
        for (text, cut, kept) in
            [("abc", 0, 3), ("aä", 1, 1), ("a€", 1, 1), ("a€", 2, 1), ("😀", 1, 0), ("€€", 0, 6)]
        {
            let bytes = &text.as_bytes()[..text.len() - cut];
            assert_eq!(whole_characters(bytes, false).len(), kept, "{text} without {cut} bytes");
            assert_eq!(whole_characters(bytes, true).len(), bytes.len(), "{text} at the end");
        }
        assert_eq!(
            whole_characters(&[0xff, 0x80, 0x80], false).len(),
            3,
            "what is no UTF-8 passes"
        );
    }
}
