//! Dead letters: looking at them, sending them again, forgetting them.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{self, ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{OptionalJson, Path, Query};
use crate::paging::{self, Paging};
use crate::routes::table::{Table, routes};
use crate::wire::dead_letter::{DeadLetterResponse, RedriveRequest, RedriveResponse};
use crate::{Context, Error};
use attune_ports::Unavailable;
use attune_ports::queues::Queue;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

/// Dead letters that are looked through at a time.
const STRIDE: usize = 100;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_dead_letters))
        .routes(routes!(redrive_dead_letters))
        .routes(routes!(purge_dead_letters))
        .routes(routes!(get_dead_letter, purge_dead_letter))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Of {
    /// Only this queue's.
    queue: Option<String>,
}

fn queue_named(name: &str) -> Result<Queue, Error> {
    name.parse().map_err(|_| Error::not_found("Queue", name))
}

/// List dead letters, oldest first, queue by queue.
#[utoipa::path(
    get, path = "/api/v1/dead-letters", tag = "dead-letters", security(("bearer_auth" = [])),
    params(Of, Paging),
    responses(
        (status = 200, body = PaginatedResponse<DeadLetterResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn list_dead_letters(
    State(context): State<Context>,
    caller: Caller,
    Query(of): Query<Of>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require(Resource::Queues, Action::Read)?;
    let queues = match &of.queue {
        Some(name) => vec![queue_named(name)?],
        None => Queue::ALL.to_vec(),
    };
    let slice = paging.within(paging::BELONGING)?;
    // A position is a queue and the id of one of its letters.
    let (start, after) = match slice.after.as_deref() {
        None => (0, None),
        Some(position) => position
            .split_once('/')
            .and_then(|(name, id)| {
                let at = queues.iter().position(|queue| queue.as_str() == name)?;
                Some((at, Some(id.to_owned())))
            })
            .ok_or_else(|| Error::BadRequest("The cursor is not one of this list".into()))?,
    };
    let skipped = usize::try_from(slice.offset).unwrap_or(usize::MAX);
    let size = slice.size as usize;
    let mut letters =
        letters(&context, &queues[start..], after, skipped.saturating_add(size + 1)).await?;
    letters.drain(..skipped.min(letters.len()));
    let more = letters.len() > size;
    letters.truncate(size);
    let next = letters.last().filter(|_| more).map(|last| format!("{}/{}", last.queue, last.id));
    let meta = slice.meta(None, next.as_deref());
    Ok(envelope::list(context.config.list_envelope, letters, &meta))
}

async fn letters(
    context: &Context,
    queues: &[Queue],
    mut after: Option<String>,
    most: usize,
) -> Result<Vec<DeadLetterResponse>, Unavailable> {
    let mut found = Vec::new();
    for queue in queues {
        let missing = most - found.len();
        if missing == 0 {
            break;
        }
        let after = after.take();
        let letters = context.ports.queues.dead_letters(*queue, after.as_deref(), missing).await?;
        found.extend(letters.into_iter().map(|letter| DeadLetterResponse::new(*queue, letter)));
    }
    Ok(found)
}

/// Get one dead letter.
#[utoipa::path(
    get, path = "/api/v1/dead-letters/{queue}/{id}", tag = "dead-letters",
    security(("bearer_auth" = [])), params(("queue" = String, Path), ("id" = String, Path)),
    responses(
        (status = 200, body = ApiResponse<DeadLetterResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_dead_letter(
    State(context): State<Context>,
    caller: Caller,
    Path((queue, id)): Path<(String, String)>,
) -> Result<ApiResponse<DeadLetterResponse>, Error> {
    caller.require(Resource::Queues, Action::Read)?;
    let queue = queue_named(&queue)?;
    // Queues can only be read from their front; dead letters are few.
    let mut after: Option<String> = None;
    loop {
        let letters = context.ports.queues.dead_letters(queue, after.as_deref(), STRIDE).await?;
        let last = letters.last().filter(|_| letters.len() == STRIDE);
        after = last.map(|letter| letter.id.clone());
        if let Some(found) = letters.into_iter().find(|letter| letter.id == id) {
            return Ok(ApiResponse::of(DeadLetterResponse::new(queue, found)));
        }
        if after.is_none() {
            return Err(Error::not_found("Dead letter", id));
        }
    }
}

/// Send a dead letter again, or all of a queue.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/{queue}/redrive", tag = "dead-letters",
    security(("bearer_auth" = [])), params(("queue" = String, Path)),
    request_body = Option<RedriveRequest>,
    responses(
        (status = 200, body = ApiResponse<RedriveResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn redrive_dead_letters(
    State(context): State<Context>,
    caller: Caller,
    Path(queue): Path<String>,
    OptionalJson(request): OptionalJson<RedriveRequest>,
) -> Result<ApiResponse<RedriveResponse>, Error> {
    caller.require(Resource::Queues, Action::Update)?;
    let queue = queue_named(&queue)?;
    let redriven = context.ports.queues.redrive(queue, request.id.as_deref()).await?;
    match request.id {
        Some(id) if redriven == 0 => Err(Error::not_found("Dead letter", id)),
        _ => Ok(ApiResponse::of(RedriveResponse { redriven })),
    }
}

/// Forget all dead letters of a queue.
#[utoipa::path(
    delete, path = "/api/v1/dead-letters/{queue}", tag = "dead-letters",
    security(("bearer_auth" = [])), params(("queue" = String, Path)),
    responses(
        (status = 200, body = SuccessResponse),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn purge_dead_letters(
    State(context): State<Context>,
    caller: Caller,
    Path(queue): Path<String>,
) -> Result<SuccessResponse, Error> {
    caller.require(Resource::Queues, Action::Delete)?;
    let queue = queue_named(&queue)?;
    let purged = context.ports.queues.purge(queue, None).await?;
    Ok(SuccessResponse::saying(format!("{purged} dead letters of queue '{queue}' deleted")))
}

/// Forget one dead letter.
#[utoipa::path(
    delete, path = "/api/v1/dead-letters/{queue}/{id}", tag = "dead-letters",
    security(("bearer_auth" = [])), params(("queue" = String, Path), ("id" = String, Path)),
    responses(
        (status = 200, body = SuccessResponse),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn purge_dead_letter(
    State(context): State<Context>,
    caller: Caller,
    Path((queue, id)): Path<(String, String)>,
) -> Result<SuccessResponse, Error> {
    caller.require(Resource::Queues, Action::Delete)?;
    let queue = queue_named(&queue)?;
    if context.ports.queues.purge(queue, Some(&id)).await? == 0 {
        return Err(Error::not_found("Dead letter", id));
    }
    Ok(SuccessResponse::saying(format!("Dead letter '{id}' deleted")))
}
