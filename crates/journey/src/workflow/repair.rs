//! Repairing runs: what a crash left between a step and the next one.

use super::{control, layout, load};
use crate::load::Versioned;
use crate::retry::Attempts;
use attune_domain::id::ExecutionId;
use attune_domain::workflow::plan::control::hand_over;
use attune_domain::workflow::run::{Phase, Status, Thread};
use attune_ports::orchestrator::ThreadStep;
use attune_ports::records::Commit;
use attune_ports::{Ports, Unavailable};

/// Looks after a run that is overdue: threads that should have taken a step take it in a fresh execution of their
/// orchestrator, whatever became of the old one. Answers how many did.
pub(crate) async fn run(
    ports: &Ports,
    id: ExecutionId,
    starting: bool,
) -> Result<usize, Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let Some(Versioned { body: mut run, version, .. }) = load::run(ports, id).await? else {
            return Ok(0);
        };
        if run.status == Status::Canceling {
            if let Some(execution) = crate::load::execution(ports, id).await? {
                control::cancel(ports, &execution).await?;
            }
            return postpone(ports, id).await.map(|()| 0);
        }
        let now = ports.clock.now();
        let stuck: Vec<u32> = run
            .threads
            .iter()
            .filter(|(_, thread)| is_stuck(thread, now, starting))
            .map(|(number, _)| *number)
            .collect();
        for thread in &stuck {
            hand_over(&mut run, *thread);
        }
        let commit = Commit::new().replace(layout::run_record(&run, now), version);
        match ports.records.commit(commit).await {
            Ok(()) => {
                control::start(ports, &run, stuck.iter().copied()).await?;
                return Ok(stuck.len());
            }
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

/// Whether a thread is to take a step that nobody seems to take. At the start of the only process nobody takes any, and
/// those that wait for time have to be waited with again.
fn is_stuck(thread: &Thread, now: attune_domain::Timestamp, starting: bool) -> bool {
    if let Some(until) = thread.until() {
        return starting || until <= now;
    }
    match &thread.phase {
        Phase::Working(working) => thread.parked.is_none() || working.is_done(),
        _ => true,
    }
}

/// Moves the time on at which somebody looks again.
async fn postpone(ports: &Ports, id: ExecutionId) -> Result<(), Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let Some(Versioned { body: run, version, .. }) = load::run(ports, id).await? else {
            return Ok(());
        };
        let commit = Commit::new().replace(layout::run_record(&run, ports.clock.now()), version);
        match ports.records.commit(commit).await {
            Ok(()) => return Ok(()),
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

/// The first step of a run that has not begun.
pub(crate) fn first(run: ExecutionId) -> ThreadStep {
    ThreadStep { run, thread: 0, hop: 0, sequence: 0 }
}
