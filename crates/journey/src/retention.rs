//! Retention: what is old enough goes, with its logs and blobs.

use crate::{layout, load, workflow};
use attune_domain::enforcement::Enforcement;
use attune_domain::event::Event;
use attune_domain::execution::Execution;
use attune_domain::id;
use attune_domain::payload::Payload;
use attune_ports::records::{Commit, Expect, Index, Kind, Query};
use attune_ports::{Ports, Record, Unavailable, records};
use chrono::TimeDelta;
use std::time::Duration;

/// Records looked at in one go.
const PAGE: usize = 90;

/// How long what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Events and enforcements.
    pub events: Duration,
    /// Executions that are over.
    pub executions: Duration,
}

/// Removes what is past its retention, `most` records of each kind at most; answers how many went.
///
/// # Errors
/// [`Unavailable`] where something does not answer; the next call goes on.
pub async fn apply(
    ports: &Ports,
    retention: &Retention,
    most: usize,
) -> Result<usize, Unavailable> {
    let mut removed = 0;
    for (kind, keep) in [
        (Kind::Execution, retention.executions),
        (Kind::Enforcement, retention.events),
        (Kind::Event, retention.events),
    ] {
        removed += remove_old(ports, kind, keep, most).await?;
    }
    Ok(removed)
}

async fn remove_old(
    ports: &Ports,
    kind: Kind,
    keep: Duration,
    most: usize,
) -> Result<usize, Unavailable> {
    let keep = TimeDelta::from_std(keep).unwrap_or(TimeDelta::MAX);
    let Some(cutoff) = ports.clock.now().checked_sub_signed(keep) else { return Ok(0) };
    // Ids are times: the oldest come first, and the first young one ends the search.
    let until = layout::sort_of(id::compose(cutoff.timestamp_millis(), 0));
    let mut removed = 0;
    let mut after = None;
    while removed < most {
        let query =
            Query::index(Index::List, kind.as_str(), PAGE).after(after).until(until.clone());
        let page = ports.records.query(&query).await?;
        for record in page.records {
            removed += usize::from(remove(ports, record).await?);
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(removed)
}

/// Removes one record, unless it is still at work.
async fn remove(ports: &Ports, record: Record) -> Result<bool, Unavailable> {
    if record.places.iter().any(|place| place.index == Index::Due) {
        return Ok(false);
    }
    let decode_error = |error: records::Unreadable| Unavailable::new("records", error.source);
    let mut commit = Commit::new();
    let payloads = match record.kind {
        Kind::Execution => {
            let execution: Execution = record.decode().map_err(decode_error)?;
            if !execution.status.is_terminal() {
                return Ok(false);
            }
            ports.logs.delete(execution.id).await?;
            if execution.workflow.is_some() {
                workflow::forget::run(ports, execution.id).await?;
            }
            if let Some(asked) = execution.asked {
                commit = commit.delete(layout::inquiry(asked.inquiry), Expect::Any);
            }
            let shared = match execution.enforcement {
                Some(enforcement) => load::enforcement(ports, enforcement).await?.is_some(),
                None => false,
            };
            vec![execution.config.filter(|_| !shared), execution.result]
        }
        Kind::Enforcement => {
            let enforcement: Enforcement = record.decode().map_err(decode_error)?;
            // Its execution has the same parameters, in the same blob: the last one takes it along.
            let shared = match enforcement.execution {
                Some(execution) => load::execution(ports, execution).await?.is_some(),
                None => false,
            };
            vec![enforcement.config.filter(|_| !shared)]
        }
        Kind::Event => vec![record.decode::<Event>().map_err(decode_error)?.payload],
        _ => return Ok(false),
    };
    for payload in payloads.into_iter().flatten() {
        if let Payload::Blob { name, .. } = payload {
            ports.blobs.delete(&name).await?;
        }
    }
    let commit = commit.delete(record.key, Expect::Version(record.version));
    match ports.records.commit(commit).await {
        Ok(()) => Ok(true),
        Err(records::Error::Stale(_)) => Ok(false),
        Err(error) => Err(Unavailable::new("records", error)),
    }
}
