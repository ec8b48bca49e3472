//! Approval links: for people whom a mail or a chat reaches, and no login.

use super::answering::over;
use super::existing;
use super::lineage::Lineage;
use crate::auth::Caller;
use crate::auth::approval::{Approval, NONCE_BYTES, digest};
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{OptionalJson, Path};
use crate::routes::table::{Table, routes};
use crate::wire::inquiry::{ApprovalLinkRequest, ApprovalLinkResponse};
use crate::{Context, Error};
use attune_domain::Timestamp;
use attune_domain::inquiry::Link;
use attune_journey::inquiry;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use chrono::SubsecRound;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(create_approval_link))
}

/// Make an approval link: whoever opens it sees the question and may answer it once, without a login. Who may answer
/// the inquiry may make one; so may an execution with `inquiries:respond`, to send it to the assignee, but not the one
/// that asks.
#[utoipa::path(
    post, path = "/api/v1/inquiries/{id}/link", tag = "inquiries",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    request_body = Option<ApprovalLinkRequest>,
    responses(
        (status = 201, body = ApiResponse<ApprovalLinkResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It has ended"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_approval_link(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    parts: Parts,
    OptionalJson(request): OptionalJson<ApprovalLinkRequest>,
) -> Result<(StatusCode, ApiResponse<ApprovalLinkResponse>), Error> {
    let found = existing(&context, id).await?;
    let now = context.ports.clock.now();
    found.insist_open(now).map_err(|refusal| over(refusal.into()))?;
    Lineage::of(&context, &caller).await?.may_hand_out(&found)?;
    let expires_at = end_of(request.expires_at, found.timeout_at);
    if expires_at <= now {
        return Err(Error::Invalid("expires_at: expected a moment in the future".into()));
    }
    let nonce = context.ports.ids.random(NONCE_BYTES);
    let approval = Approval { inquiry: found.id, expires_at };
    let token = context.approvals().await?.sign(approval, &nonce);
    let link = Link { digest: digest(&token), expires_at, made_by: caller.identity() };
    inquiry::give_out(&context.ports, found.id, &link).await.map_err(over)?;
    let base = base_of(&context, &parts);
    let url = format!("{base}/approve?token={token}");
    Ok(ApiResponse::of(ApprovalLinkResponse { url, expires_at }).created())
}

/// When a link ends, to the second: as asked for, but with its inquiry at the latest.
fn end_of(asked: Option<Timestamp>, timeout_at: Timestamp) -> Timestamp {
    asked.map_or(timeout_at, |asked| asked.min(timeout_at)).trunc_subsecs(0)
}

/// Where people reach the API: as the settings say, or as the request for the link came.
fn base_of(context: &Context, parts: &Parts) -> String {
    if let Some(url) = &context.config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = match text("x-forwarded-proto").or(parts.uri.scheme_str()) {
        Some("https") => "https",
        _ => "http",
    };
    let authority = parts.uri.authority().map(|authority| authority.as_str());
    let host = text(header::HOST.as_str()).or(authority).unwrap_or("localhost");
    format!("{scheme}://{host}")
}
