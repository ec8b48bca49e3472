//! The workflows in a pack's files, read again while the rest of the pack stays as it is.

use super::validation::missing;
use crate::access::grants::check_workflows;
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::Path;
use crate::routes::definitions::{changeable, visible};
use crate::routes::table::{Table, routes};
use crate::wire::workflow::{
    PackWorkflowSyncResponse, PackWorkflowValidationResponse, WorkflowSyncResult,
};
use crate::{Context, Error};
use attune_catalogue::sync_workflows;
use attune_domain::catalogue::Pack;
use attune_packs::{Severity, WorkflowFiles, read_workflows};
use axum::extract::State;
use std::collections::BTreeMap;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(sync_pack_workflows)).routes(routes!(validate_pack_workflows))
}

/// The workflows of a pack's files; none of a pack without files.
async fn files(context: &Context, pack: &Pack) -> Result<WorkflowFiles, Error> {
    let Some(place) = &pack.path else {
        return Ok(WorkflowFiles {
            pack: pack.reference.clone(),
            workflows: Vec::new(),
            problems: BTreeMap::new(),
        });
    };
    let folder = context.ports.pack_files.folder(place).await?;
    let read = tokio::task::spawn_blocking(move || read_workflows(&folder)).await;
    let files = read
        .map_err(|error| Error::Internal(Box::new(error)))?
        .map_err(|errors| Error::Invalid(format!("Invalid pack: {errors}")))?;
    if files.pack != pack.reference {
        let text =
            format!("The files of pack '{}' are those of '{}' now", pack.reference, files.pack);
        return Err(Error::Conflict(text));
    }
    Ok(files)
}

/// Read the workflows of a pack's files again. Files with mistakes are left out; nothing is removed.
#[utoipa::path(
    post, path = "/api/v1/packs/{ref}/workflows/sync", tag = "workflows", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The pack's ref")),
    responses(
        (status = 200, body = ApiResponse<PackWorkflowSyncResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse)
    )
)]
async fn sync_pack_workflows(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PackWorkflowSyncResponse>, Error> {
    let right = Action::Install;
    let pack: Pack = changeable(&context, &caller, Resource::Packs, right, &reference).await?;
    let files = files(&context, &pack).await?;
    check_workflows(&context.ports, caller.grants(), &files).await?;
    let (synced, refused) = sync_workflows(&context.ports, &pack, &files).await?;
    let of = |name: &str, severity: Severity| -> Vec<String> {
        let problems = files.problems.get(name).into_iter().flatten();
        problems.filter(|it| it.severity == severity).map(ToString::to_string).collect()
    };
    let mut errors: Vec<String> =
        files.problems.keys().flat_map(|name| of(name, Severity::Error)).collect();
    errors.extend(refused.into_iter().map(|(name, error)| format!("{name}: {error}")));
    let workflows: Vec<WorkflowSyncResult> = synced
        .into_iter()
        .map(|it| WorkflowSyncResult {
            warnings: of(it.workflow.reference.as_str(), Severity::Warning),
            ref_name: it.workflow.reference.to_string(),
            created: it.created,
            workflow_def_id: it.workflow.id.get(),
        })
        .collect();
    Ok(ApiResponse::of(PackWorkflowSyncResponse {
        pack_ref: reference,
        loaded_count: files.workflows.len(),
        registered_count: workflows.len(),
        workflows,
        errors,
    }))
}

/// Look through the workflows of a pack's files: graphs, expressions, and whether the actions exist. Nothing changes.
#[utoipa::path(
    post, path = "/api/v1/packs/{ref}/workflows/validate", tag = "workflows",
    security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "The pack's ref")),
    responses(
        (status = 200, body = ApiResponse<PackWorkflowValidationResponse>),
        (status = 404, body = ErrorResponse)
    )
)]
async fn validate_pack_workflows(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<PackWorkflowValidationResponse>, Error> {
    let pack: Pack = visible(&context, &caller, Resource::Packs, &reference).await?;
    let files = files(&context, &pack).await?;
    let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, problems) in &files.problems {
        let told = problems.iter().filter(|it| it.severity == Severity::Error);
        errors.entry(name.clone()).or_default().extend(told.map(ToString::to_string));
    }
    for (_, workflow) in &files.workflows {
        // What these files bring exists once they are installed.
        let elsewhere = workflow
            .actions()
            .filter(|action| files.workflows.iter().all(|(own, _)| own.reference != **action));
        let missing = missing(&context, elsewhere).await?;
        errors.entry(workflow.reference.to_string()).or_default().extend(missing);
    }
    errors.retain(|_, told| !told.is_empty());
    Ok(ApiResponse::of(PackWorkflowValidationResponse {
        pack_ref: reference,
        validated_count: files.problems.len(),
        error_count: errors.len(),
        errors,
    }))
}
