//! How an action's line stands.

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::Path;
use crate::routes::table::{Table, routes};
use crate::wire::queue_stats::QueueStatsResponse;
use crate::{Context, Error};
use attune_domain::reference::ComponentRef;
use attune_journey::{definitions, queue_stats};
use axum::extract::State;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(get_queue_stats))
}

/// Get how many executions of an action wait and run under its policies.
#[utoipa::path(
    get, path = "/api/v1/actions/{ref}/queue-stats", tag = "actions",
    security(("bearer_auth" = [])), params(("ref" = String, Path)),
    responses(
        (status = 200, body = ApiResponse<QueueStatsResponse>),
        (status = 401), (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such action, or never held by a policy")
    )
)]
async fn get_queue_stats(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<QueueStatsResponse>, Error> {
    let ports = &context.ports;
    caller.require_some(Resource::Actions, Action::Read)?;
    let unknown = || Error::not_found("Action", &reference);
    let action_ref = ComponentRef::parse(&reference).map_err(|_| unknown())?;
    let target = Target {
        reference: Some(action_ref.as_str()),
        pack_ref: Some(action_ref.pack()),
        ..Target::default()
    };
    caller.require_on(Resource::Actions, Action::Read, target)?;
    let action = definitions::action(ports, &action_ref).await?.ok_or_else(unknown)?;
    let stats = queue_stats::of(ports, &action_ref).await?.ok_or_else(|| {
        Error::NotFound(format!("No policy has held executions of action '{reference}' yet"))
    })?;
    Ok(ApiResponse::of(QueueStatsResponse {
        action_id: action.action.id.get(),
        action_ref: reference,
        queue_length: stats.queue_length,
        active_count: stats.active,
        max_concurrent: stats.limit.unwrap_or(0),
        oldest_enqueued_at: stats.oldest,
        total_enqueued: stats.total_enqueued,
        total_completed: stats.total_completed,
        last_updated: stats.updated,
    }))
}
