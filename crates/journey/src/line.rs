//! The line of a lane: give free slots to those who have waited longest.

use crate::announce::Announcement;
use crate::load::{self, Versioned};
use crate::{layout, subject};
use attune_domain::Timestamp;
use attune_domain::admission::{Capacity, Lane, Waiter};
use attune_domain::execution::{Execution, Handed, Holds, Place};
use attune_domain::status::ExecutionStatus;
use attune_ports::records::{Commit, Expect, Query};
use attune_ports::{Key, Ports, Unavailable};
use serde_json::json;

/// Tickets taken from a line in one commit, at most.
pub(crate) const AT_ONCE: usize = 25;

/// What was done for those in line.
#[derive(Default)]
pub(crate) struct Served {
    /// Who got a slot.
    pub handed: Vec<Handed>,
    /// Whom to tell: who got a slot, and who gave up and is awaited.
    pub announcements: Vec<Announcement>,
}

/// Gives free slots to the lowest tickets, `most` at most, and adds the writes to `commit`.
pub(crate) async fn serve(
    ports: &Ports,
    lane: &mut Lane,
    mut commit: Commit,
    most: usize,
    now: Timestamp,
) -> Result<(Commit, Served), Unavailable> {
    let mut served = Served::default();
    if lane.waiting == 0 || lane.capacity(now) != Capacity::Free {
        lane.settle(now);
        return Ok((commit, served));
    }
    let query = Query::partition(format!("lane/{}", lane.key), most.min(AT_ONCE)).prefix("ticket/");
    let page = ports.records.query(&query).await?;
    let empty = page.records.is_empty();
    for record in page.records {
        if lane.capacity(now) != Capacity::Free {
            break;
        }
        let waiter: Waiter = record.decode().map_err(|e| Unavailable::new("records", e.source))?;
        commit = commit.delete(record.key.clone(), Expect::Version(record.version));
        let loaded = load::execution_versioned(ports, waiter.execution).await?;
        let holds = |execution: &Execution| {
            execution.status == ExecutionStatus::Requested
                && matches!(&execution.place, Some(Place { holds: Holds::Ticket(ticket), .. })
                    if *ticket == waiter.ticket)
        };
        let Some(loaded) = loaded.filter(|loaded| holds(&loaded.body)) else {
            // Nobody holds it any more.
            lane.leave(now);
            continue;
        };
        let expired = waiter.until.is_some_and(|until| until <= now);
        commit = if expired {
            lane.leave(now);
            give_up(loaded, &waiter, commit, &mut served, now)
        } else {
            grant(lane, loaded, &waiter, commit, &mut served, now)
        };
    }
    if empty {
        // The counter says that somebody waits, the line says nobody: the line is right.
        lane.waiting = 0;
    }
    lane.settle(now);
    Ok((commit, served))
}

fn grant(
    lane: &mut Lane,
    loaded: Versioned<Execution>,
    waiter: &Waiter,
    commit: Commit,
    served: &mut Served,
    now: Timestamp,
) -> Commit {
    let mut execution = loaded.body;
    let grant = lane.grant_waiting(now);
    execution.status = ExecutionStatus::Scheduled;
    execution.attempt += 1;
    execution.updated = now;
    execution.place = Some(Place { lane: lane.key.clone(), holds: Holds::Slot(grant) });
    let handed =
        Handed { execution: execution.id, attempt: execution.attempt, runtime: waiter.runtime };
    served.announcements.extend(Announcement::scheduled(&execution));
    served.handed.push(handed);
    let record = layout::execution_record(&execution, subject::due(&execution, now));
    commit.replace(record, loaded.version)
}

fn give_up(
    loaded: Versioned<Execution>,
    waiter: &Waiter,
    commit: Commit,
    served: &mut Served,
    now: Timestamp,
) -> Commit {
    let execution = timed_out(loaded.body, waiter, now);
    served.announcements.extend(Announcement::completed(&execution));
    commit.replace(
        layout::execution_record(&execution, subject::due(&execution, now)),
        loaded.version,
    )
}

/// An execution that has waited too long.
fn timed_out(mut execution: Execution, waiter: &Waiter, now: Timestamp) -> Execution {
    let seconds = (now - waiter.since).num_seconds();
    let error = format!("Waited {seconds} s in line, longer than the policy allows");
    execution.status = ExecutionStatus::Failed;
    execution.updated = now;
    execution.place = execution.place.map(|place| Place { holds: Holds::Nothing, ..place });
    execution.result = Some(
        json!({
            "succeeded": false,
            "error": error,
            "message": error,
            "action_ref": execution.action_ref,
            "failed_by": "execution_scheduler",
            "failed_at": now,
        })
        .into(),
    );
    execution
}

/// Ends the wait of one whose ticket has expired, wherever it stands in line.
///
/// # Errors
/// [`Unavailable`] where something does not answer.
pub(crate) async fn expire(ports: &Ports, ticket: &Key) -> Result<(), Unavailable> {
    let mut attempts = crate::retry::Attempts::default();
    loop {
        let now = ports.clock.now();
        let Some(loaded) = load::versioned::<Waiter>(ports, ticket).await? else { return Ok(()) };
        let waiter = loaded.body;
        if waiter.until.is_none_or(|until| until > now) {
            return Ok(());
        }
        let Some(execution) = load::execution_versioned(ports, waiter.execution).await? else {
            return Ok(());
        };
        let Some(key) = execution.body.place.as_ref().map(|place| place.lane.clone()) else {
            return Ok(());
        };
        let Some(mut lane) = load::lane(ports, &key).await? else { return Ok(()) };
        lane.body.leave(now);
        lane.body.settle(now);
        let mut served = Served::default();
        let commit = Commit::new()
            .replace(layout::lane_record(&lane.body), lane.version)
            .delete(ticket.clone(), Expect::Version(loaded.version));
        let commit = give_up(execution, &waiter, commit, &mut served, now);
        match ports.records.commit(commit).await {
            Ok(()) => return crate::announce::send(ports, served.announcements).await,
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}
