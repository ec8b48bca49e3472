//! Complete: an execution is over; its slot goes to the next in line, in the same commit, and the workflow that it
//! belongs to takes note.

use crate::announce::{self, Announcement};
use crate::load::{self, Versioned};
use crate::retry::{Attempts, Portion};
use crate::{layout, line, subject, workflow};
use attune_domain::admission::LaneKey;
use attune_domain::execution::{Execution, Holds, Place};
use attune_domain::id::ExecutionId;
use attune_ports::records::Commit;
use attune_ports::{Ports, Unavailable};
use std::collections::{BTreeMap, BTreeSet};

/// Ended executions in one commit, at most.
const AT_ONCE: usize = 10;

/// Frees the slots of ended executions, in order, tells their workflows, and answers how many were dealt with. The rest must come
/// again.
pub async fn handle(ports: &Ports, ids: &[ExecutionId]) -> (usize, Result<(), Unavailable>) {
    let mut done = 0;
    while done < ids.len() {
        match next(ports, &ids[done..]).await {
            Ok(many) => done += many,
            Err(error) => return (done, Err(error)),
        }
    }
    (done, Ok(()))
}

/// Deals with the first, and with those after it that leave the same lane.
async fn next(ports: &Ports, ids: &[ExecutionId]) -> Result<usize, Unavailable> {
    let mut attempts = Attempts::default();
    let mut portion = Portion::of(AT_ONCE);
    loop {
        let mut leaving: Vec<Versioned<Execution>> = Vec::new();
        let mut again = Vec::new();
        let mut lane: Option<LaneKey> = None;
        let mut children = BTreeMap::<ExecutionId, BTreeSet<ExecutionId>>::new();
        let mut many = 0;
        for id in ids.iter().take(portion.most()) {
            if leaving.iter().any(|loaded| loaded.body.id == *id) {
                many += 1;
                continue;
            }
            let Some(loaded) = load::execution_versioned(ports, *id).await? else {
                many += 1;
                continue;
            };
            if let (Some(parent), Some(_), true) =
                (loaded.body.parent, loaded.body.thread, loaded.body.status.is_terminal())
            {
                children.entry(parent).or_default().insert(*id);
            }
            match slot_of(&loaded.body) {
                None => again.extend(announced_before(ports, &loaded.body).await?),
                Some(own) => {
                    if lane.as_ref().is_some_and(|lane| lane != own) {
                        break;
                    }
                    lane.get_or_insert_with(|| own.clone());
                    leaving.push(loaded);
                }
            }
            many += 1;
        }
        if let Some(lane) = lane {
            match leave(ports, &lane, leaving).await {
                Ok(announcements) => again.extend(announcements),
                Err(error) if portion.halve(many, &error) => continue,
                Err(error) => {
                    attempts.again(ports, error).await?;
                    continue;
                }
            }
        }
        announce::send(ports, again).await?;
        for (parent, children) in children {
            workflow::settle(ports, parent, &children).await?;
        }
        return Ok(many);
    }
}

/// The lane whose slot an execution still holds that ended, or waits for people.
fn slot_of(execution: &Execution) -> Option<&LaneKey> {
    let leaves = execution.status.is_terminal() || execution.waits_for().is_some();
    match &execution.place {
        Some(Place { lane, holds: Holds::Slot(_) }) if leaves => Some(lane),
        _ => None,
    }
}

/// It left before: perhaps those who got its slot were not told.
async fn announced_before(
    ports: &Ports,
    execution: &Execution,
) -> Result<Vec<Announcement>, Unavailable> {
    let mut announcements = Vec::new();
    for handed in &execution.handed_to {
        let holder = load::execution(ports, handed.execution).await?;
        let holder = holder.filter(|holder| holder.attempt == handed.attempt);
        announcements.extend(holder.as_ref().and_then(Announcement::scheduled));
    }
    Ok(announcements)
}

async fn leave(
    ports: &Ports,
    key: &LaneKey,
    mut leaving: Vec<Versioned<Execution>>,
) -> Result<Vec<Announcement>, attune_ports::records::Error> {
    let now = ports.clock.now();
    let mut commit = Commit::new();
    let mut announcements = Vec::new();
    if let Some(loaded) = load::lane(ports, key).await? {
        let mut lane = loaded.body;
        let wake_known = lane.wake_at;
        for _ in &leaving {
            lane.release(now);
        }
        // A policy that was widened may have room for more than those who leave.
        let most = leaving.len() + 2;
        let (grown, served) = line::serve(ports, &mut lane, commit, most, now).await?;
        commit = grown.replace(layout::lane_record(&lane), loaded.version);
        if let Some(first) = leaving.first_mut() {
            first.body.handed_to = served.handed;
        }
        announcements = served.announcements;
        announcements.extend(Announcement::wake_sooner(wake_known, &lane, now));
    }
    for left in leaving {
        let mut execution = left.body;
        execution.place = execution.place.map(|place| Place { holds: Holds::Nothing, ..place });
        // Its workflow may still have to take note of it.
        let due = subject::due(&execution, now);
        commit = commit.replace(layout::execution_record(&execution, due), left.version);
    }
    ports.records.commit(commit).await?;
    Ok(announcements)
}
