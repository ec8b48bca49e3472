//! `Idempotency-Key`: a POST that is sent again is answered as it was the first time.
//!
//! The first request with a key leaves a mark with the hash of its body, and its answer once there is
//! one. The same key with another body is 422. Requests that come while the first is still at work: where
//! the journey recognises the cause itself ([`Cause`]), they go on and find what the first made;
//! elsewhere they are 409. Marks go after a day.

use crate::auth::Caller;
use crate::{Context, Error, envelope};
use attune_domain::Timestamp;
use attune_domain::sealed::Sealed;
use attune_ports::records::{self, Commit, Expect, Key, Kind, Record};
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest key, in bytes.
const LONGEST_KEY: usize = 255;
/// Answers over this are not kept, in bytes; they are small in practice.
const LARGEST_ANSWER: usize = 256 * 1024;

/// The address in an answer of this route is a permission: it is not to be kept, and a second one harms nobody.
const UPLOADS: &str = "/api/v1/uploads";
/// So it is with the links of inquiries.
fn is_link(path: &str) -> bool {
    path.starts_with("/api/v1/inquiries/") && path.ends_with("/link")
}

/// Requests and answers of this route hold values of the keystore: what is kept of them is sealed.
const KEYS: &str = "/api/v1/keys";

fn life() -> Duration {
    Duration::hours(24)
}

/// After this a first request that left no answer is taken for dead.
fn patience() -> Duration {
    Duration::seconds(60)
}

/// Names the cause of what a request creates, where its client gave an `Idempotency-Key`: to be stored in
/// the commit that creates it.
#[derive(Clone, Debug)]
pub struct Cause(pub Option<String>);

#[derive(Clone)]
struct Scope(String);

impl<S: Send + Sync> FromRequestParts<S> for Cause {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Scope>().map(|scope| scope.0.clone())))
    }
}

/// A mark as it is stored.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Sealed { sealed: Sealed },
    Open(Mark),
}

#[derive(Serialize, Deserialize)]
struct Mark {
    body_sha256: String,
    at: Timestamp,
    answer: Option<Answer>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    body: String,
}

/// Whether what this route creates is recognised by its [`Cause`].
fn has_cause(path: &str) -> bool {
    path == "/api/v1/events" || path.ends_with("/execute")
}

/// The layer: looks after every POST with the header, from a caller with a valid token.
pub(crate) async fn layer(
    State(context): State<Context>,
    caller: Keyed,
    request: Request,
    next: Next,
) -> Response {
    let Keyed(Some((caller, key))) = caller else {
        return next.run(request).await;
    };
    match answer(&context, &caller, &key, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// The caller and the key, where the header asks for this layer.
pub(crate) struct Keyed(Option<(Caller, String)>);

impl FromRequestParts<Context> for Keyed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Error> {
        let Some(key) = parts.headers.get(HEADER) else { return Ok(Self(None)) };
        let path = parts.uri.path();
        if parts.method != Method::POST
            || !path.starts_with("/api/v1/")
            || path == UPLOADS
            || is_link(path)
        {
            return Ok(Self(None));
        }
        let key = key
            .to_str()
            .ok()
            .filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY)
            .ok_or_else(|| {
                Error::BadRequest("Idempotency-Key: expected 1 to 255 characters".into())
            })?
            .to_owned();
        // Without a valid token the handler refuses, or does not care.
        match <Caller as FromRequestParts<Context>>::from_request_parts(parts, context).await {
            Ok(caller) => Ok(Self(Some((caller, key)))),
            Err(Error::Token(_)) => Ok(Self(None)),
            Err(other) => Err(other),
        }
    }
}

async fn answer(
    context: &Context,
    caller: &Caller,
    key: &str,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let records = &context.ports.records;
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    // The parts' lengths stand in front, so that no two triples read the same.
    let subject = caller.subject();
    let scope = hex::encode(Sha256::digest(format!(
        "{}:{subject}{}:{path}{key}",
        subject.len(),
        path.len()
    )));
    let scope = format!("idempotency/{scope}");
    let most = context.config.upload_max_bytes.max(context.config.max_body_bytes);
    let body = to_bytes(body, most)
        .await
        .map_err(|_| Error::TooLarge("The request body is too large".into()))?;
    let body_sha256 = hex::encode(Sha256::digest(&body));
    let place = Key::new(scope.clone(), "");
    let sealed = path == KEYS;
    let now = context.ports.clock.now();

    let version = loop {
        let Some(found) = records.get(&place).await? else {
            let mark = Mark { body_sha256: body_sha256.clone(), at: now, answer: None };
            let record = record_of(context, &place, mark, sealed).await?;
            match records.commit(Commit::new().create(record)).await {
                Ok(()) => break 1,
                Err(records::Error::Stale(_)) => continue,
                Err(other) => return Err(other.into()),
            }
        };
        let mark = mark_of(context, &found).await?;
        if mark.body_sha256 != body_sha256 {
            return Err(Error::Unprocessable(
                "This Idempotency-Key was used with another request body".into(),
            ));
        }
        if let Some(Answer { status, body }) = mark.answer {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            return Ok((status, envelope::json(body)).into_response());
        }
        if !has_cause(&path) && mark.at + patience() > now {
            return Err(Error::Conflict(
                "A request with this Idempotency-Key is still being worked on".into(),
            ));
        }
        break found.version;
    };

    if has_cause(&path) {
        parts.extensions.insert(Scope(scope));
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = response.status();
    if !status.is_success() {
        // Nothing was made, and the key may be used for a better attempt. Where a failure of ours leaves
        // that open, the mark goes on holding the key to this body if the cause will be recognised.
        if status.is_client_error() || !has_cause(&path) {
            forget(context, place, version).await?;
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|e| Error::Internal(Box::new(e)))?;
    if let Some(text) = std::str::from_utf8(&body).ok().filter(|text| text.len() <= LARGEST_ANSWER)
    {
        let answer = Some(Answer { status: parts.status.as_u16(), body: text.to_owned() });
        let mark = Mark { body_sha256, at: now, answer };
        let record = record_of(context, &place, mark, sealed).await?;
        // Where somebody else kept their answer first, it is the same one.
        match records.commit(Commit::new().replace(record, version)).await {
            Ok(()) | Err(records::Error::Stale(_)) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

async fn record_of(
    context: &Context,
    place: &Key,
    mark: Mark,
    sealed: bool,
) -> Result<Record, Error> {
    let until = mark.at + life();
    let stored = if sealed {
        let plain = serde_json::to_vec(&mark).map_err(|e| Error::Internal(Box::new(e)))?;
        let sealed = context.ports.vault.seal(&place.partition, &plain).await?;
        Stored::Sealed { sealed }
    } else {
        Stored::Open(mark)
    };
    Ok(Record::new(Kind::Marker, place.clone(), &stored).until(Some(until)))
}

async fn mark_of(context: &Context, record: &Record) -> Result<Mark, Error> {
    match record.decode()? {
        Stored::Open(mark) => Ok(mark),
        Stored::Sealed { sealed } => {
            let plain = context.ports.vault.open(&record.key.partition, &sealed).await?;
            // What serde says may quote the text.
            let unreadable = |_| Error::Internal("a sealed answer cannot be read".into());
            serde_json::from_slice(&plain).map_err(unreadable)
        }
    }
}

async fn forget(context: &Context, place: Key, version: u64) -> Result<(), Error> {
    let forget = Commit::new().delete(place, Expect::Version(version));
    match context.ports.records.commit(forget).await {
        Ok(()) | Err(records::Error::Stale(_)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
