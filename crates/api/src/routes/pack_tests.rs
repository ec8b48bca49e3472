//! Tests of packs: the rehearsals of their workflows. They execute nothing, so they run wherever the API does.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, list};
use crate::error::ErrorResponse;
use crate::extract::Path;
use crate::paging::{CATALOGUE, Paging};
use crate::routes::definitions::{changeable, visible};
use crate::routes::pack_files::{blocking, load};
use crate::routes::table::{Table, routes};
use crate::wire::pack_test::{PackTestExecution, PackTestResult};
use crate::{Context, Error};
use attune_catalogue::layout::padded;
use attune_catalogue::pack_tests::{self, TestRun};
use attune_domain::catalogue::Pack;
use attune_packs::rehearsal::rehearse_pack;
use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(test_pack))
        .routes(routes!(get_pack_test_history))
        .routes(routes!(get_pack_latest_test))
}

/// Runs the tests of a pack's files.
pub(super) async fn run(
    context: &Context,
    files: Arc<attune_packs::Pack>,
) -> Result<PackTestResult, Error> {
    let (began, start) = (context.ports.clock.now(), Instant::now());
    blocking(move || {
        let verdicts = rehearse_pack(&files);
        let pack = (files.manifest.reference.as_str(), files.manifest.version.as_str());
        Ok(PackTestResult::of(pack, &verdicts, began, start.elapsed()))
    })
    .await
}

/// Runs the tests of a pack that is to be installed, if they are wanted: `None`, they are not, or there are none. Where
/// one fails, the pack is refused, unless it is to be there by `force`.
pub(super) async fn gate(
    context: &Context,
    files: &Arc<attune_packs::Pack>,
    (skip, force): (bool, bool),
) -> Result<Option<PackTestResult>, Error> {
    if skip {
        return Ok(None);
    }
    let result = run(context, files.clone()).await?;
    if result.failed > 0 && !force {
        let failures: Vec<String> = result.failures().collect();
        return Err(Error::BadRequest(format!(
            "Pack '{}' was not installed, as {} of its {} tests failed (`skip_tests` leaves them out): {}",
            result.pack_ref,
            result.failed,
            result.total_tests,
            failures.join("; ")
        )));
    }
    Ok(Some(result).filter(|result| result.total_tests > 0))
}

/// Keeps what came of a pack's tests. It is told in an answer anyway, so that a failure to keep it is only logged.
pub(super) async fn keep(context: &Context, pack: &Pack, reason: &str, result: &PackTestResult) {
    let value = json!(result);
    let kept = pack_tests::keep(&context.ports, pack, result.execution_time, reason, value).await;
    if let Err(error) = kept {
        tracing::warn!(pack = %pack.reference, %error, "the result of a pack's tests was not kept");
    }
}

/// Run the rehearsals of a pack's workflows. Nothing is executed.
#[utoipa::path(
    post, path = "/api/v1/packs/{ref}/test", tag = "packs", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The pack's ref")),
    responses(
        (status = 200, body = ApiResponse<PackTestResult>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse, description = "Files of the pack are wrong")
    )
)]
async fn test_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PackTestResult>, Error> {
    let right = Action::Install;
    let pack: Pack = changeable(&context, &caller, Resource::Packs, right, &reference).await?;
    let result = match &pack.path {
        Some(place) => {
            let folder = context.ports.pack_files.folder(place).await?;
            let files = Arc::new(blocking(move || load(&folder)).await?);
            run(&context, files).await?
        }
        None => {
            let (name, now) =
                ((reference.as_str(), pack.version.as_str()), context.ports.clock.now());
            PackTestResult::of(name, &[], now, std::time::Duration::ZERO)
        }
    };
    keep(&context, &pack, "manual", &result).await;
    Ok(ApiResponse::of(result))
}

/// Tests of a pack that were run, the latest first; only the latest twenty are kept.
#[utoipa::path(
    get, path = "/api/v1/packs/{ref}/tests", tag = "packs", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The pack's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<PackTestExecution>), (status = 404, body = ErrorResponse))
)]
async fn get_pack_test_history(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    visible::<Pack>(&context, &caller, Resource::Packs, &reference).await?;
    let slice = paging.within(CATALOGUE)?;
    let history = pack_tests::history(&context.ports, &reference).await?;
    let total = history.len() as u64;
    let wanted = |run: &TestRun| slice.after.as_ref().is_none_or(|after| padded(run.id) < *after);
    let offset = usize::try_from(slice.offset).unwrap_or(usize::MAX);
    let mut left = history.into_iter().filter(wanted).skip(offset).peekable();
    let rows: Vec<TestRun> = left.by_ref().take(slice.size as usize).collect();
    let next = left.peek().and(rows.last()).map(|last| padded(last.id));
    let rows = rows.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    let meta = slice.meta(Some(total), next.as_deref());
    Ok(list(context.config.list_envelope, rows, &meta))
}

/// The latest tests of a pack that were run.
#[utoipa::path(
    get, path = "/api/v1/packs/{ref}/tests/latest", tag = "packs", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The pack's ref")),
    responses(
        (status = 200, body = ApiResponse<PackTestExecution>),
        (status = 404, body = ErrorResponse, description = "There is no such pack, or its tests were never run")
    )
)]
async fn get_pack_latest_test(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PackTestExecution>, Error> {
    visible::<Pack>(&context, &caller, Resource::Packs, &reference).await?;
    let latest = pack_tests::history(&context.ports, &reference).await?.into_iter().next();
    let missing = || Error::NotFound(format!("The tests of pack '{reference}' were never run"));
    Ok(ApiResponse::of(shown(latest.ok_or_else(missing)?)?))
}

fn shown(run: TestRun) -> Result<PackTestExecution, Error> {
    run.try_into().map_err(|error: serde_json::Error| Error::Internal(Box::new(error)))
}
