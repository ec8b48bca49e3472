//! Approval links: a page for people who have a link and no login.
//!
//! To look at the page answers nothing, since mail clients open links before their readers do; only sending its form
//! does. Whatever an inquiry says is text on it, and nothing is loaded from elsewhere. The token stands in the
//! address, so the page is neither kept nor named to others as where somebody came from; and it stands in the query,
//! which no log of ours tells.

mod page;

use crate::auth::approval::digest;
use crate::extract::Query;
use crate::routes::table::{Table, routes};
use crate::{Context, Error};
use attune_domain::inquiry::form::Form;
use attune_domain::inquiry::{Inquiry, Refusal, Status};
use attune_journey::{inquiry, load};
use axum::extract::rejection::FormRejection;
use axum::extract::{Form as Filled, State};
use axum::http::StatusCode;
use axum::response::Response;
use page::{Notice, Page};
use serde::Deserialize;
use utoipa::IntoParams;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(show_approval, submit_approval))
}

/// A link that was opened.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Opened {
    /// What the link is made of; without, it is none.
    #[serde(default)]
    token: String,
}

/// See what an approval link asks.
#[utoipa::path(
    get, path = "/approve", tag = "approvals", params(Opened),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 404, body = String, content_type = "text/html", description = "No such link"),
        (status = 410, body = String, content_type = "text/html", description = "Used, or too late")
    )
)]
async fn show_approval(
    State(context): State<Context>,
    Query(Opened { token }): Query<Opened>,
) -> Result<Response, Error> {
    let page = match asked(&context, &token).await? {
        Ok(inquiry) => {
            Page::question(&inquiry, &Form::of(inquiry.response_schema.as_ref()), &[], &[])
        }
        Err(notice) => Page::notice(notice),
    };
    page.answer(&context)
}

/// Answer by an approval link, once.
#[utoipa::path(
    post, path = "/approve", tag = "approvals", params(Opened),
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = String, content_type = "text/html"),
        (status = 400, body = String, content_type = "text/html", description = "No form"),
        (status = 404, body = String, content_type = "text/html", description = "No such link"),
        (status = 410, body = String, content_type = "text/html", description = "Used, or too late"),
        (status = 422, body = String, content_type = "text/html", description = "Not what is asked for")
    )
)]
async fn submit_approval(
    State(context): State<Context>,
    Query(Opened { token }): Query<Opened>,
    filled: Result<Filled<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Error> {
    let asked = match asked(&context, &token).await? {
        Ok(inquiry) => inquiry,
        Err(notice) => return Page::notice(notice).answer(&context),
    };
    let Ok(Filled(filled)) = filled else {
        return Page::notice(Notice::NoForm).answer(&context);
    };
    let form = Form::of(asked.response_schema.as_ref());
    let said = match form.read(&filled) {
        Ok(response) => inquiry::respond(&context.ports, asked.id, &response, None).await,
        Err(violations) => Err(Refusal::Unfit(violations).into()),
    };
    let page = match said {
        Ok(_) => Page::notice(Notice::Thanks),
        Err(inquiry::Error::Refused(Refusal::Unfit(violations))) => {
            Page::question(&asked, &form, &filled, &violations)
        }
        Err(inquiry::Error::Refused(Refusal::Over(status))) => Page::notice(Notice::Over(status)),
        Err(inquiry::Error::Refused(Refusal::Expired)) => Page::notice(Notice::Late),
        Err(inquiry::Error::NotFound(_)) => Page::notice(Notice::Unknown),
        Err(other @ inquiry::Error::Refused(Refusal::TooLarge)) => return Err(other.into()),
        Err(inquiry::Error::Unavailable(cause)) => return Err(cause.into()),
    };
    page.answer(&context)
}

/// The inquiry that a link may answer now, or why it may not.
async fn asked(context: &Context, token: &str) -> Result<Result<Inquiry, Notice>, Error> {
    let Some(approval) = context.approvals().await?.verify(token) else {
        return Ok(Err(Notice::Unknown));
    };
    let found = load::inquiry(&context.ports, approval.inquiry).await?;
    let Some(found) = found else { return Ok(Err(Notice::Unknown)) };
    let now = context.ports.clock.now();
    Ok(match found.status {
        Status::Pending if approval.expires_at <= now || found.is_late(now) => Err(Notice::Late),
        // It was given out, and no newer ones took its place.
        Status::Pending if found.link(&digest(token)).is_none() => Err(Notice::Unknown),
        Status::Pending => Ok(found),
        over => Err(Notice::Over(over)),
    })
}

impl Notice {
    const fn status(self) -> StatusCode {
        match self {
            Self::Thanks => StatusCode::OK,
            Self::NoForm => StatusCode::BAD_REQUEST,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Late | Self::Over(_) => StatusCode::GONE,
        }
    }
}
