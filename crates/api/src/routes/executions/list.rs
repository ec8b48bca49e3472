//! Lists of executions.

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::envelope::{self, PaginatedResponse};
use crate::error::ErrorResponse;
use crate::extract::{Path, Query};
use crate::listing::{self, Found, Sieve};
use crate::paging::{self, Bounds, Paging, Slice};
use crate::wildcard;
use crate::wire::execution::ExecutionSummary;
use crate::{Context, Error};
use async_trait::async_trait;
use attune_domain::id::{EnforcementId, ExecutionId};
use attune_domain::payload::Payload;
use attune_domain::status::ExecutionStatus;
use attune_journey::{layout, load};
use attune_ports::Blobs;
use attune_ports::records::{Index, Kind, Query as Range, Record};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use std::borrow::Cow;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Executions are counted under this and their status.
pub(super) const TALLY: &str = "execution/";

pub(crate) fn router() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(list_executions))
        .routes(routes!(list_executions_by_status))
        .routes(routes!(list_executions_by_enforcement))
        .routes(routes!(list_enforcement_executions))
        .routes(routes!(list_children))
}

/// Which executions.
#[derive(Clone, Default, PartialEq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExecutionFilter {
    /// In this status.
    #[param(value_type = Option<crate::wire::execution::ExecutionStatus>)]
    status: Option<String>,
    /// Of this action; `*` stands for any text.
    action_ref: Option<String>,
    /// Of this pack's actions.
    pack_name: Option<String>,
    /// Asked for by this rule; `*` stands for any text.
    rule_ref: Option<String>,
    /// Caused by events of this trigger; `*` stands for any text.
    trigger_ref: Option<String>,
    /// In this identity's name.
    executor: Option<i64>,
    /// With this text in the result's JSON, in any case.
    result_contains: Option<String>,
    /// Of this enforcement.
    enforcement: Option<i64>,
    /// Children of this execution.
    parent: Option<i64>,
    /// Without parent.
    top_level_only: Option<bool>,
}

#[derive(Deserialize)]
struct Traits<'a> {
    id: i64,
    status: ExecutionStatus,
    #[serde(borrow)]
    action_ref: Cow<'a, str>,
    rule_ref: Option<String>,
    trigger_ref: Option<String>,
    executor: Option<i64>,
    enforcement: Option<i64>,
    parent: Option<i64>,
}

#[derive(Deserialize)]
struct Ended {
    result: Option<Payload>,
}

struct ExecutionSieve<'a> {
    filter: ExecutionFilter,
    status: Option<ExecutionStatus>,
    caller: &'a Caller,
    blobs: &'a dyn Blobs,
}

#[async_trait]
impl Sieve for ExecutionSieve<'_> {
    async fn keeps(&self, record: &Record) -> Result<bool, Error> {
        if !self.keeps_traits(record)? {
            return Ok(false);
        }
        match &self.filter.result_contains {
            None => Ok(true),
            Some(text) => self.result_contains(record, &text.to_lowercase()).await,
        }
    }
}

impl ExecutionSieve<'_> {
    fn keeps_traits(&self, record: &Record) -> Result<bool, Error> {
        let found: Traits<'_> = serde_json::from_slice(&record.body).map_err(|source| {
            attune_ports::records::Unreadable { key: record.key.clone(), source }
        })?;
        let filter = &self.filter;
        let named = |pattern: &Option<String>, text: Option<&str>| match pattern {
            None => true,
            Some(pattern) => text.is_some_and(|text| wildcard::fits(pattern, text)),
        };
        let pack = found.action_ref.split('.').next();
        Ok(self.status.is_none_or(|status| found.status == status)
            && named(&filter.action_ref, Some(&found.action_ref))
            && filter.pack_name.as_deref().is_none_or(|name| pack == Some(name))
            && named(&filter.rule_ref, found.rule_ref.as_deref())
            && named(&filter.trigger_ref, found.trigger_ref.as_deref())
            && filter.executor.is_none_or(|id| found.executor == Some(id))
            && filter.enforcement.is_none_or(|id| found.enforcement == Some(id))
            && filter.parent.is_none_or(|id| found.parent == Some(id))
            && (filter.top_level_only != Some(true) || found.parent.is_none())
            && self.caller.may(
                Resource::Executions,
                Action::Read,
                Target {
                    id: Some(found.id),
                    reference: Some(&found.action_ref),
                    pack_ref: pack,
                    owner: found.executor,
                },
            ))
    }

    async fn result_contains(&self, record: &Record, text: &str) -> Result<bool, Error> {
        let ended: Ended = record.decode()?;
        Ok(match ended.result {
            None => false,
            Some(Payload::Inline(value)) => value.to_string().to_lowercase().contains(text),
            Some(Payload::Blob { name, .. }) => match self.blobs.get(&name).await? {
                None => false,
                Some(bytes) => String::from_utf8_lossy(&bytes).to_lowercase().contains(text),
            },
        })
    }
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
        let of = layout::executions_of_enforcement(EnforcementId::new(enforcement));
        Range::index(Index::Of, of, 0)
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
    let shared = caller.grants().allow_all(Resource::Executions, Action::Read);
    let head = context.feed.head();
    if shared && let Some(text) = context.pages.get(query, head) {
        return Ok(envelope::json(text));
    }
    let Query(filter) = Query::<ExecutionFilter>::of(&uri)?;
    let Query(paging) = Query::<Paging>::of(&uri)?;
    let slice = paging.within(paging::EXECUTIONS)?;
    let text = Bytes::from(page(&context, &caller, filter, &slice).await?);
    if shared {
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
