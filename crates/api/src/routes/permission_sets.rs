//! Permission sets.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::error::ErrorResponse;
use crate::extract::Query;
use crate::routes::definitions::target;
use crate::routes::table::{Table, routes};
use crate::wire::permission_set::PermissionSetSummary;
use crate::{Context, Error};
use attune_catalogue::{PermissionSet, read};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(list_permission_sets))
}

/// What narrows the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PermissionSetFilter {
    /// Only those of this pack.
    pack_ref: Option<String>,
}

/// All permission sets, by ref, as a bare array.
#[utoipa::path(
    get, path = "/api/v1/permissions/sets", tag = "permissions", security(("bearer_auth" = [])),
    params(PermissionSetFilter),
    responses((status = 200, body = Vec<PermissionSetSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_permission_sets(
    State(context): State<Context>,
    caller: Caller,
    Query(filter): Query<PermissionSetFilter>,
) -> Result<Json<Vec<PermissionSetSummary>>, Error> {
    caller.require_some(Resource::Permissions, Action::Read)?;
    let sets = read::all::<PermissionSet>(&context.ports).await?;
    let wanted = |set: &PermissionSet| {
        let of_pack = set.pack_ref.as_ref().map(|pack| pack.as_str());
        filter.pack_ref.as_deref().is_none_or(|pack| of_pack == Some(pack))
            && caller.may(Resource::Permissions, Action::Read, target(set))
    };
    Ok(Json(sets.into_iter().filter(wanted).map(PermissionSetSummary::from).collect()))
}
