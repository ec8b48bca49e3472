//! Runs actions where nothing lasts: what they print is brought away while they run.
//!
//! The runner inside writes log files. A function's disk is small and goes with it, so every few seconds what
//! is new goes to the bucket. Most actions are over before and have printed little: that goes into the
//! execution's own record, and costs no request.

use crate::logs::{PIECE, S3Logs, place};
use async_trait::async_trait;
use attune_domain::execution::Printed;
use attune_domain::id::ExecutionId;
use attune_domain::runtime::Runtime;
use attune_ports::runner::{Cancelled, Invocation, Outcome, Runner};
use attune_ports::{LogStream, Logs, Unavailable};
use std::io::{ErrorKind, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::Notify;

/// Bytes that are kept in the execution's record, both streams together.
const LITTLE: u64 = 16 * 1024;
/// How often what is new is brought away.
const EVERY: Duration = Duration::from_secs(2);

/// A runner whose logs end up in the bucket, or in the outcome.
pub struct CloudRunner {
    inner: Arc<dyn Runner>,
    logs: S3Logs,
    logs_dir: PathBuf,
}

impl CloudRunner {
    /// Runs actions by `inner`, which writes its logs below `logs_dir`, as [`attune_runner::log_path`] says.
    pub fn new(inner: Arc<dyn Runner>, logs_dir: PathBuf, logs: S3Logs) -> Self {
        Self { inner, logs, logs_dir }
    }

    fn bearers(&self, execution: ExecutionId) -> [Bearer<'_>; 2] {
        [LogStream::Stdout, LogStream::Stderr].map(|stream| Bearer {
            logs: &self.logs,
            path: attune_runner::log_path(&self.logs_dir, execution, stream),
            execution,
            stream,
            sent: 0,
        })
    }
}

#[async_trait]
impl Runner for CloudRunner {
    async fn run(&self, invocation: Invocation, cancelled: Cancelled) -> Outcome {
        let execution = invocation.execution;
        if invocation.attempt > 1
            && let Err(error) = self.logs.delete(execution).await
        {
            tracing::warn!(%execution, %error, "the logs of an earlier attempt are still there");
        }
        let mut bearers = self.bearers(execution);
        let over = Notify::new();
        let run = async {
            let outcome = self.inner.run(invocation, cancelled).await;
            over.notify_one();
            outcome
        };
        // A request under way is never dropped: it might overtake the next one to the same piece.
        let (mut outcome, ()) = tokio::join!(run, bear_until(&over, &mut bearers));
        match last(&mut bearers).await {
            Ok(printed) => outcome.printed = printed,
            Err(error) => tracing::error!(%execution, %error, "a part of the logs is lost"),
        }
        for bearer in &bearers {
            bearer.discard().await;
        }
        outcome
    }

    fn is_pure(&self, runtime: Runtime, entrypoint: &str) -> bool {
        self.inner.is_pure(runtime, entrypoint)
    }
}

/// Brings away what is new, again and again, until the run is over.
async fn bear_until(over: &Notify, bearers: &mut [Bearer<'_>; 2]) {
    while tokio::time::timeout(EVERY, over.notified()).await.is_err() {
        for bearer in &mut *bearers {
            if let Err(error) = bearer.bear().await {
                let execution = bearer.execution;
                tracing::warn!(%execution, %error, "a part of the logs comes later");
            }
        }
    }
}

/// What is to be kept with the execution; else the rest is brought away.
async fn last(bearers: &mut [Bearer<'_>; 2]) -> Result<Option<Printed>, Unavailable> {
    let [stdout, stderr] = &*bearers;
    let little = little(stdout, stderr).await;
    if stdout.sent == 0 && stderr.sent == 0 && little.is_some() {
        return Ok(little.filter(|printed| *printed != Printed::default()));
    }
    for bearer in bearers {
        if let Err(error) = bearer.bear().await {
            // Better in the record, after all, than lost.
            return little.map(Some).ok_or(error);
        }
    }
    Ok(None)
}

/// All that was printed, if it is little and text.
async fn little(stdout: &Bearer<'_>, stderr: &Bearer<'_>) -> Option<Printed> {
    if stdout.length().await.ok()? + stderr.length().await.ok()? > LITTLE {
        return None;
    }
    Some(Printed { stdout: text(&stdout.path).await?, stderr: text(&stderr.path).await? })
}

/// A file's text; none where there is no file.
async fn text(path: &Path) -> Option<String> {
    match fs::read(path).await {
        Ok(bytes) => String::from_utf8(bytes).ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => Some(String::new()),
        Err(_) => None,
    }
}

/// Brings one stream of one execution to the bucket.
struct Bearer<'a> {
    logs: &'a S3Logs,
    path: PathBuf,
    execution: ExecutionId,
    stream: LogStream,
    /// Bytes that are there already.
    sent: u64,
}

impl Bearer<'_> {
    /// Bytes printed so far.
    async fn length(&self) -> Result<u64, Unavailable> {
        match fs::metadata(&self.path).await {
            Ok(meta) => Ok(meta.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
            Err(error) => Err(failed(error)),
        }
    }

    async fn bear(&mut self) -> Result<(), Unavailable> {
        let length = self.length().await?;
        while self.sent < length {
            let (piece, _) = place(self.sent);
            let start = piece * PIECE;
            let bytes = part(&self.path, start).await.map_err(failed)?;
            let sent = start + bytes.len() as u64;
            if sent <= self.sent {
                return Err(failed("a log became shorter"));
            }
            self.logs.put(self.execution, self.stream, piece, bytes.into()).await?;
            self.sent = sent;
        }
        Ok(())
    }

    async fn discard(&self) {
        match fs::remove_file(&self.path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(path = %self.path.display(), %error, "could not remove a log");
            }
            _ => {}
        }
    }
}

/// As much of a file from `start` as one piece holds.
async fn part(path: &Path, start: u64) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path).await?;
    file.seek(SeekFrom::Start(start)).await?;
    let mut bytes = Vec::new();
    file.take(PIECE).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn failed(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new("logs", error)
}

#[cfg(test)]
mod tests;
