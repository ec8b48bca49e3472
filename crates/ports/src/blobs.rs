//! Large values by name.

use crate::Unavailable;
use async_trait::async_trait;
use bytes::Bytes;

/// Holds payloads that are too large for a record, and pack archives.
///
/// Names are relative paths of letters, digits, `-`, `_`, `.` and `/`. A blob is whole or absent, and
/// durable when `put` returns.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores `bytes` under `name`, replacing what was there.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be stored.
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Unavailable>;

    /// Reads a blob; `None` where there is none.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be read.
    async fn get(&self, name: &str) -> Result<Option<Bytes>, Unavailable>;

    /// Removes a blob; removing nothing succeeds.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be removed.
    async fn delete(&self, name: &str) -> Result<(), Unavailable>;
}
