//! Children of a run have ended: the run takes note, makes the next ones, and goes on when all have.

use super::children::{Making, fill};
use super::{ending, items, layout, load};
use crate::announce;
use crate::layout as journey;
use crate::load::Versioned;
use crate::retry::{Attempts, Portion};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::workflow::plan::children::{self, Settled};
use attune_domain::workflow::run::{Run, Status, Thread};
use attune_ports::orchestrator::{Then, ThreadStep};
use attune_ports::records::{self, Commit};
use attune_ports::{Ports, Unavailable};
use std::collections::BTreeSet;

/// Takes note of the ends of a run's children. Those that it has taken note of before are passed over.
///
/// # Errors
/// [`Unavailable`] where something does not answer: all of it is to be done again.
pub(crate) async fn settle(
    ports: &Ports,
    parent: ExecutionId,
    ids: &BTreeSet<ExecutionId>,
) -> Result<(), Unavailable> {
    let mut attempts = Attempts::default();
    let mut portion = Portion::of(ids.len());
    loop {
        let mut ended = vec![];
        for id in ids {
            if ended.len() == portion.most() {
                break;
            }
            if let Some(loaded) = crate::load::execution_versioned(ports, *id).await?
                && loaded.body.status.is_terminal()
                && loaded.body.thread.is_some()
                && !loaded.body.noted
            {
                ended.push(loaded);
            }
        }
        if ended.is_empty() {
            return Ok(());
        }
        let many = ended.len();
        match note(ports, parent, ended).await {
            Ok(()) if portion.most() >= ids.len() => return Ok(()),
            // Not all of them, perhaps: whoever was noted is passed over.
            Ok(()) => {}
            Err(error) if portion.halve(many, &error) => {}
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

async fn note(
    ports: &Ports,
    parent: ExecutionId,
    ended: Vec<Versioned<Execution>>,
) -> Result<(), records::Error> {
    let mut loaded = load::run(ports, parent).await?;
    let mut room = BTreeSet::new();
    let mut told = vec![];
    let mut commit = Commit::new();
    let now = ports.clock.now();
    for Versioned { mut body, version, .. } in ended {
        if let Some(Versioned { body: run, .. }) = &mut loaded {
            let result = items::result_of(ports, &body).await?;
            let outcome = items::outcome(&body, &result);
            if let Some(thread) = body.thread.filter(|thread| waits_for(run, *thread, &body)) {
                match children::settle(run, thread, outcome) {
                    Settled::Room => {
                        room.insert(thread);
                    }
                    Settled::Done => {
                        room.remove(&thread);
                        told.extend(go_on(run, thread));
                    }
                    Settled::Nothing | Settled::Over => {}
                }
            }
        }
        body.noted = true;
        let due = crate::subject::due(&body, now);
        commit = commit.replace(journey::execution_record(&body, due), version);
    }
    let mut announcements = vec![];
    if let Some(Versioned { body: mut run, version, .. }) = loaded {
        let mut making = Making::default();
        for thread in room {
            // A thread that is not parked makes its children itself.
            let parked = run.threads.get(&thread).is_some_and(|thread| thread.parked.is_some());
            if parked {
                fill(ports, &mut run, &mut making, thread).await?;
                announcements.extend(making.announcements());
                commit = std::mem::take(&mut making).commit(commit);
                // Either all have ended, or those that one commit holds could not be made: nobody else's end would
                // have the thread go on.
                if run.threads.get(&thread).is_some_and(|thread| thread.in_flight() == 0) {
                    told.extend(go_on(&mut run, thread));
                }
            }
        }
        if run.status == Status::Canceling {
            let (with_execution, ended) = ending::of_run(ports, &mut run, commit).await?;
            commit = with_execution;
            announcements.extend(ended);
        }
        commit = commit.replace(layout::run_record(&run, now), version);
    }
    ports.records.commit(commit).await?;
    announce::send(ports, announcements).await?;
    for (token, step) in told {
        ports.orchestrator.tell(&token, Then::Step { step }).await?;
    }
    Ok(())
}

/// Whether a thread counts this child: an only child is the one that was made last.
fn waits_for(run: &Run, thread: u32, child: &Execution) -> bool {
    let working = run.threads.get(&thread).and_then(Thread::working);
    working.is_some_and(|working| {
        working.in_flight > 0 && (working.gathered.is_some() || working.child == Some(child.id))
    })
}

/// What a thread's orchestrator is to be told once all its children have ended.
fn go_on(run: &mut Run, thread: u32) -> Option<(String, ThreadStep)> {
    if run.status != Status::Running {
        return None;
    }
    let execution = run.execution;
    let at = run.threads.get_mut(&thread)?;
    let step = ThreadStep { run: execution, thread, hop: at.hop, sequence: at.sequence };
    at.parked.take().map(|token| (token, step))
}
