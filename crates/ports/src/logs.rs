//! What actions print, readable while they run.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::id::ExecutionId;
use bytes::Bytes;

/// One of a process's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl LogStream {
    /// The word on the wire: `stdout` or `stderr`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Reads what runners wrote.
#[async_trait]
pub trait Logs: Send + Sync {
    /// Up to `max` bytes from `offset`; empty at the end, `None` where nothing was ever printed.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be read.
    async fn read(
        &self,
        execution: ExecutionId,
        stream: LogStream,
        offset: u64,
        max: usize,
    ) -> Result<Option<Bytes>, Unavailable>;

    /// Removes both streams of an execution.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be removed.
    async fn delete(&self, execution: ExecutionId) -> Result<(), Unavailable>;
}
