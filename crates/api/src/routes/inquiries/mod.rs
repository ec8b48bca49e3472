//! Inquiries: asking people, answering, withdrawing, and links for those without a login.
//!
//! Whoever is assigned to an inquiry may see and answer it, whatever else they may do; so may an execution see what it
//! asks itself. Everybody else needs grants on `inquiries`.

mod answering;
mod lineage;
mod links;
mod list;
mod stream;

use crate::access::{Action, Resource, Target};
use crate::auth::Caller;
use crate::auth::identities;
use crate::auth::token::Use;
use crate::envelope::{ApiResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, Path};
use crate::routes::table::{Table, routes};
use crate::wire::inquiry::{CreateInquiryRequest, InquiryResponse};
use crate::{Context, Error};
use attune_domain::id::{ExecutionId, IdentityId, InquiryId};
use attune_domain::inquiry::{Denial, Inquiry, Person, Question, Refusal};
use attune_journey::{inquiry, load};
use axum::extract::State;
use axum::http::StatusCode;

pub(crate) fn router() -> Table {
    Table::new()
        .merge(list::router())
        .routes(routes!(create_inquiry))
        .routes(routes!(get_inquiry, delete_inquiry))
        .merge(answering::router())
        .merge(links::router())
        .merge(stream::router())
}

fn target(inquiry: &Inquiry) -> Target<'_> {
    Target {
        id: Some(inquiry.id.get()),
        reference: Some(inquiry.action_ref.as_str()),
        pack_ref: Some(inquiry.action_ref.pack()),
        owner: inquiry.executor.map(IdentityId::get),
        ..Target::default()
    }
}

/// Whether a caller may see an inquiry.
fn may_read(caller: &Caller, inquiry: &Inquiry) -> bool {
    let own = caller.execution() == Some(inquiry.execution);
    let assigned = caller.token_use() == Use::Access
        && caller.identity().is_some()
        && caller.identity() == inquiry.assigned_to;
    own || assigned || caller.may(Resource::Inquiries, Action::Read, target(inquiry))
}

async fn existing(context: &Context, id: i64) -> Result<Inquiry, Error> {
    let found = load::inquiry(&context.ports, InquiryId::new(id)).await?;
    found.ok_or_else(|| Error::not_found("Inquiry", id))
}

/// Insists that there is such an identity.
async fn identity(context: &Context, id: i64) -> Result<IdentityId, Error> {
    let found = identities::get(&context.ports, id).await?;
    let missing = || Error::Unprocessable(format!("assigned_to: there is no identity '{id}'"));
    found.map(|identity| identity.id).ok_or_else(missing)
}

/// Ask people, for an execution that goes on by itself and looks for the answer. An execution may ask for itself;
/// others need `inquiries:create`.
#[utoipa::path(
    post, path = "/api/v1/inquiries", tag = "inquiries", security(("bearer_auth" = [])),
    request_body = CreateInquiryRequest,
    responses(
        (status = 201, body = ApiResponse<InquiryResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It has asked before, or is over"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn create_inquiry(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreateInquiryRequest>,
) -> Result<(StatusCode, ApiResponse<InquiryResponse>), Error> {
    let execution = ExecutionId::new(request.execution);
    if caller.execution() != Some(execution) {
        caller.require_some(Resource::Inquiries, Action::Create)?;
        let found = load::execution(&context.ports, execution).await?;
        let found = found.ok_or_else(|| Error::not_found("Execution", execution))?;
        let target = super::executions::target(&found);
        caller.require_on(Resource::Inquiries, Action::Create, target)?;
    }
    let mut question = Question::new(&request.prompt, request.response_schema)
        .map_err(|error| Error::Invalid(error.to_string()))?;
    if let Some(assignee) = request.assigned_to {
        question.assigned_to = Some(Person::Id(identity(&context, assignee).await?));
    }
    let new = inquiry::NewInquiry {
        execution,
        question,
        timeout_at: request.timeout_at,
        patience: context.config.inquiry_patience,
    };
    let made = inquiry::create(&context.ports, new).await?;
    Ok(ApiResponse::of(made.into()).saying("Inquiry created successfully").created())
}

/// Get an inquiry with its answer.
#[utoipa::path(
    get, path = "/api/v1/inquiries/{id}", tag = "inquiries", security(("bearer_auth" = [])),
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<InquiryResponse>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn get_inquiry(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<InquiryResponse>, Error> {
    let found = existing(&context, id).await?;
    if !may_read(&caller, &found) {
        caller.require_on(Resource::Inquiries, Action::Read, target(&found))?;
    }
    Ok(ApiResponse::of(found.into()))
}

/// Remove an inquiry; an execution that waits for it is cancelled.
#[utoipa::path(
    delete, path = "/api/v1/inquiries/{id}", tag = "inquiries", security(("bearer_auth" = [])),
    params(("id" = i64, Path)),
    responses(
        (status = 200, body = SuccessResponse),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn delete_inquiry(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<SuccessResponse, Error> {
    caller.require_some(Resource::Inquiries, Action::Delete)?;
    let found = existing(&context, id).await?;
    caller.require_on(Resource::Inquiries, Action::Delete, target(&found))?;
    inquiry::delete(&context.ports, found.id).await?;
    Ok(SuccessResponse::saying("Inquiry deleted successfully"))
}

impl From<Denial> for Error {
    fn from(denial: Denial) -> Self {
        Self::Forbidden(denial.to_string())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::Over(_) | Refusal::Expired => Self::BadRequest(text),
            Refusal::Unfit(_) => Self::Invalid(text),
            Refusal::TooLarge => Self::TooLarge(text),
        }
    }
}

impl From<inquiry::Error> for Error {
    fn from(error: inquiry::Error) -> Self {
        match error {
            inquiry::Error::NotFound(id) => Self::not_found("Inquiry", id),
            inquiry::Error::Refused(refusal) => refusal.into(),
            inquiry::Error::Unavailable(cause) => cause.into(),
        }
    }
}

impl From<inquiry::AskError> for Error {
    fn from(error: inquiry::AskError) -> Self {
        use inquiry::AskError as E;
        let text = error.to_string();
        match error {
            E::NoExecution(id) => Self::not_found("Execution", id),
            E::Ended(_) | E::Asked(_) => Self::Conflict(text),
            E::Past => Self::Invalid(text),
            E::Nobody => Self::Unprocessable(text),
            E::Unavailable(cause) => cause.into(),
        }
    }
}
