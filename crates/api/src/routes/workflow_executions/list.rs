//! Lists of workflows' executions.

use super::digest;
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{self, PaginatedResponse};
use crate::error::ErrorResponse;
use crate::extract::Query;
use crate::listing::{self, Found, Sieve};
use crate::paging::{self, Paging};
use crate::routes::executions::target;
use crate::routes::table::{Table, routes};
use crate::wildcard;
use crate::wire::execution::ExecutionSummary;
use crate::{Context, Error};
use async_trait::async_trait;
use attune_domain::execution::Execution;
use attune_domain::status::{ExecutionStatus, Unknown};
use attune_journey::layout;
use attune_ports::records::{Index, Kind, Query as Range, Record};
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(list_workflow_executions))
}

/// Which executions of workflows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WorkflowExecutionFilter {
    /// Of this workflow; `*` stands for any text.
    workflow_ref: Option<String>,
    /// In this status.
    #[param(value_type = Option<crate::wire::execution::ExecutionStatus>)]
    status: Option<String>,
}

struct WorkflowExecutionSieve<'a> {
    workflow_ref: Option<String>,
    status: Option<ExecutionStatus>,
    context: &'a Context,
    caller: &'a Caller,
}

#[async_trait]
impl Sieve for WorkflowExecutionSieve<'_> {
    async fn keeps(&self, record: &Record) -> Result<bool, Error> {
        let found: Execution = record.decode()?;
        let fits = |pattern: &String| wildcard::fits(pattern, found.action_ref.as_str());
        Ok(self.status.is_none_or(|status| found.status == status)
            && self.workflow_ref.as_ref().is_none_or(fits)
            && self.caller.may(Resource::Executions, Action::Read, target(&found))
            && digest(&self.context.ports, &found).await?.is_some())
    }
}

/// List executions of workflows, newest first.
#[utoipa::path(
    get, path = "/api/v1/workflow-executions", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(WorkflowExecutionFilter, Paging),
    responses(
        (status = 200, body = PaginatedResponse<ExecutionSummary>),
        (status = 400, body = ErrorResponse), (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn list_workflow_executions(
    State(context): State<Context>,
    caller: Caller,
    Query(filter): Query<WorkflowExecutionFilter>,
    paging: Paging,
) -> Result<Response, Error> {
    caller.require_some(Resource::Executions, Action::Read)?;
    let status = filter.status.map(|word| word.parse()).transpose();
    let status = status.map_err(|unknown: Unknown| Error::BadRequest(unknown.to_string()))?;
    let slice = paging.within(paging::EXECUTIONS)?;
    let mut workflow_ref = filter.workflow_ref;
    let range = match workflow_ref.take_if(|pattern| !pattern.contains('*')) {
        Some(exact) => Range::index(Index::By, layout::executions_of_action(exact), 0),
        None => Range::index(Index::List, Kind::Execution.as_str(), 0),
    };
    let sieve = WorkflowExecutionSieve { workflow_ref, status, context: &context, caller: &caller };
    let records = &*context.ports.records;
    let Found { records, next, total } =
        listing::sift(records, range.descending(), &slice, &sieve).await?;
    let rows = records.iter().map(ExecutionSummary::of).collect::<Result<Vec<_>, _>>()?;
    Ok(envelope::list(context.config.list_envelope, rows, &slice.meta(total, next.as_deref())))
}
