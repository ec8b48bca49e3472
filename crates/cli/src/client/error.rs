//! What can go wrong between us and the server.

use crate::credentials;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use std::fmt;

/// How much of an answer that is not JSON is worth showing, in characters.
const EXCERPT: usize = 200;

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens there.
    #[error("no Attune server answers at {url}; start one with `attune serve` or pass --url")]
    Unreachable {
        /// The server's address.
        url: String,
        /// What the network said.
        source: reqwest::Error,
    },
    /// The connection broke, or nothing came for too long.
    #[error("the connection to {url} was lost")]
    Interrupted {
        /// The server's address.
        url: String,
        /// What the network said.
        source: reqwest::Error,
    },
    /// Somebody answers, in a language of their own.
    #[error("what answers at {url} does not look like an Attune server")]
    NotAttune {
        /// The server's address.
        url: String,
    },
    /// The server asks for a login, and there is none.
    #[error("not logged in to {url}; run `attune login`")]
    NotLoggedIn {
        /// The server's address.
        url: String,
    },
    /// There was a login, and it cannot be renewed.
    #[error("the login to {url} has expired; run `attune login`")]
    LoginOver {
        /// The server's address.
        url: String,
    },
    /// The server said no.
    #[error("{0}")]
    Refused(Refusal),
    /// Renewed tokens could not be kept.
    #[error("cannot keep the renewed login")]
    Credentials(#[from] credentials::Error),
    /// HTTPS is not possible on this machine.
    #[error("cannot set up HTTPS")]
    Setup {
        /// What is missing.
        source: reqwest::Error,
    },
}

impl Error {
    /// Whether the server said that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == StatusCode::NOT_FOUND)
    }
}

/// An answer of the server that is not a success.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: StatusCode,
    /// The server's word for the kind of error, such as `NOT_FOUND`.
    pub code: Option<String>,
    /// The server's explanation.
    pub message: Option<String>,
    /// Under which the server's log tells more.
    pub request_id: Option<String>,
}

impl Refusal {
    /// Reads what the server says about its refusal.
    pub(super) async fn read(answer: Response) -> Self {
        let status = answer.status();
        let request_id = answer
            .headers()
            .get("x-request-id")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        // A body that breaks off leaves the status, which says the most.
        let body = answer.bytes().await.unwrap_or_default();
        let (code, message) = explain(&body);
        Self { status, code, message, request_id }
    }

    /// Whether it says that a token or password is not, or no longer, good.
    pub(super) fn is_about_the_login(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }
}

/// Code and message of the standard error shape, of the nested shape of protected routes, or an
/// excerpt of anything else.
fn explain(body: &[u8]) -> (Option<String>, Option<String>) {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        let text: String = String::from_utf8_lossy(body).trim().chars().take(EXCERPT).collect();
        return (None, (!text.is_empty()).then_some(text));
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let nested = text(&body["error"]["message"]);
    (
        text(&body["code"]),
        nested.or_else(|| text(&body["error"])).or_else(|| text(&body["message"])),
    )
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.status.canonical_reason().unwrap_or("error");
        f.write_str(self.message.as_deref().unwrap_or(reason))?;
        match &self.code {
            Some(code) => write!(f, " ({} {code}", self.status.as_u16())?,
            None => write!(f, " ({} {reason}", self.status.as_u16())?,
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_message_status_code_and_request() {
        for (why, status, body, request_id, expected) in [
            (
                "the standard shape",
                404,
                r#"{"error":"Action 'a.b' not found","code":"NOT_FOUND"}"#,
                Some("r-1"),
                "Action 'a.b' not found (404 NOT_FOUND, request r-1)",
            ),
            (
                "the shape of protected routes",
                401,
                r#"{"error":{"code":401,"message":"Authentication token expired"}}"#,
                None,
                "Authentication token expired (401 Unauthorized)",
            ),
            ("plain text", 502, "bad gateway\n", None, "bad gateway (502 Bad Gateway)"),
            ("no body", 405, "", None, "Method Not Allowed (405 Method Not Allowed)"),
        ] {
            let (code, message) = explain(body.as_bytes());
            let refusal = Refusal {
                status: StatusCode::from_u16(status).unwrap(),
                code,
                message,
                request_id: request_id.map(str::to_owned),
            };
            assert_eq!(refusal.to_string(), expected, "{why}");
        }
    }
}
