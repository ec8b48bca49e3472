//! Logs as objects of the stack's bucket, below `logs/`.
//!
//! An object cannot grow. So a log is cut into pieces of one size, `logs/<execution>/<stream>/<number>`: the
//! last one is put anew as it grows, the others never change. A reader finds a place by arithmetic and needs
//! one request; a writer never sends more than one piece for the few bytes that are new.

use crate::{Clients, failure};
use async_trait::async_trait;
use attune_domain::id::ExecutionId;
use attune_ports::{LogStream, Logs, Unavailable};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectError;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// Bytes of every piece but the last.
pub(crate) const PIECE: u64 = 1024 * 1024;

/// Logs in a bucket.
pub struct S3Logs {
    clients: Arc<Clients>,
    bucket: String,
}

/// What was found of a piece.
enum Found {
    /// These bytes of it.
    Bytes(Bytes),
    /// The piece, but nothing of it from there on.
    End,
    /// No such piece.
    Nothing,
}

fn key(execution: ExecutionId, stream: LogStream, piece: u64) -> String {
    format!("logs/{execution}/{}/{piece}", stream.as_str())
}

/// Number of the piece in which `offset` lies, and the place within it.
pub(crate) const fn place(offset: u64) -> (u64, u64) {
    (offset / PIECE, offset % PIECE)
}

/// The `Range` of an object for as much of `wanted` bytes from `from` as one piece holds; `wanted` is not 0.
fn range(from: u64, wanted: u64) -> String {
    let last = from.saturating_add(wanted).min(PIECE) - 1;
    format!("bytes={from}-{last}")
}

impl S3Logs {
    /// Logs in `bucket`.
    pub fn new(clients: Arc<Clients>, bucket: impl Into<String>) -> Self {
        Self { clients, bucket: bucket.into() }
    }

    /// Stores the piece with this number, a mebibyte at most, in place of what was known of it.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be stored.
    pub async fn put(
        &self,
        execution: ExecutionId,
        stream: LogStream,
        piece: u64,
        bytes: Bytes,
    ) -> Result<(), Unavailable> {
        let put = self.clients.s3().await.put_object().bucket(&self.bucket);
        let put = put.key(key(execution, stream, piece)).body(bytes.into()).send().await;
        put.map(drop).map_err(|error| failure::unavailable("logs", error))
    }

    async fn get(
        &self,
        execution: ExecutionId,
        stream: LogStream,
        (piece, from): (u64, u64),
        wanted: u64,
    ) -> Result<Found, Unavailable> {
        let get = self.clients.s3().await.get_object().bucket(&self.bucket);
        let get = get.key(key(execution, stream, piece)).range(range(from, wanted));
        match get.send().await {
            Ok(found) => {
                let bytes = found.body.collect().await;
                let bytes = bytes.map_err(|error| Unavailable::new("logs", error))?.into_bytes();
                Ok(Found::Bytes(bytes))
            }
            Err(error) => match error.code() {
                Some("NoSuchKey") => Ok(Found::Nothing),
                Some("InvalidRange") => Ok(Found::End),
                _ => Err(failure::unavailable("logs", error)),
            },
        }
    }

    async fn exists(
        &self,
        execution: ExecutionId,
        stream: LogStream,
        piece: u64,
    ) -> Result<bool, Unavailable> {
        let head = self.clients.s3().await.head_object().bucket(&self.bucket);
        match head.key(key(execution, stream, piece)).send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), HeadObjectError::NotFound(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(failure::unavailable("logs", error)),
        }
    }

    /// Removes a stream from its end, so that what is left after a failure is found again.
    async fn remove(&self, execution: ExecutionId, stream: LogStream) -> Result<(), Unavailable> {
        // To look is much cheaper than to list, and most executions have nothing here.
        let mut pieces = 0;
        while self.exists(execution, stream, pieces).await? {
            pieces += 1;
        }
        for piece in (0..pieces).rev() {
            let delete = self.clients.s3().await.delete_object().bucket(&self.bucket);
            let deleted = delete.key(key(execution, stream, piece)).send().await;
            deleted.map_err(|error| failure::unavailable("logs", error))?;
        }
        Ok(())
    }
}

#[async_trait]
impl Logs for S3Logs {
    async fn read(
        &self,
        execution: ExecutionId,
        stream: LogStream,
        offset: u64,
        max: usize,
    ) -> Result<Option<Bytes>, Unavailable> {
        if max == 0 {
            return Ok(self.exists(execution, stream, 0).await?.then(Bytes::new));
        }
        let mut read = BytesMut::new();
        while read.len() < max {
            let at = offset + read.len() as u64;
            let wanted = (max - read.len()) as u64;
            match self.get(execution, stream, place(at), wanted).await? {
                Found::Bytes(bytes) if bytes.is_empty() => break,
                Found::Bytes(bytes) if read.is_empty() && bytes.len() == max => {
                    return Ok(Some(bytes));
                }
                Found::Bytes(bytes) => read.extend_from_slice(&bytes),
                Found::End => break,
                // Beyond the end, or nothing was ever printed: the first piece tells.
                Found::Nothing if at >= PIECE => {
                    let some = !read.is_empty() || self.exists(execution, stream, 0).await?;
                    return Ok(some.then(|| read.freeze()));
                }
                Found::Nothing => return Ok(None),
            }
            if place(offset + read.len() as u64).1 != 0 {
                // It was not read to the piece's end: there is no more.
                break;
            }
        }
        Ok(Some(read.freeze()))
    }

    async fn delete(&self, execution: ExecutionId) -> Result<(), Unavailable> {
        for stream in [LogStream::Stdout, LogStream::Stderr] {
            self.remove(execution, stream).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_by_arithmetic() {
        for (offset, expected) in [
            (0, (0, 0)),
            (1, (0, 1)),
            (PIECE - 1, (0, PIECE - 1)),
            (PIECE, (1, 0)),
            (3 * PIECE + 7, (3, 7)),
        ] {
            assert_eq!(place(offset), expected, "{offset}");
        }
        let execution = ExecutionId::new(7);
        assert_eq!(key(execution, LogStream::Stderr, 3), "logs/7/stderr/3");
    }

    #[test]
    fn a_range_ends_with_its_piece() {
        for (from, wanted, expected) in [
            (0, 1, "bytes=0-0"),
            (5, 10, "bytes=5-14"),
            (5, PIECE, "bytes=5-1048575"),
            (PIECE - 1, u64::MAX, "bytes=1048575-1048575"),
        ] {
            assert_eq!(range(from, wanted), expected, "{wanted} from {from}");
        }
    }
}
