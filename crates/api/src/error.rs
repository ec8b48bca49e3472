//! Why a request was not answered as asked, and how the wire says so.

use crate::auth::token;
use attune_ports::{Unavailable, records};
use axum::Json;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// Why a request was not answered as asked. The text of each variant is what the client reads.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: the request makes no sense.
    #[error("{0}")]
    BadRequest(String),
    /// 401: login or a signature failed.
    #[error("{0}")]
    Unauthorized(String),
    /// 401 in the nested shape that clients read: no token, or a bad or expired one.
    #[error(transparent)]
    Token(#[from] token::Fault),
    /// 403.
    #[error("{0}")]
    Forbidden(String),
    /// 404.
    #[error("{0}")]
    NotFound(String),
    /// 405: the route exists, but not with this method.
    #[error("Method not allowed")]
    MethodNotAllowed,
    /// 409: a duplicate, or the wrong state.
    #[error("{0}")]
    Conflict(String),
    /// 413: the body is over the limit.
    #[error("{0}")]
    TooLarge(String),
    /// 415: the body is of another type.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// 422 `VALIDATION_ERROR`: a length, a range, a schema.
    #[error("{0}")]
    Invalid(String),
    /// 422 `UNPROCESSABLE_ENTITY`: a malformed ref, a key that is used otherwise.
    #[error("{0}")]
    Unprocessable(String),
    /// 503: a port does not answer. The cause is logged, not told.
    #[error("The service is temporarily unavailable")]
    Unavailable(#[source] Unavailable),
    /// 500: the cause is logged, not told.
    #[error("Internal server error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The standard error answer.
#[derive(Serialize, ToSchema)]
pub struct ErrorResponse {
    /// What went wrong, for people.
    pub error: String,
    /// What went wrong, for programs.
    #[schema(value_type = String)]
    pub code: &'static str,
}

impl Error {
    /// 404 in the usual words: `Action 'core.echo' not found`.
    pub fn not_found(kind: &str, name: impl std::fmt::Display) -> Self {
        Self::NotFound(format!("{kind} '{name}' not found"))
    }

    /// The same, with a token's fault in the standard shape, as `GET /auth/me` and the streams have it.
    #[must_use]
    pub fn standard(self) -> Self {
        match self {
            Self::Token(fault) => Self::Unauthorized(fault.to_string()),
            other => other,
        }
    }

    /// Status and code on the wire.
    #[must_use]
    pub const fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
            Self::Unauthorized(_) | Self::Token(_) => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "FORBIDDEN"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "NOT_FOUND"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "CONFLICT"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
            Self::UnsupportedMediaType(_) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE")
            }
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR"),
            Self::Unprocessable(_) => (StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR"),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Self::Unavailable(cause) => {
                tracing::error!(%cause, "a request met an unavailable port")
            }
            Self::Internal(cause) => tracing::error!(%cause, "a request failed"),
            _ => {}
        }
        let (status, code) = self.status();
        let body = match &self {
            Self::Token(fault) => json!({"error": {"code": 401, "message": fault.to_string()}}),
            _ => json!(ErrorResponse { error: self.to_string(), code }),
        };
        (status, Json(body)).into_response()
    }
}

impl From<Unavailable> for Error {
    fn from(cause: Unavailable) -> Self {
        Self::Unavailable(cause)
    }
}

impl From<records::Unreadable> for Error {
    fn from(cause: records::Unreadable) -> Self {
        Self::Internal(Box::new(cause))
    }
}

impl From<records::Error> for Error {
    fn from(cause: records::Error) -> Self {
        match cause {
            records::Error::Unavailable(cause) => Self::Unavailable(cause),
            records::Error::Stale(_) => {
                Self::Conflict("It was changed by somebody else meanwhile; try again".into())
            }
            records::Error::TooLarge(what) => Self::TooLarge(format!("Too large to store: {what}")),
            records::Error::Repeated(_) => Self::Internal(Box::new(cause)),
        }
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        let text = rejection.body_text();
        match rejection.status() {
            StatusCode::UNPROCESSABLE_ENTITY => Self::Invalid(text),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType(text),
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge("The request body is too large".into()),
            _ => Self::BadRequest(text),
        }
    }
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Self::BadRequest(rejection.body_text())
    }
}

impl From<PathRejection> for Error {
    fn from(rejection: PathRejection) -> Self {
        Self::BadRequest(rejection.body_text())
    }
}

impl From<MultipartRejection> for Error {
    fn from(rejection: MultipartRejection) -> Self {
        Self::BadRequest(rejection.body_text())
    }
}

impl From<MultipartError> for Error {
    fn from(error: MultipartError) -> Self {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::TooLarge("The upload is too large".into())
        } else {
            Self::BadRequest(error.body_text())
        }
    }
}
