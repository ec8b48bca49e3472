//! Large values by name.

use crate::Unavailable;
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// Looks whether `name` can be a blob's: parts of letters, digits, `-`, `_` and `.`, none empty and none
/// starting with a dot, with `/` between them. So no name leads out of the place where blobs lie.
///
/// # Errors
/// [`Unavailable`], which quotes the name.
pub fn check_name(name: &str) -> Result<(), Unavailable> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    if name.split('/').all(is_plain) {
        Ok(())
    } else {
        Err(Unavailable::new("blobs", format!("{name:?} is not a blob's name")))
    }
}

/// Holds payloads that are too large for a record, and pack archives.
///
/// Names are relative paths of letters, digits, `-`, `_`, `.` and `/`. A blob is whole or absent, and
/// durable when `put` returns. What lies under `uploads/` may be forgotten after a day.
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

    /// How many bytes a blob has; `None` where there is none.
    ///
    /// # Errors
    /// [`Unavailable`] where that cannot be found out.
    async fn size(&self, name: &str) -> Result<Option<u64>, Unavailable>;

    /// An address to which anybody who has it may `PUT` the blob within `lifetime`, past this server; `None`
    /// where there is no such thing.
    ///
    /// # Errors
    /// [`Unavailable`] where it cannot be made.
    async fn upload_url(
        &self,
        name: &str,
        lifetime: Duration,
    ) -> Result<Option<String>, Unavailable> {
        let _ = lifetime;
        check_name(name).map(|()| None)
    }
}
