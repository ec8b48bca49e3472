//! Logs as the files that the runner writes.

use async_trait::async_trait;
use attune_domain::id::ExecutionId;
use attune_ports::{LogStream, Logs, Unavailable};
use bytes::Bytes;
use std::path::PathBuf;

pub(crate) struct FileLogs {
    root: PathBuf,
}

impl FileLogs {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }
}

#[async_trait]
impl Logs for FileLogs {
    async fn read(
        &self,
        execution: ExecutionId,
        stream: LogStream,
        offset: u64,
        max: usize,
    ) -> Result<Option<Bytes>, Unavailable> {
        let read = attune_runner::read_log(&self.root, execution, stream, offset, max as u64).await;
        Ok(read.map(Bytes::from))
    }

    async fn delete(&self, execution: ExecutionId) -> Result<(), Unavailable> {
        for stream in [LogStream::Stdout, LogStream::Stderr] {
            let path = attune_runner::log_path(&self.root, execution, stream);
            match tokio::fs::remove_file(path).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn failed(error: std::io::Error) -> Unavailable {
    Unavailable::new("logs", error)
}
