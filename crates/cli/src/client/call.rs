//! One request, as it can be sent: again with a fresh token, or to where the server sends it on.

use super::Query;
use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::time::Duration;

/// How long a request may take in all. Streams have no such limit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

pub(super) const JSON: &str = "application/json";
pub(super) const TEXT: &str = "text/plain";
pub(super) const STREAM: &str = "text/event-stream";

const LAST_EVENT_ID: &str = "last-event-id";

/// What a request carries.
#[derive(Clone, Copy)]
pub(super) enum Body<'a> {
    Nothing,
    Json(&'a Value),
    /// The form of an upload: a pack's archive and flags.
    Form(&'a Bytes, &'a [(&'static str, bool)]),
}

/// A request.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) path: Vec<&'a str>,
    pub(super) query: Query<'a>,
    pub(super) body: Body<'a>,
    pub(super) accept: &'static str,
    /// The last event of a stream that is to be continued.
    pub(super) after: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// A call of `/api/v1`.
    pub(super) fn api(method: Method, path: &[&'a str]) -> Self {
        Self::of(method, ["api", "v1"].into_iter().chain(path.iter().copied()).collect())
    }

    /// A call of `/auth`.
    pub(super) fn auth(method: Method, path: &'a str) -> Self {
        Self::of(method, vec!["auth", path])
    }

    fn of(method: Method, path: Vec<&'a str>) -> Self {
        Self { method, path, query: &[], body: Body::Nothing, accept: JSON, after: None }
    }

    /// Adds everything but method, address and query to a request.
    pub(super) fn dress(
        &self,
        mut request: RequestBuilder,
        authorization: Option<&str>,
    ) -> RequestBuilder {
        request = request.header(ACCEPT, self.accept);
        if self.accept != STREAM {
            request = request.timeout(REQUEST_TIMEOUT);
        }
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        // An id that fits no header was not the server's to send.
        if let Some(id) = self.after.and_then(|id| HeaderValue::from_str(id).ok()) {
            request = request.header(LAST_EVENT_ID, id);
        }
        match self.body {
            Body::Nothing => request,
            Body::Json(value) => request.json(value),
            Body::Form(archive, flags) => {
                let part = Part::stream_with_length(archive.clone(), archive.len() as u64);
                let form = Form::new().part("pack", part.file_name("pack.tar.gz"));
                request.multipart(
                    flags
                        .iter()
                        .fold(form, |form, (name, value)| form.text(*name, value.to_string())),
                )
            }
        }
    }
}
