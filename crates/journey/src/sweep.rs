//! Sweep: repairs whatever a crash left between two steps.
//!
//! A commit that leaves a next step undone puts its record into the due index; the step that follows takes
//! it out. The sweep reads what is overdue, re-reads each record, since the index may be behind, and does
//! again what was not done: announce, wake, end what waited too long, give up what a dead worker held.

use crate::announce::{self, Announcement};
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{inquiry, layout, line, load, subject, workflow};
use attune_domain::Timestamp;
use attune_domain::admission::Lane;
use attune_domain::enforcement::Enforcement;
use attune_domain::event::Event;
use attune_domain::execution::{Claim, Execution};
use attune_domain::inquiry::Inquiry;
use attune_domain::status::{EnforcementStatus, ExecutionStatus};
use attune_domain::workflow::Run;
use attune_ports::records::{Commit, Index, Kind, Query};
use attune_ports::{Ports, Record, Unavailable, records};
use serde_json::json;
use std::time::Duration;

/// Records looked at in one go.
const PAGE: usize = 100;

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Overdue records looked at.
    pub looked: usize,
    /// Announcements made again.
    pub announced: usize,
    /// Executions given up because their worker died.
    pub abandoned: usize,
    /// Executions given to another worker.
    pub rescheduled: usize,
}

/// Repairs what is overdue now.
///
/// # Errors
/// [`Unavailable`] where something does not answer; the next sweep goes on.
pub async fn overdue(ports: &Ports) -> Result<Swept, Unavailable> {
    sweep(ports, Some(ports.clock.now())).await
}

/// Repairs whatever an earlier life of this process left undone, overdue or not: to be called at the start
/// of the only worker, before it takes messages.
///
/// # Errors
/// [`Unavailable`] where something does not answer.
pub async fn recover(ports: &Ports) -> Result<Swept, Unavailable> {
    sweep(ports, None).await
}

async fn sweep(ports: &Ports, until: Option<Timestamp>) -> Result<Swept, Unavailable> {
    let mut swept = Swept::default();
    let mut after = None;
    // What the sweep puts back into the index comes after this and is left for the next one.
    let last = until.map_or_else(|| format!("{:016}", i64::MAX / 2), layout::due_sort);
    let mut seen = std::collections::HashSet::new();
    loop {
        let query =
            Query::index(Index::Due, layout::DUE, PAGE).after(after).until(format!("{last}/~"));
        let page = ports.records.query(&query).await?;
        for record in page.records {
            if seen.insert(record.key.clone()) {
                swept.looked += 1;
                repair(ports, &record, &mut swept, until.is_none()).await?;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(swept);
        }
    }
}

async fn repair(
    ports: &Ports,
    found: &Record,
    swept: &mut Swept,
    starting: bool,
) -> Result<(), Unavailable> {
    let Some(record) = ports.records.get(&found.key).await? else { return Ok(()) };
    let due = record.places.iter().any(|place| place.index == Index::Due);
    if !due {
        return Ok(());
    }
    match record.kind {
        Kind::Event => {
            let event: Event = decode(&record)?;
            postpone(ports, &record, event.created).await?;
            swept.announced += 1;
            announce::send(ports, [Announcement::event(&event)]).await
        }
        Kind::Enforcement => {
            let enforcement: Enforcement = decode(&record)?;
            if enforcement.status != EnforcementStatus::Created {
                return Ok(());
            }
            postpone(ports, &record, enforcement.created).await?;
            swept.announced += 1;
            announce::send(ports, [Announcement::enforcement(&enforcement)]).await
        }
        Kind::Execution => execution(ports, &record, swept, starting).await,
        Kind::Lane => {
            let lane: Lane = decode(&record)?;
            swept.announced += 1;
            let until = lane.wake_at.map(|at| at - ports.clock.now());
            let delay = until.and_then(|until| until.to_std().ok()).unwrap_or(Duration::ZERO);
            announce::send(ports, [Announcement::wake(&lane.key, delay)]).await
        }
        Kind::Run => {
            let run: Run = decode(&record)?;
            swept.announced += workflow::repair::run(ports, run.execution, starting).await?;
            Ok(())
        }
        Kind::Ticket => line::expire(ports, &record.key).await,
        Kind::Inquiry => inquiry::deadline(ports, decode::<Inquiry>(&record)?.id).await,
        _ => Ok(()),
    }
}

fn decode<T: serde::de::DeserializeOwned>(record: &Record) -> Result<T, Unavailable> {
    record.decode().map_err(|e| Unavailable::new("records", e.source))
}

/// Moves a record's due time on, so that a step that is only slow is not announced without end.
async fn postpone(ports: &Ports, record: &Record, since: Timestamp) -> Result<(), Unavailable> {
    postpone_until(ports, record, announce::overdue_at(since, ports.clock.now())).await
}

async fn postpone_until(ports: &Ports, record: &Record, at: Timestamp) -> Result<(), Unavailable> {
    let mut later = record.clone();
    later.places.retain(|place| place.index != Index::Due);
    let later = layout::due(later, Some(at));
    match ports.records.commit(Commit::new().replace(later, record.version)).await {
        // Changed meanwhile: the step is not stuck.
        Ok(()) | Err(records::Error::Stale(_)) => Ok(()),
        Err(error) => Err(Unavailable::new("records", error)),
    }
}

async fn execution(
    ports: &Ports,
    record: &Record,
    swept: &mut Swept,
    starting: bool,
) -> Result<(), Unavailable> {
    let execution: Execution = decode(record)?;
    let announcement = match execution.status {
        // Its run has not begun, or was not told yet that it is cancelled.
        ExecutionStatus::Running | ExecutionStatus::Canceling if execution.workflow.is_some() => {
            if execution.status == ExecutionStatus::Canceling {
                workflow::control::cancel(ports, &execution).await?;
            }
            Some(Announcement::Run(workflow::repair::first(execution.id)))
        }
        ExecutionStatus::Running if execution.waits_for().is_some() => {
            Announcement::waiting(&execution)
        }
        ExecutionStatus::Running | ExecutionStatus::Canceling => {
            let now = ports.clock.now();
            let dead = execution.claim.as_ref().is_none_or(|claim| is_dead(ports, claim, now));
            if !dead {
                let deadline = execution.claim.as_ref().map_or(now, |claim| claim.deadline);
                return if starting {
                    Ok(())
                } else {
                    postpone_until(ports, record, deadline).await
                };
            }
            return give_up(ports, &execution, swept).await;
        }
        ExecutionStatus::Requested | ExecutionStatus::Scheduling => {
            Some(Announcement::requested(&execution))
        }
        _ => Announcement::next(&execution),
    };
    let Some(announcement) = announcement else { return Ok(()) };
    // Nobody waits behind a slow step at the start: announce, and leave the time as it is.
    if !starting {
        postpone(ports, record, execution.created).await?;
    }
    swept.announced += 1;
    announce::send(ports, [announcement]).await
}

/// Whether the worker that holds a claim cannot come back.
fn is_dead(ports: &Ports, claim: &Claim, now: Timestamp) -> bool {
    claim.deadline <= now || (ports.sole_worker && *claim.worker != *ports.worker)
}

/// The worker died: run again if the policy says so, else abandon. An action is never silently run twice.
async fn give_up(ports: &Ports, found: &Execution, swept: &mut Swept) -> Result<(), Unavailable> {
    let mut attempts = Attempts::default();
    loop {
        let Some(Versioned { mut body, version, .. }) =
            load::execution_versioned(ports, found.id).await?
        else {
            return Ok(());
        };
        if body.claim != found.claim || body.status.is_terminal() {
            return Ok(());
        }
        let now = ports.clock.now();
        let again = body.status == ExecutionStatus::Running && may_run_again(ports, &body).await?;
        let claim = body.claim.take();
        // What it asked, nobody is interested in any more; another attempt asks anew.
        let commit = inquiry::withdraw(ports, Commit::new(), &mut body, now).await?;
        if again {
            body.status = ExecutionStatus::Scheduled;
            body.attempt += 1;
            body.asked = None;
        } else {
            body.result = Some(abandoned(&body, claim.as_ref(), now).into());
            body.status = ExecutionStatus::Abandoned;
        }
        body.updated = now;
        let record = layout::execution_record(&body, subject::due(&body, now));
        match ports.records.commit(commit.replace(record, version)).await {
            Ok(()) => {
                if again {
                    swept.rescheduled += 1;
                } else {
                    swept.abandoned += 1;
                    tracing::warn!(execution = %body.id, action = %body.action_ref, "abandoned: its worker died");
                }
                return announce::send(ports, Announcement::next(&body)).await;
            }
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

/// Running again does no harm, or the policy allows one more attempt.
async fn may_run_again(ports: &Ports, execution: &Execution) -> Result<bool, Unavailable> {
    if execution.attempt < execution.max_attempts {
        return Ok(true);
    }
    let Some(runtime) = execution.runtime else { return Ok(false) };
    let action = crate::definitions::action(ports, &execution.action_ref).await?;
    Ok(action.is_some_and(|prepared| ports.runner.is_pure(runtime, &prepared.action.entrypoint)))
}

fn abandoned(execution: &Execution, claim: Option<&Claim>, now: Timestamp) -> serde_json::Value {
    json!({
        "succeeded": false,
        "error": "The worker that ran this execution died before it recorded an outcome",
        "abandoned_by": "execution_timeout_monitor",
        "original_status": execution.status,
        "worker": {"name": claim.map(|claim| claim.worker.as_str())},
        "reconciled_at": now,
    })
}
