//! Lists of inquiries: those that the caller may see, newest first.

use super::may_read;
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{self, PaginatedResponse};
use crate::error::ErrorResponse;
use crate::extract::{Path, Query};
use crate::listing::{self, Found, Sieve};
use crate::paging::{self, Bounds, Paging};
use crate::routes::table::{Table, routes};
use crate::wire::inquiry::InquirySummary;
use crate::{Context, Error};
use async_trait::async_trait;
use attune_domain::id::ExecutionId;
use attune_domain::inquiry::{Inquiry, Status};
use attune_journey::load;
use attune_ports::records::{Index, Kind, Query as Range, Record};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

/// Inquiries are counted under this and their status.
const TALLY: &str = "inquiry/";

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_inquiries))
        .routes(routes!(list_inquiries_by_status))
        .routes(routes!(list_inquiries_by_execution))
}

/// Which inquiries.
#[derive(Clone, Default, PartialEq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InquiryFilter {
    /// In this status.
    #[param(value_type = Option<crate::wire::inquiry::InquiryStatus>)]
    status: Option<String>,
    /// Asked by this execution.
    execution: Option<i64>,
    /// That this identity alone may answer.
    assigned_to: Option<i64>,
}

struct InquirySieve<'a> {
    status: Option<Status>,
    filter: InquiryFilter,
    caller: &'a Caller,
}

#[async_trait]
impl Sieve for InquirySieve<'_> {
    async fn keeps(&self, record: &Record) -> Result<bool, Error> {
        let found: Inquiry = record.decode()?;
        let filter = &self.filter;
        let assignee = found.assigned_to.map(|id| id.get());
        Ok(self.status.is_none_or(|status| found.status == status)
            && filter.execution.is_none_or(|id| found.execution.get() == id)
            && filter.assigned_to.is_none_or(|id| assignee == Some(id))
            && may_read(self.caller, &found))
    }
}

async fn answer(
    context: &Context,
    caller: &Caller,
    mut filter: InquiryFilter,
    paging: &Paging,
    bounds: Bounds,
) -> Result<Response, Error> {
    let slice = paging.within(bounds)?;
    let status = filter.status.take().map(|word| word.parse::<Status>()).transpose();
    let status = status.map_err(|error| Error::BadRequest(error.to_string()))?;
    let records = &*context.ports.records;
    let range = match filter.execution {
        Some(execution) => {
            let found = load::execution(&context.ports, ExecutionId::new(execution)).await?;
            let asked = found.and_then(|execution| execution.asked);
            listing::around(Kind::Inquiry, asked.map(|asked| asked.inquiry.get()))
        }
        None => Range::index(Index::List, Kind::Inquiry.as_str(), 0),
    }
    .descending();
    let whole = status.is_none()
        && filter == InquiryFilter::default()
        && caller.grants().allow_all(Resource::Inquiries, Action::Read);
    let found = if whole {
        let mut found = listing::read(records, range, &slice).await?;
        if slice.include_total != Some(false) {
            found.total = Some(listing::total(records, TALLY).await?);
        }
        found
    } else {
        let sieve = InquirySieve { status, filter, caller };
        listing::sift(records, range, &slice, &sieve).await?
    };
    let Found { records, next, total } = found;
    let rows = records.iter().map(|record| record.decode::<Inquiry>().map(InquirySummary::from));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let meta = slice.meta(total, next.as_deref());
    Ok(envelope::list(context.config.list_envelope, rows, &meta))
}

/// List inquiries, newest first.
#[utoipa::path(
    get, path = "/api/v1/inquiries", tag = "inquiries", security(("bearer_auth" = [])),
    params(InquiryFilter, Paging),
    responses(
        (status = 200, body = PaginatedResponse<InquirySummary>),
        (status = 400, body = ErrorResponse), (status = 401)
    )
)]
async fn list_inquiries(
    State(context): State<Context>,
    caller: Caller,
    Query(filter): Query<InquiryFilter>,
    paging: Paging,
) -> Result<Response, Error> {
    answer(&context, &caller, filter, &paging, paging::INQUIRIES).await
}

/// List inquiries in one status; `canceled` is `cancelled`, too.
#[utoipa::path(
    get, path = "/api/v1/inquiries/status/{status}", tag = "inquiries",
    security(("bearer_auth" = [])), params(("status" = String, Path), Paging),
    responses(
        (status = 200, body = PaginatedResponse<InquirySummary>),
        (status = 400, body = ErrorResponse), (status = 401)
    )
)]
async fn list_inquiries_by_status(
    State(context): State<Context>,
    caller: Caller,
    Path(status): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    let filter = InquiryFilter { status: Some(status), ..InquiryFilter::default() };
    answer(&context, &caller, filter, &paging, paging::BELONGING).await
}

/// List what an execution has asked.
#[utoipa::path(
    get, path = "/api/v1/executions/{execution_id}/inquiries", tag = "inquiries",
    security(("bearer_auth" = [])), params(("execution_id" = i64, Path), Paging),
    responses(
        (status = 200, body = PaginatedResponse<InquirySummary>),
        (status = 401), (status = 404, body = ErrorResponse)
    )
)]
async fn list_inquiries_by_execution(
    State(context): State<Context>,
    caller: Caller,
    Path(execution): Path<i64>,
    paging: Paging,
) -> Result<Response, Error> {
    let found = load::execution(&context.ports, ExecutionId::new(execution)).await?;
    found.ok_or_else(|| Error::not_found("Execution", execution))?;
    let filter = InquiryFilter { execution: Some(execution), ..InquiryFilter::default() };
    answer(&context, &caller, filter, &paging, paging::BELONGING).await
}
