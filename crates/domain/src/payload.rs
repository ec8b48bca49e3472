//! JSON that may be too large for a record and then lies in a blob.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Above this many bytes of JSON a payload moves to a blob.
pub const INLINE_BYTES: usize = 32 * 1024;

/// A JSON value in a record, or the address of the blob that holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The value itself.
    Inline(Value),
    /// Where the value lies.
    Blob {
        /// Name of the blob.
        name: String,
        /// Its size as JSON, in bytes.
        bytes: u64,
    },
}

impl Payload {
    /// The value, if it is at hand without reading a blob.
    #[must_use]
    pub fn inline(&self) -> Option<&Value> {
        match self {
            Self::Inline(value) => Some(value),
            Self::Blob { .. } => None,
        }
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self::Inline(value)
    }
}
