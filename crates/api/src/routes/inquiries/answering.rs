//! Answering an inquiry, and changing one.

use super::lineage::Lineage;
use super::{existing, identity, target};
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{Json, Path};
use crate::routes::table::{Table, routes};
use crate::wire::inquiry::{InquiryRespondRequest, InquiryResponse, UpdateInquiryRequest};
use crate::{Context, Error};
use attune_domain::id::InquiryId;
use attune_domain::inquiry::{Inquiry, Refusal, Status};
use attune_journey::inquiry;
use axum::extract::State;
use serde_json::Value;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(respond_to_inquiry)).routes(routes!(update_inquiry))
}

/// Answer an inquiry: its assignee, or, where there is none, whoever has `inquiries:respond`. An execution that waits
/// for the answer completes with it.
#[utoipa::path(
    post, path = "/api/v1/inquiries/{id}/respond", tag = "inquiries",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    request_body = InquiryRespondRequest,
    responses(
        (status = 200, body = ApiResponse<InquiryResponse>),
        (status = 400, body = ErrorResponse, description = "It is not pending, or timed out"),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse, description = "The answer does not fit the schema")
    )
)]
async fn respond_to_inquiry(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<InquiryRespondRequest>,
) -> Result<ApiResponse<InquiryResponse>, Error> {
    let found = existing(&context, id).await?;
    if found.status != Status::Pending {
        return Err(Refusal::Over(found.status).into());
    }
    Lineage::of(&context, &caller).await?.may_answer(&found)?;
    let answered = answer(&context, &caller, found.id, &request.response).await?;
    Ok(ApiResponse::of(answered.into()).saying("Response submitted successfully"))
}

/// Answers, and ends an inquiry that is found to have timed out.
async fn answer(
    context: &Context,
    caller: &Caller,
    id: InquiryId,
    response: &Value,
) -> Result<Inquiry, Error> {
    match inquiry::respond(&context.ports, id, response, caller.identity()).await {
        Err(inquiry::Error::Refused(Refusal::Expired)) => {
            inquiry::expire(&context.ports, id).await?;
            Err(Refusal::Expired.into())
        }
        other => Ok(other?),
    }
}

/// Change an inquiry: assign it to somebody, answer it in somebody's stead, or withdraw it, which cancels an execution
/// that waits for it.
#[utoipa::path(
    put, path = "/api/v1/inquiries/{id}", tag = "inquiries", security(("bearer_auth" = [])),
    params(("id" = i64, Path)), request_body = UpdateInquiryRequest,
    responses(
        (status = 200, body = ApiResponse<InquiryResponse>),
        (status = 400, body = ErrorResponse),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse),
        (status = 409, body = ErrorResponse, description = "It has ended"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_inquiry(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<UpdateInquiryRequest>,
) -> Result<ApiResponse<InquiryResponse>, Error> {
    caller.require_some(Resource::Inquiries, Action::Update)?;
    let mut found = existing(&context, id).await?;
    caller.require_on(Resource::Inquiries, Action::Update, target(&found))?;
    Lineage::of(&context, &caller).await?.insist_other(&found)?;
    let status = request.status.as_deref().map(str::parse::<Status>).transpose();
    let status = status.map_err(|error| Error::Invalid(error.to_string()))?;
    let response = request.response.filter(|response| !response.is_null());
    let ports = &context.ports;
    let done = async {
        if let Some(assignee) = request.assigned_to {
            let assignee = identity(&context, assignee).await?;
            found = inquiry::assign(ports, found.id, Some(assignee)).await.map_err(over)?;
        }
        match (status, response) {
            (None | Some(Status::Responded), Some(response)) => {
                let said = inquiry::respond(ports, found.id, &response, caller.identity()).await;
                said.map_err(over)
            }
            (Some(Status::Responded), None) => {
                Err(Error::Invalid("response: needed where the status is 'responded'".into()))
            }
            (Some(Status::Cancelled), None) => inquiry::cancel(ports, found.id).await.map_err(over),
            (None, None) => Ok(found),
            (Some(status), None) if status == found.status => Ok(found),
            (Some(Status::Pending), None) => Err(over(Refusal::Over(found.status).into())),
            (Some(status), _) => Err(Error::BadRequest(format!(
                "An inquiry cannot be made '{status}' like this: it is 'responded' with a response, or 'cancelled' without; it times out by itself"
            ))),
        }
    };
    Ok(ApiResponse::of(done.await?.into()).saying("Inquiry updated successfully"))
}

/// What is refused here for its state is a conflict.
pub(super) fn over(error: inquiry::Error) -> Error {
    match error {
        inquiry::Error::Refused(refusal @ (Refusal::Over(_) | Refusal::Expired)) => {
            Error::Conflict(refusal.to_string())
        }
        other => other.into(),
    }
}
