//! A run that its record has no room for: it fails, where it would be tried again for ever.

use super::{ending, layout, load};
use crate::announce;
use crate::load::Versioned;
use crate::retry::Attempts;
use attune_domain::workflow::plan;
use attune_domain::workflow::run::{Run, Status};
use attune_ports::orchestrator::ThreadStep;
use attune_ports::records::{self, Commit, MAX_RECORD_BYTES};
use attune_ports::{Ports, Unavailable};

/// Bytes of a run's record that planning leaves free: for tokens and counters, which change without it, and for saying
/// why the run fails.
const ROOM: usize = 32 * 1024;

/// A run has outgrown its record.
#[derive(Debug, thiserror::Error)]
#[error(
    "the run's record would be larger than {} KB: the workflow has too many tasks, or too many at the same time",
    MAX_RECORD_BYTES / 1024
)]
pub(super) struct TooLarge;

impl From<TooLarge> for records::Error {
    fn from(error: TooLarge) -> Self {
        Self::TooLarge(error.to_string())
    }
}

/// Checks that a run fits into its record, as it was planned.
///
/// # Errors
/// [`TooLarge`] where it does not.
pub(super) fn check(run: &Run) -> Result<(), TooLarge> {
    let bytes = serde_json::to_vec(run).map_or(0, |text| text.len());
    if bytes > MAX_RECORD_BYTES - ROOM { Err(TooLarge) } else { Ok(()) }
}

/// Gives up the thread whose step the run's record has no room for, and with it the run: other threads end as after any
/// fault. Every thread that is given up makes room.
///
/// # Errors
/// [`Unavailable`] where something does not answer: the step is to be taken again.
pub(super) async fn give_up(ports: &Ports, step: ThreadStep) -> Result<(), Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let Some(loaded) = load::run(ports, step.run).await? else { return Ok(()) };
        let thread = loaded.body.threads.get(&step.thread);
        if loaded.body.status != Status::Running
            || thread.is_none_or(|thread| thread.hop != step.hop)
        {
            return Ok(());
        }
        match fail(ports, loaded, step.thread).await {
            Ok(()) => return Ok(()),
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

async fn fail(ports: &Ports, loaded: Versioned<Run>, thread: u32) -> Result<(), records::Error> {
    let Versioned { body: mut run, version, .. } = loaded;
    plan::give_up(&mut run, thread, TooLarge.to_string());
    let (commit, announcements) = ending::of_run(ports, &mut run, Commit::new()).await?;
    let record = layout::run_record(&run, ports.clock.now());
    ports.records.commit(commit.replace(record, version)).await?;
    announce::send(ports, announcements).await?;
    tracing::warn!(execution = %run.execution, thread, "a run fails: {TooLarge}");
    Ok(())
}
