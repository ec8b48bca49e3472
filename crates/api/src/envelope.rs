//! The shapes that answers come in.

use crate::config::ListEnvelope;
use crate::paging::PaginationMeta;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// One object: `{"data":X}` and perhaps a `message`.
#[derive(Serialize, ToSchema)]
pub struct ApiResponse<T> {
    /// The object.
    pub data: T,
    /// Something to tell people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl<T> ApiResponse<T> {
    /// An object without a message.
    pub const fn of(data: T) -> Self {
        Self { data, message: None }
    }

    /// The same, with a message.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The same, as the answer to a creation: 201.
    pub const fn created(self) -> (StatusCode, Self) {
        (StatusCode::CREATED, self)
    }
}

impl<T: Serialize> IntoResponse for ApiResponse<T> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}

/// What a DELETE answers.
#[derive(Serialize, ToSchema)]
pub struct SuccessResponse {
    /// Always `true`.
    pub success: bool,
    /// What was done.
    pub message: String,
}

impl SuccessResponse {
    /// It was done.
    pub fn saying(message: impl Into<String>) -> Self {
        Self { success: true, message: message.into() }
    }
}

impl IntoResponse for SuccessResponse {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}

/// One page of a list, as the OpenAPI document describes it; [`list`] writes it. The array is called
/// `items` where the setting `api.list_envelope` says so.
#[derive(Serialize, ToSchema)]
pub struct PaginatedResponse<T> {
    /// The page.
    pub data: Vec<T>,
    /// Where it stands among the others.
    pub pagination: PaginationMeta,
}

/// Writes one page of a list, row by row, without a tree of values in between.
///
/// # Panics
/// Where a row cannot be written as JSON, which wire types always can.
pub fn list_bytes<T: Serialize>(
    envelope: ListEnvelope,
    rows: impl IntoIterator<Item = T>,
    pagination: &PaginationMeta,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(4096);
    text.extend_from_slice(b"{\"");
    text.extend_from_slice(envelope.key().as_bytes());
    text.extend_from_slice(b"\":[");
    for (n, row) in rows.into_iter().enumerate() {
        if n > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &row).expect("rows serialise to JSON");
    }
    text.extend_from_slice(b"],\"pagination\":");
    serde_json::to_writer(&mut text, pagination).expect("pagination serialises to JSON");
    text.push(b'}');
    text
}

/// One page of a list as an answer.
pub fn list<T: Serialize>(
    envelope: ListEnvelope,
    rows: impl IntoIterator<Item = T>,
    pagination: &PaginationMeta,
) -> Response {
    json(list_bytes(envelope, rows, pagination))
}

/// JSON text as an answer.
pub fn json(text: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.into()).into_response()
}
