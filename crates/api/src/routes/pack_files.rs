//! Packs from files: a folder on the server's machine, or an archive.

use crate::access::grants::check_pack;
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::Json;
use crate::routes::pack_tests;
use crate::routes::packs::may_install;
use crate::routes::table::{Table, routes};
use crate::routes::uploads;
use crate::wire::pack::{PackInstallResponse, PackResponse, RegisterPackRequest};
use crate::wire::pack_test::PackTestResult;
use crate::wire::upload::UploadedPackRequest;
use crate::{Context, Error};
use attune_catalogue::{Installed, Origin, install, read};
use attune_domain::catalogue::Pack;
use attune_packs::archive;
use axum::extract::multipart::Field;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::{StatusCode, header};
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use utoipa::ToSchema;

/// Bytes of a flag in a form, at most.
const FLAG: usize = 16;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(register_pack)).routes(routes!(upload_pack))
}

/// Register the pack in a folder on the server's machine; its files are used where they are.
#[utoipa::path(
    post, path = "/api/v1/packs/register", tag = "packs", security(("bearer_auth" = [])),
    request_body = RegisterPackRequest,
    responses(
        (status = 201, body = ApiResponse<PackResponse>),
        (status = 400, body = ErrorResponse, description = "There is no such folder, or no folders at all; or a test failed"),
        (status = 403, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "The pack is there, and `force` is not set"),
        (status = 422, body = ErrorResponse, description = "Files of the pack are wrong")
    )
)]
async fn register_pack(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<RegisterPackRequest>,
) -> Result<(StatusCode, ApiResponse<PackResponse>), Error> {
    caller.require_some(Resource::Packs, Action::Install)?;
    if !context.config.server_folders {
        return Err(Error::BadRequest(
            "This server has no folders to register packs from: send the pack as an archive to \
             POST /api/v1/packs/upload (`attune pack upload <folder>` does)"
                .into(),
        ));
    }
    let folder = PathBuf::from(&request.path);
    let (folder, files) = blocking(move || {
        let folder =
            folder.canonicalize().ok().filter(|folder| folder.is_dir()).ok_or_else(|| {
                Error::BadRequest(format!("'{}' is not a folder", folder.display()))
            })?;
        let files = load(&folder)?;
        Ok((folder, files))
    })
    .await?;
    may_install(&caller, files.manifest.reference.as_str())?;
    check_pack(&context.ports, caller.grants(), &files).await?;
    let (force, files) = (request.force, Arc::new(files));
    untaken(&context, &files, force).await?;
    let tested = pack_tests::gate(&context, &files, (request.skip_tests, force)).await?;
    let origin = Origin::Registration { force };
    let path = folder.to_string_lossy();
    let installed = install(&context.ports, &files, Some(&path), origin).await?;
    if let Some(result) = &tested {
        pack_tests::keep(&context, &installed.pack, "register", result).await;
    }
    let message = told("Pack registered successfully", &installed, tested.as_ref());
    Ok(ApiResponse::of(installed.pack.into()).saying(message).created())
}

/// The form of an upload.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form; its parts are read one by one")]
struct UploadPackForm {
    /// A `.tar.gz` with `pack.yaml` at its root or in the one folder of its root.
    #[schema(format = Binary, value_type = String)]
    pack: Vec<u8>,
    /// `true`: a pack of the same ref may be replaced.
    force: Option<String>,
    /// `true`: the pack's own tests are left out.
    skip_tests: Option<String>,
}

/// Install the pack in an archive: of the form, or of an upload that is named by its id.
#[utoipa::path(
    post, path = "/api/v1/packs/upload", tag = "packs", security(("bearer_auth" = [])),
    request_body(content(
        (UploadPackForm = "multipart/form-data"), (UploadedPackRequest = "application/json")
    )),
    responses(
        (status = 201, body = ApiResponse<PackInstallResponse>),
        (status = 400, body = ErrorResponse, description = "Not a pack's archive, or an unsafe one; or a test failed"),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "There is no such upload"),
        (status = 409, body = ErrorResponse, description = "The pack is there, and `force` is not set"),
        (status = 413, body = ErrorResponse),
        (status = 422, body = ErrorResponse, description = "Files of the pack are wrong")
    )
)]
async fn upload_pack(
    State(context): State<Context>,
    caller: Caller,
    mut request: Request,
) -> Result<(StatusCode, ApiResponse<PackInstallResponse>), Error> {
    caller.require_some(Resource::Packs, Action::Install)?;
    let pack_files = &context.ports.pack_files;
    let (staging, archive, flags): (_, Box<dyn Read + Send>, Flags) = if is_json(&request) {
        let Json(asked) = Json::<UploadedPackRequest>::from_request(request, &context).await?;
        let archive = uploads::take(&context, &caller, &asked.upload).await?;
        let flags = Flags { force: asked.force, skip_tests: asked.skip_tests };
        (pack_files.staging().await?, Box::new(Cursor::new(archive)), flags)
    } else {
        DefaultBodyLimit::max(context.config.upload_max_bytes).apply(&mut request);
        let form = Multipart::from_request(request, &context).await?;
        let staging = pack_files.staging().await?;
        let archive = staging.path().join("pack.tar.gz");
        let flags = receive(form, &archive).await?;
        let file = blocking(move || File::open(archive).map_err(internal)).await?;
        (staging, Box::new(BufReader::new(file)), flags)
    };

    let limit = context.config.upload_max_bytes as u64;
    let into = staging.path().join("pack");
    let (root, files) = blocking(move || {
        let root = unpack(archive, &into, limit)?;
        let files = load(&root)?;
        Ok((root, files))
    })
    .await?;
    let reference = files.manifest.reference.clone();
    may_install(&caller, reference.as_str())?;
    check_pack(&context.ports, caller.grants(), &files).await?;
    let (Flags { force, skip_tests }, files) = (flags, Arc::new(files));
    untaken(&context, &files, force).await?;
    let tested = pack_tests::gate(&context, &files, (skip_tests, force)).await?;
    let place = pack_files.keep(&reference, &root).await?;
    drop(staging);
    let origin = Origin::Registration { force };
    let installed = install(&context.ports, &files, Some(&place), origin).await?;
    if let Some(result) = &tested {
        pack_tests::keep(&context, &installed.pack, "upload", result).await;
    }
    let message = told("Pack uploaded successfully", &installed, tested.as_ref());
    let response = PackInstallResponse {
        pack: installed.pack.into(),
        tests_skipped: tested.is_none(),
        test_result: tested,
    };
    Ok(ApiResponse::of(response).saying(message).created())
}

/// How a pack is to be installed.
#[derive(Clone, Copy, Default)]
struct Flags {
    force: bool,
    skip_tests: bool,
}

/// Insists that a pack is not there, or may be replaced.
async fn untaken(context: &Context, files: &attune_packs::Pack, force: bool) -> Result<(), Error> {
    let reference = &files.manifest.reference;
    if !force && read::get::<Pack>(&context.ports, reference.as_str()).await?.is_some() {
        return Err(Error::Conflict(format!("Pack '{reference}' already exists")));
    }
    Ok(())
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json"))
}

/// Writes the archive of the form to a file; answers how the pack is to be installed.
async fn receive(mut form: Multipart, archive: &Path) -> Result<Flags, Error> {
    let (mut received, mut flags) = (false, Flags::default());
    while let Some(mut field) = form.next_field().await? {
        match field.name() {
            Some("pack") => {
                let mut file = tokio::fs::File::create(archive).await.map_err(internal)?;
                while let Some(chunk) = field.chunk().await? {
                    file.write_all(&chunk).await.map_err(internal)?;
                }
                file.flush().await.map_err(internal)?;
                received = true;
            }
            Some("force") => flags.force = is_set(field).await?,
            Some("skip_tests") => flags.skip_tests = is_set(field).await?,
            _ => while field.chunk().await?.is_some() {},
        }
    }
    if received {
        Ok(flags)
    } else {
        Err(Error::BadRequest("Missing 'pack' field: expected a .tar.gz archive".into()))
    }
}

/// Whether a flag of the form says `true`.
async fn is_set(mut field: Field<'_>) -> Result<bool, Error> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await? {
        let room = FLAG.saturating_sub(text.len());
        text.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(text == b"true")
}

fn unpack(archive: impl Read, into: &Path, limit: u64) -> Result<PathBuf, Error> {
    let limits = archive::Limits { compressed_bytes: limit, ..archive::Limits::default() };
    archive::extract(archive, into, limits).map_err(|error| match error {
        archive::Error::Write { .. } => Error::Internal(Box::new(error)),
        other => Error::BadRequest(format!("Invalid pack archive: {other}")),
    })
}

pub(super) fn load(folder: &Path) -> Result<attune_packs::Pack, Error> {
    attune_packs::load(folder).map_err(|errors| Error::Invalid(format!("Invalid pack: {errors}")))
}

/// A message to people, with what was left out and what failed.
fn told(message: &str, installed: &Installed, tested: Option<&PackTestResult>) -> String {
    let mut told = message.to_owned();
    if let Some(result) = tested.filter(|result| result.failed > 0) {
        told.push_str(&format!(
            ", though {} of its {} tests failed",
            result.failed, result.total_tests
        ));
    }
    for warning in &installed.warnings {
        told.push_str("; ");
        told.push_str(warning);
    }
    told
}

/// Removes the files of a pack that was deleted, where an upload brought them. What ships with Attune stays.
pub(super) async fn remove(context: &Context, pack: &Pack) {
    let Some(place) = pack.path.as_deref().filter(|_| !pack.is_standard) else { return };
    if let Err(error) = context.ports.pack_files.remove(place).await {
        tracing::warn!(pack = %pack.reference, %error, "the files of a deleted pack were not removed");
    }
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(error))
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(internal)?
}
