//! Lists of executions.

use super::filter::{ExecutionFilter, ExecutionSieve};
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{self, PaginatedResponse};
use crate::error::ErrorResponse;
use crate::extract::{Path, Query};
use crate::listing::{self, Found};
use crate::paging::{self, Bounds, Paging, Slice};
use crate::routes::table::{Table, routes};
use crate::wire::execution::ExecutionSummary;
use crate::{Context, Error};
use attune_domain::id::{EnforcementId, ExecutionId};
use attune_domain::status::ExecutionStatus;
use attune_journey::{layout, load};
use attune_ports::records::{Index, Kind, Query as Range};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use bytes::Bytes;

/// Executions are counted under this and their status.
pub(super) const TALLY: &str = "execution/";

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_executions))
        .routes(routes!(list_executions_by_status))
        .routes(routes!(list_executions_by_enforcement))
        .routes(routes!(list_enforcement_executions))
        .routes(routes!(list_children))
}

/// One page as JSON text.
async fn page(
    context: &Context,
    caller: &Caller,
    mut filter: ExecutionFilter,
    slice: &Slice,
) -> Result<Vec<u8>, Error> {
    let records = &*context.ports.records;
    let status = filter.status.take().map(|word| word.parse());
    let status: Option<ExecutionStatus> = status
        .transpose()
        .map_err(|e: attune_domain::status::Unknown| Error::BadRequest(e.to_string()))?;
    let exact = filter.action_ref.as_ref().is_some_and(|pattern| !pattern.contains('*'));
    let mut everything = false;
    let range = if let Some(parent) = filter.parent.take() {
        Range::index(Index::Of, layout::children_of(ExecutionId::new(parent)), 0)
    } else if let Some(enforcement) = filter.enforcement.take() {
        let found = load::enforcement(&context.ports, EnforcementId::new(enforcement)).await?;
        let execution = found.and_then(|enforcement| enforcement.execution);
        listing::around(Kind::Execution, execution.map(|id| id.get()))
    } else if let Some(action_ref) = filter.action_ref.take_if(|_| exact) {
        Range::index(Index::By, layout::executions_of_action(action_ref), 0)
    } else {
        everything = true;
        Range::index(Index::List, Kind::Execution.as_str(), 0)
    }
    .descending();
    filter.top_level_only.take_if(|only| !*only);

    let whole = status.is_none()
        && filter == ExecutionFilter::default()
        && caller.grants().allow_all(Resource::Executions, Action::Read);
    let found = if whole && (everything || slice.include_total != Some(true)) {
        let mut found = listing::read(records, range, slice).await?;
        if everything && slice.include_total != Some(false) {
            found.total = Some(listing::total(records, TALLY).await?);
        }
        found
    } else {
        let sieve = ExecutionSieve { filter, status, caller, blobs: &*context.ports.blobs };
        listing::sift(records, range, slice, &sieve).await?
    };
    let Found { records, next, total } = found;
    let rows = records.iter().map(ExecutionSummary::of).collect::<Result<Vec<_>, _>>()?;
    let meta = slice.meta(total, next.as_deref());
    Ok(envelope::list_bytes(context.config.list_envelope, rows, &meta))
}

async fn answer(
    context: &Context,
    caller: &Caller,
    filter: ExecutionFilter,
    paging: &Paging,
    bounds: Bounds,
) -> Result<Response, Error> {
    caller.require_some(Resource::Executions, Action::Read)?;
    let slice = paging.within(bounds)?;
    Ok(envelope::json(page(context, caller, filter, &slice).await?))
}

/// List executions, newest first.
#[utoipa::path(
    get, path = "/api/v1/executions", tag = "executions", security(("bearer_auth" = [])),
    params(ExecutionFilter, Paging),
    responses(
        (status = 200, body = PaginatedResponse<ExecutionSummary>),
        (status = 400, body = ErrorResponse), (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn list_executions(
    State(context): State<Context>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Error> {
    caller.require_some(Resource::Executions, Action::Read)?;
    let query = uri.query().unwrap_or_default();
    // Whoever sees everything sees the same.
    let shared =
        context.config.cache_pages && caller.grants().allow_all(Resource::Executions, Action::Read);
    let head = shared.then(|| context.feed.head());
    if let Some(text) = head.and_then(|head| context.pages.get(query, head)) {
        return Ok(envelope::json(text));
    }
    let Query(filter) = Query::<ExecutionFilter>::of(&uri)?;
    let Query(paging) = Query::<Paging>::of(&uri)?;
    let slice = paging.within(paging::EXECUTIONS)?;
    let text = Bytes::from(page(&context, &caller, filter, &slice).await?);
    if let Some(head) = head {
        context.pages.put(query, head, text.clone());
    }
    Ok(envelope::json(text))
}

/// List executions in one status.
#[utoipa::path(
    get, path = "/api/v1/executions/status/{status}", tag = "executions",
    security(("bearer_auth" = [])), params(("status" = String, Path), Paging),
    responses(
        (status = 200, body = PaginatedResponse<ExecutionSummary>),
        (status = 400, body = ErrorResponse), (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn list_executions_by_status(
    State(context): State<Context>,
    caller: Caller,
    Path(status): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    let filter = ExecutionFilter { status: Some(status), ..ExecutionFilter::default() };
    answer(&context, &caller, filter, &paging, paging::BELONGING).await
}

/// List the executions of an enforcement.
#[utoipa::path(
    get, path = "/api/v1/executions/enforcement/{enforcement_id}", tag = "executions",
    security(("bearer_auth" = [])), params(("enforcement_id" = i64, Path), Paging),
    responses(
        (status = 200, body = PaginatedResponse<ExecutionSummary>),
        (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn list_executions_by_enforcement(
    State(context): State<Context>,
    caller: Caller,
    Path(enforcement): Path<i64>,
    paging: Paging,
) -> Result<Response, Error> {
    let filter = ExecutionFilter { enforcement: Some(enforcement), ..ExecutionFilter::default() };
    answer(&context, &caller, filter, &paging, paging::BELONGING).await
}

/// List the executions of an enforcement that exists.
#[utoipa::path(
    get, path = "/api/v1/enforcements/{id}/executions", tag = "enforcements",
    security(("bearer_auth" = [])), params(("id" = i64, Path), Paging),
    responses(
        (status = 200, body = PaginatedResponse<ExecutionSummary>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn list_enforcement_executions(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Executions, Action::Read)?;
    let found = load::enforcement(&context.ports, EnforcementId::new(id)).await?;
    found.ok_or_else(|| Error::not_found("Enforcement", id))?;
    let filter = ExecutionFilter { enforcement: Some(id), ..ExecutionFilter::default() };
    answer(&context, &caller, filter, &paging, paging::BELONGING).await
}

/// List the children of an execution.
#[utoipa::path(
    get, path = "/api/v1/executions/{id}/children", tag = "executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path), Paging),
    responses(
        (status = 200, body = PaginatedResponse<ExecutionSummary>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn list_children(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    paging: Paging,
) -> Result<Response, Error> {
    super::readable(&context, &caller, id).await?;
    let filter = ExecutionFilter { parent: Some(id), ..ExecutionFilter::default() };
    answer(&context, &caller, filter, &paging, paging::BELONGING).await
}
