//! Typed parts of a request; what cannot be read is an [`Error`] in the standard shape.

use crate::Error;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;

/// A JSON body: 400 where it is not JSON, 415 where it does not say it is, 422 where fields are wrong,
/// 413 where it is too large.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// A JSON body that may be missing altogether.
pub struct OptionalJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let typed = parts.headers.contains_key(header::CONTENT_TYPE);
        let request = Request::from_parts(parts.clone(), body);
        let bytes = body_of(request, state).await?;
        if bytes.is_empty() && !typed {
            return Ok(Self(T::default()));
        }
        let request = Request::from_parts(parts, bytes.into());
        let Json(value) = Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

/// The bytes of a body, 413 where there are too many.
///
/// # Errors
/// [`Error::TooLarge`], or [`Error::BadRequest`] where the connection broke.
pub async fn body_of<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Error> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
            Error::TooLarge("The request body is too large".into())
        } else {
            Error::BadRequest(rejection.body_text())
        }
    })
}

/// The query string: unknown parameters are ignored, a bad value is 400.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> Query<T> {
    /// Reads it from an address.
    ///
    /// # Errors
    /// [`Error::BadRequest`] where a value is bad.
    pub fn of(uri: &Uri) -> Result<Self, Error> {
        let axum::extract::Query(value) = axum::extract::Query::try_from_uri(uri)?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Self::of(&parts.uri)
    }
}

/// Parameters of the path: a bad value is 400.
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}
