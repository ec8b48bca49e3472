//! Uploads: archives that come in a request of their own.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where to put an archive.
#[derive(Debug, Serialize, ToSchema)]
pub struct UploadResponse {
    /// Names the upload when it is used.
    pub id: String,
    /// Where to put it. A path belongs to this server and wants the same token as any other request; an
    /// address with a host is complete, and must not be sent the token.
    pub url: String,
    /// `PUT`.
    #[schema(value_type = String)]
    pub method: &'static str,
    /// Headers to send along.
    pub headers: BTreeMap<String, String>,
    /// It must be used before.
    pub expires_at: DateTime<Utc>,
}

/// Install the pack in an archive that was put to an upload.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct UploadedPackRequest {
    /// Id of the upload.
    pub upload: String,
    /// Whether a pack of the same ref may be replaced.
    #[serde(default)]
    pub force: bool,
    /// Whether the pack's own tests are left out.
    #[serde(default)]
    pub skip_tests: bool,
}
