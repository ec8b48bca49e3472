//! Uploads: an archive that is too large for the request that uses it is put aside first.
//!
//! An upload is a mark that says whose it is, and a blob. Where the blobs have a door of their own, the client
//! puts the archive there, past this server; elsewhere the door is a route of this server. An upload is good for
//! one use by the one who asked for it.

use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Path, body_of};
use crate::routes::table::{Table, routes};
use crate::wire::upload::UploadResponse;
use crate::{Context, Error};
use attune_ports::records::{self, Commit, Expect, Key, Kind, Record};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Bytes of an id before they are written in hexadecimal.
const ID_BYTES: usize = 16;
/// How long an upload may take, its use included.
const LIFE: Duration = Duration::from_secs(60 * 60);

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(create_upload)).routes(routes!(receive_upload))
}

/// Whose an upload is.
#[derive(Serialize, Deserialize)]
struct Mark {
    subject: String,
}

fn place(id: &str) -> Key {
    Key::new(format!("upload/{id}"), "")
}

fn blob(id: &str) -> String {
    format!("uploads/{id}")
}

fn unknown(id: &str) -> Error {
    Error::not_found("Upload", id)
}

/// The version of the mark of an upload of this caller. Somebody else's is as good as none.
async fn find(context: &Context, caller: &Caller, id: &str) -> Result<u64, Error> {
    let plausible = id.len() == 2 * ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plausible {
        return Err(unknown(id));
    }
    let found = context.ports.records.get(&place(id)).await?.ok_or_else(|| unknown(id))?;
    let mark: Mark = found.decode()?;
    if mark.subject == caller.subject() { Ok(found.version) } else { Err(unknown(id)) }
}

/// Ask for a place to put an archive; it is then used by its id, once, within the hour.
#[utoipa::path(
    post, path = "/api/v1/uploads", tag = "uploads", security(("bearer_auth" = [])),
    responses(
        (status = 201, body = ApiResponse<UploadResponse>),
        (status = 401), (status = 403, body = ErrorResponse)
    )
)]
async fn create_upload(
    State(context): State<Context>,
    caller: Caller,
) -> Result<(StatusCode, ApiResponse<UploadResponse>), Error> {
    caller.require_some(Resource::Packs, Action::Install)?;
    let ports = &context.ports;
    let id = hex::encode(ports.ids.random(ID_BYTES));
    let expires_at = ports.clock.now() + LIFE;
    let mark = Mark { subject: caller.subject() };
    let record = Record::new(Kind::Marker, place(&id), &mark).until(Some(expires_at));
    ports.records.commit(Commit::new().create(record)).await?;
    let elsewhere = ports.blobs.upload_url(&blob(&id), LIFE).await?;
    let url = elsewhere.unwrap_or_else(|| format!("/api/v1/uploads/{id}"));
    let headers = BTreeMap::from([("content-type".to_owned(), "application/gzip".to_owned())]);
    let upload = UploadResponse { id, url, method: "PUT", headers, expires_at };
    Ok(ApiResponse::of(upload).created())
}

/// Put an archive to an upload, in place of what was put there before.
#[utoipa::path(
    put, path = "/api/v1/uploads/{id}", tag = "uploads", security(("bearer_auth" = [])),
    params(("id" = String, Path, description = "Id of the upload")),
    request_body(content = Vec<u8>, content_type = "application/gzip"),
    responses(
        (status = 200, body = SuccessResponse),
        (status = 401), (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "There is none, or it is over, used or another's"),
        (status = 413, body = ErrorResponse)
    )
)]
async fn receive_upload(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<String>,
    mut request: Request,
) -> Result<SuccessResponse, Error> {
    caller.require_some(Resource::Packs, Action::Install)?;
    find(&context, &caller, &id).await?;
    DefaultBodyLimit::max(context.config.upload_max_bytes).apply(&mut request);
    let archive = body_of(request, &context).await?;
    let size = archive.len();
    context.ports.blobs.put(&blob(&id), archive).await?;
    Ok(SuccessResponse::saying(format!("{size} bytes received")))
}

/// Uses an upload up: whatever becomes of it, it is gone afterwards.
///
/// # Errors
/// [`Error::NotFound`] where there is none of this caller, [`Error::BadRequest`] where nothing was put there
/// yet, [`Error::TooLarge`] where it is over the limit, which a door of the blobs does not know.
pub(super) async fn take(context: &Context, caller: &Caller, id: &str) -> Result<Bytes, Error> {
    let version = find(context, caller, id).await?;
    let (records, blobs) = (&context.ports.records, &context.ports.blobs);
    let empty =
        || Error::BadRequest(format!("Upload '{id}' is empty: put the archive to its url first"));
    // Before it is read: a door of the blobs lets anything in.
    let size = blobs.size(&blob(id)).await?.ok_or_else(empty)?;
    let archive = if size > context.config.upload_max_bytes as u64 {
        None
    } else {
        Some(blobs.get(&blob(id)).await?.ok_or_else(empty)?)
    };
    // Of two that use it at the same time one comes too late.
    let used = Commit::new().delete(place(id), Expect::Version(version));
    match records.commit(used).await {
        Ok(()) => {}
        Err(records::Error::Stale(_)) => return Err(unknown(id)),
        Err(other) => return Err(other.into()),
    }
    if let Err(error) = blobs.delete(&blob(id)).await {
        // Uploads are forgotten after a day in any case.
        tracing::warn!(%error, "an upload was used and could not be removed");
    }
    archive.ok_or_else(|| Error::TooLarge("The upload is too large".into()))
}
