//! What a lane knows about its line.

use crate::{definitions, layout};
use attune_domain::Timestamp;
use attune_domain::admission::{Lane, Waiter};
use attune_domain::policy::Policy;
use attune_domain::reference::ComponentRef;
use attune_ports::records::{Index, Query};
use attune_ports::{Ports, Unavailable};

/// The lanes of an action's policy, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueStats {
    /// Who waits.
    pub queue_length: u64,
    /// Who holds a slot.
    pub active: u64,
    /// Slots at once, in each lane; `None`, any number.
    pub limit: Option<u32>,
    /// Since when the longest wait lasts.
    pub oldest: Option<Timestamp>,
    /// Who came so far.
    pub total_enqueued: u64,
    /// Who left so far.
    pub total_completed: u64,
    /// When that last changed.
    pub updated: Timestamp,
}

/// Reads the lanes that an action's executions go through; `None` where none has been admitted under a
/// policy yet.
///
/// # Errors
/// [`Unavailable`] where something does not answer.
pub async fn of(ports: &Ports, action: &ComponentRef) -> Result<Option<QueueStats>, Unavailable> {
    let policies = definitions::policies(ports).await?;
    let Some(policy) = Policy::in_force(&policies, action, None) else { return Ok(None) };
    // The index must know the lanes that were made a moment ago.
    ports.records.settle().await?;
    let mut stats: Option<QueueStats> = None;
    let mut after = None;
    loop {
        let partition = layout::lanes_of_policy(policy.id);
        let query = Query::index(Index::Of, partition, 100).after(after);
        let page = ports.records.query(&query).await?;
        for record in &page.records {
            // The index may be behind: the lane itself is right.
            let Some(record) = ports.records.get(&record.key).await? else { continue };
            let lane: Lane = record.decode().map_err(|e| Unavailable::new("records", e.source))?;
            let oldest = oldest(ports, &lane).await?;
            stats = Some(add(stats, &lane, oldest));
        }
        after = page.next;
        if after.is_none() {
            return Ok(stats);
        }
    }
}

fn add(stats: Option<QueueStats>, lane: &Lane, oldest: Option<Timestamp>) -> QueueStats {
    let sum = stats.unwrap_or(QueueStats {
        queue_length: 0,
        active: 0,
        limit: lane.terms.limit,
        oldest: None,
        total_enqueued: 0,
        total_completed: 0,
        updated: lane.updated,
    });
    QueueStats {
        queue_length: sum.queue_length + u64::from(lane.waiting),
        active: sum.active + u64::from(lane.running),
        limit: lane.terms.limit,
        oldest: [sum.oldest, oldest].into_iter().flatten().min(),
        total_enqueued: sum.total_enqueued + lane.total_enqueued,
        total_completed: sum.total_completed + lane.total_completed,
        updated: sum.updated.max(lane.updated),
    }
}

/// The longest wait: the first ticket of some priority.
async fn oldest(ports: &Ports, lane: &Lane) -> Result<Option<Timestamp>, Unavailable> {
    let mut oldest: Option<Timestamp> = None;
    if lane.waiting == 0 {
        return Ok(None);
    }
    for priority in 0..=9 {
        let query =
            Query::partition(format!("lane/{}", lane.key), 1).prefix(format!("ticket/{priority}."));
        for record in ports.records.query(&query).await?.records {
            let waiter: Waiter =
                record.decode().map_err(|e| Unavailable::new("records", e.source))?;
            oldest = Some(oldest.map_or(waiter.since, |known| known.min(waiter.since)));
        }
    }
    Ok(oldest)
}
