//! Timers on EventBridge Scheduler: one schedule for each timer that it can express, and plans for the rest.
//!
//! A timer that Scheduler can [express](expression) has a schedule of its own, which fires `ingest-event` with all
//! that a tick's event needs. The ticks of any other timer are [planned](plan) as delayed messages on the queue of
//! ticks: every minute, by one schedule that exists while there is such a timer; or, where the next tick is far
//! away, when a one-time schedule looks at it, link after link. A schedule that is set has its first two minutes
//! planned so in any case, as Scheduler needs a while to notice a new one.
//!
//! Ticks have an identity, so everything here may happen twice: what a tick says is sent before it is noted as
//! sent. New schedules are made before the record names them, old ones removed before the record forgets
//! them. A crash in between leaves a record that is missing, old or overdue; [`Schedules::list`] then does not name
//! the wanted generation, and whoever compares sets or removes the schedule again.

mod clockwork;
mod entry;
pub mod expression;
pub mod plan;
mod service;
mod stored;
#[cfg(test)]
mod tests;

pub use entry::{Entry, Input};

use crate::{Clients, Timers};
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_ports::records::{self, Commit};
use attune_ports::{Clock, Records, Schedule, Schedules, Tick, Unavailable};
use chrono::TimeDelta;
use plan::{Next, Plan, Progress};
use service::Service;
use std::collections::BTreeMap;
use std::sync::Arc;
use stored::{Course, Stored, Versioned, failed};

/// A plan or link that is late by so much is taken for lost.
const LOST: TimeDelta = TimeDelta::minutes(5);
/// Listed as the generation of a schedule whose plan or link is lost: no timer has it.
const OVERDUE: i64 = 0;
/// Attempts to change a record that others change, too.
const ATTEMPTS: usize = 8;

/// Timers on EventBridge Scheduler.
pub struct EventBridgeSchedules {
    records: Arc<dyn Records>,
    clock: Arc<dyn Clock>,
    service: Arc<dyn Service>,
}

impl EventBridgeSchedules {
    /// Schedules of a stack; without `timers`, whatever would set one is refused. Nothing is read or connected.
    #[must_use]
    pub fn new(
        records: Arc<dyn Records>,
        clock: Arc<dyn Clock>,
        clients: Arc<Clients>,
        timers: Option<Timers>,
    ) -> Self {
        Self { records, clock, service: Arc::new(service::Aws { clients, timers }) }
    }

    /// Sends the ticks that come soon and makes what brings the later ones; answers what that is.
    async fn start(
        &self,
        schedule: &Schedule,
        progress: Progress,
    ) -> Result<(Course, Progress), Unavailable> {
        let now = self.clock.now();
        let Plan { ticks, progress, next } = plan::plan(schedule, progress, now);
        self.service.send(&ticks, now).await?;
        if let Some(own) = entry::own(schedule, progress.until, now) {
            self.service.create(&own).await?;
            return Ok((Course::Own, progress));
        }
        let course = match next {
            Next::Minute => Course::Minute,
            Next::Over => Course::Over,
            Next::At(at) => {
                self.service.create(&Entry::link(schedule, at)).await?;
                Course::Link { at, progress }
            }
        };
        Ok((course, progress))
    }

    /// Starts a schedule in place of `before` and stores that; `false`, somebody else was faster.
    async fn replace(
        &self,
        before: Option<&Versioned<Stored>>,
        schedule: &Schedule,
        progress: Progress,
    ) -> Result<bool, Unavailable> {
        let (course, progress) = self.start(schedule, progress).await?;
        let stored = Stored { schedule: schedule.clone(), course };
        let made = entry_of(&stored);
        if let Some(old) = before.and_then(|before| entry_of(&before.value))
            && made.as_ref() != Some(&old)
        {
            self.service.delete(&old).await?;
        }
        let version = before.map_or(0, |before| before.version);
        if !self.commit(stored::put(Commit::new(), &stored, progress, version)).await? {
            // What was made stays only where the record names it.
            let now = stored::load(&*self.records, &schedule.name).await?;
            if let Some(made) = made
                && now.and_then(|now| entry_of(&now.value)).as_ref() != Some(&made)
            {
                self.service.delete(&made).await?;
            }
            return Ok(false);
        }
        if course == Course::Minute {
            // After the commit: the plan removes this where it finds nothing to plan, then looks again.
            self.service.create(&Entry::minute()).await?;
        }
        Ok(true)
    }

    /// Commits; `false`, something has changed since it was read.
    async fn commit(&self, commit: Commit) -> Result<bool, Unavailable> {
        match self.records.commit(commit).await {
            Ok(()) => Ok(true),
            Err(records::Error::Stale(_)) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// What carries a timer has no use for this tick: where no record names the schedule that it came from, a crash
    /// left that behind, and it is removed.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be removed; the next tick tries again.
    pub async fn unwanted(&self, tick: &Tick) -> Result<(), Unavailable> {
        let own = entry::name_of(&tick.name, tick.generation, None);
        let stored = stored::load(&*self.records, &tick.name).await?;
        if stored.and_then(|stored| entry_of(&stored.value)).as_ref() == Some(&own) {
            return Ok(());
        }
        self.service.delete(&own).await
    }

    /// How far a schedule was planned whose plan or link got lost; `None`, it is well.
    async fn lost(&self, stored: &Stored) -> Result<Option<Progress>, Unavailable> {
        let before = self.clock.now() - LOST;
        let anchor = stored.schedule.timer.anchor;
        Ok(match stored.course {
            Course::Own | Course::Over => None,
            Course::Link { at, progress } => Some(progress).filter(|_| at < before),
            Course::Minute => match stored::rider(&*self.records, &stored.schedule.name).await? {
                Some(rider) => {
                    Some(rider.value.progress).filter(|progress| progress.until < before)
                }
                None => Some(Progress { until: anchor, count: 0 }),
            },
        })
    }
}

/// Name of the schedule that a record stands for in EventBridge Scheduler.
fn entry_of(stored: &Stored) -> Option<String> {
    let link = match stored.course {
        Course::Own => None,
        Course::Link { at, .. } => Some(at),
        Course::Minute | Course::Over => return None,
    };
    let schedule = &stored.schedule;
    Some(entry::name_of(&schedule.name, schedule.timer.generation, link))
}

fn contended(name: &str) -> Unavailable {
    failed(format!("too many change {name} at the same time"))
}

#[async_trait]
impl Schedules for EventBridgeSchedules {
    async fn set(&self, schedule: Schedule) -> Result<(), Unavailable> {
        let fresh = Progress { until: schedule.timer.anchor, count: 0 };
        for _ in 0..ATTEMPTS {
            let before = stored::load(&*self.records, &schedule.name).await?;
            let mut progress = fresh;
            if let Some(before) = &before {
                let (known, wanted) =
                    (before.value.schedule.timer.generation, schedule.timer.generation);
                if known > wanted {
                    return Ok(());
                }
                if known == wanted {
                    match self.lost(&before.value).await? {
                        None => return Ok(()),
                        Some(lost) => progress = lost,
                    }
                }
            }
            if self.replace(before.as_ref(), &schedule, progress).await? {
                return Ok(());
            }
        }
        Err(contended(&schedule.name))
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        for _ in 0..ATTEMPTS {
            let Some(before) = stored::load(&*self.records, name).await? else { return Ok(()) };
            if let Some(entry) = entry_of(&before.value) {
                self.service.delete(&entry).await?;
            }
            if self.commit(stored::delete(Commit::new(), name, before.version)).await? {
                return Ok(());
            }
        }
        Err(contended(name))
    }

    async fn list(&self) -> Result<Vec<(String, i64)>, Unavailable> {
        let before: Timestamp = self.clock.now() - LOST;
        let riders = stored::riders(&*self.records).await?;
        let planned: BTreeMap<String, Timestamp> = riders
            .into_iter()
            .map(|rider| (rider.value.schedule.name, rider.value.progress.until))
            .collect();
        let mut found = Vec::new();
        for stored in stored::schedules(&*self.records).await? {
            let Stored { schedule, course } = stored.value;
            let well = match course {
                Course::Own | Course::Over => true,
                Course::Link { at, .. } => at >= before,
                Course::Minute => planned.get(&schedule.name).is_some_and(|until| *until >= before),
            };
            found.push((schedule.name, if well { schedule.timer.generation } else { OVERDUE }));
        }
        Ok(found)
    }
}
