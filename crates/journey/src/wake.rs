//! Wake: time has passed or a policy has changed; perhaps somebody in line may go.

use crate::announce::{self, Announcement};
use crate::retry::{Attempts, Portion};
use crate::{definitions, layout, line, load};
use attune_domain::admission::{Capacity, LaneKey};
use attune_domain::policy::{Policy, Terms};
use attune_ports::records::Commit;
use attune_ports::{Ports, Unavailable};
use std::time::Duration;

/// Looks at a lane under the policy's present terms, and serves at most a commit's worth of its line.
///
/// # Errors
/// [`Unavailable`] where something does not answer; the message is to come again.
pub async fn handle(ports: &Ports, key: &LaneKey) -> Result<(), Unavailable> {
    let mut attempts = Attempts::default();
    let mut portion = Portion::of(line::AT_ONCE);
    loop {
        let Some(loaded) = load::lane(ports, key).await? else { return Ok(()) };
        let (mut lane, before) = (loaded.body.clone(), loaded.body);
        let now = ports.clock.now();
        let policies = definitions::policies(ports).await?;
        match policies.iter().find(|policy| policy.id == lane.policy) {
            Some(Policy { enabled: true, terms, updated, .. }) => {
                if lane.terms_of != *updated {
                    lane.adopt(terms, *updated, now);
                }
            }
            // Nothing is demanded any more: everybody may go.
            Some(Policy { enabled: false, updated, .. }) => {
                lane.adopt(&Terms::default(), *updated, now);
            }
            None => lane.adopt(&Terms::default(), lane.terms_of, now),
        }
        let (commit, served) =
            line::serve(ports, &mut lane, Commit::new(), portion.most(), now).await?;
        let mut announcements = served.announcements;
        if lane.waiting > 0 && lane.capacity(now) == Capacity::Free {
            announcements.push(Announcement::wake(key, Duration::ZERO));
        } else if let Some(at) = lane.wake_at.filter(|at| *at <= now + announce::FAR) {
            announcements.push(Announcement::wake(key, (at - now).to_std().unwrap_or_default()));
        }
        if lane == before && commit.writes.is_empty() {
            return announce::send(ports, announcements).await;
        }
        let commit = commit.replace(layout::lane_record(&lane), loaded.version);
        match ports.records.commit(commit).await {
            Ok(()) => return announce::send(ports, announcements).await,
            Err(error) if portion.halve(portion.most(), &error) => {}
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

/// Sends a wake to every lane of a policy: to be called after the policy changed.
///
/// # Errors
/// [`Unavailable`] where something does not answer.
pub async fn lanes_of(
    ports: &Ports,
    policy: attune_domain::id::PolicyId,
) -> Result<(), Unavailable> {
    // The index must know the lanes that were made a moment ago.
    ports.records.settle().await?;
    let mut after = None;
    loop {
        let query = attune_ports::Query::index(
            attune_ports::records::Index::Of,
            layout::lanes_of_policy(policy),
            100,
        )
        .after(after);
        let page = ports.records.query(&query).await?;
        let lanes = page.records.iter().filter_map(|record| {
            let lane: attune_domain::admission::Lane = record.decode().ok()?;
            Some(Announcement::wake(&lane.key, Duration::ZERO))
        });
        announce::send(ports, lanes.collect::<Vec<_>>()).await?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
