//! Schedules as records, and a clockwork that delivers their ticks.

use crate::records::LocalRecords;
use crate::store::Store;
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_ports::records::{Commit, Kind, Query};
use attune_ports::{Key, Record, Records, Schedule, Schedules, Tick, Unavailable};
use chrono::Utc;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

const PARTITION: &str = "schedule";
/// The clockwork looks at the clock at least so often, in case somebody sets it.
const LOOK: Duration = Duration::from_secs(30);
/// Pause after a tick that could not be delivered.
const RETRY: Duration = Duration::from_secs(1);

/// A schedule as stored: with how far it has ticked.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    schedule: Schedule,
    last: Option<Timestamp>,
    count: u64,
}

/// Takes a tick; the tick comes again until it is taken.
#[async_trait]
pub trait Sink: Send + Sync {
    /// Stores the tick's event.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not; the tick comes again.
    async fn tick(&self, tick: &Tick) -> Result<(), Unavailable>;
}

#[derive(Default)]
struct Plan {
    schedules: HashMap<String, Stored>,
    due: BTreeSet<(Timestamp, String)>,
}

impl Plan {
    fn put(&mut self, stored: Stored, now: Timestamp) {
        let name = stored.schedule.name.clone();
        self.forget(&name);
        if let Some(at) = next(&stored, now) {
            self.due.insert((at, name.clone()));
        }
        self.schedules.insert(name, stored);
    }

    /// Whether a schedule of that name and at least that generation is there.
    fn knows(&self, stored: &Stored) -> bool {
        self.schedules.get(&stored.schedule.name).is_some_and(|known| {
            known.schedule.timer.generation >= stored.schedule.timer.generation
        })
    }

    fn forget(&mut self, name: &str) {
        if self.schedules.remove(name).is_some() {
            self.due.retain(|(_, due)| due != name);
        }
    }
}

/// When a schedule is due: at once where it missed a tick while nothing ran.
fn next(stored: &Stored, now: Timestamp) -> Option<Timestamp> {
    let timer = &stored.schedule.timer;
    if let Some(missed) = timer.spec.missed(timer.anchor, stored.last, now) {
        return Some(missed.tick);
    }
    timer.spec.next_after(timer.anchor, stored.last.map_or(now, |last| last.max(now)))
}

pub(crate) struct LocalSchedules {
    records: LocalRecords,
    plan: Mutex<Plan>,
    news: Notify,
}

impl LocalSchedules {
    pub(crate) fn open(store: &Store, catch_up: bool) -> Result<Self, crate::Error> {
        let records = LocalRecords::new(store.clone());
        let mut plan = Plan::default();
        let query = Query::partition(PARTITION, usize::MAX / 2);
        let now = Utc::now();
        let page = store.state().query_partition(PARTITION, &query, now);
        for record in page.map(|page| page.records).unwrap_or_default() {
            match record.decode::<Stored>() {
                Ok(mut stored) => {
                    if !catch_up {
                        stored.last = Some(now);
                    }
                    plan.put(stored, now);
                }
                Err(error) => tracing::error!(%error, "a schedule is left out"),
            }
        }
        Ok(Self { records, plan: Mutex::new(plan), news: Notify::new() })
    }

    async fn store(&self, stored: &Stored) -> Result<(), Unavailable> {
        let key = Key::new(PARTITION, &*stored.schedule.name);
        let commit = Commit::new().put(Record::new(Kind::Schedule, key, stored));
        self.records.commit(commit).await.map_err(|e| Unavailable::new("schedules", e))
    }

    /// The tick that is due now, or when the next one is.
    fn due(&self, now: Timestamp) -> Result<Tick, Option<Timestamp>> {
        let mut plan = self.plan.lock();
        let Some((at, name)) = plan.due.first().cloned() else { return Err(None) };
        if at > now {
            return Err(Some(at));
        }
        let Some(stored) = plan.schedules.get(&name) else {
            plan.due.pop_first();
            return Err(Some(now));
        };
        let timer = &stored.schedule.timer;
        let missed = timer.spec.missed(timer.anchor, stored.last, now);
        Ok(Tick {
            name,
            generation: timer.generation,
            scheduled_at: missed.as_ref().map_or(at, |missed| missed.tick),
            // The tick that fires now is not missed.
            missed: missed.map_or(0, |missed| missed.missed_count.saturating_sub(1)),
            count: stored.count + 1,
        })
    }

    async fn done(&self, tick: &Tick) -> Result<(), Unavailable> {
        let stored = {
            let mut plan = self.plan.lock();
            let Some(stored) = plan.schedules.get(&tick.name).cloned() else { return Ok(()) };
            if stored.schedule.timer.generation != tick.generation {
                return Ok(());
            }
            let stored = Stored { last: Some(tick.scheduled_at), count: tick.count, ..stored };
            plan.put(stored.clone(), Utc::now());
            stored
        };
        self.store(&stored).await
    }
}

#[async_trait]
impl Schedules for LocalSchedules {
    async fn set(&self, schedule: Schedule) -> Result<(), Unavailable> {
        let stored = Stored { schedule, last: None, count: 0 };
        if self.plan.lock().knows(&stored) {
            return Ok(());
        }
        // Stored first: what the plan has, a restart has, too.
        self.store(&stored).await?;
        let mut plan = self.plan.lock();
        if !plan.knows(&stored) {
            plan.put(stored, Utc::now());
        }
        drop(plan);
        self.news.notify_one();
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), Unavailable> {
        self.plan.lock().forget(name);
        let commit =
            Commit::new().delete(Key::new(PARTITION, name), attune_ports::records::Expect::Any);
        self.records.commit(commit).await.map_err(|e| Unavailable::new("schedules", e))
    }

    async fn list(&self) -> Result<Vec<(String, i64)>, Unavailable> {
        let plan = self.plan.lock();
        Ok(plan
            .schedules
            .iter()
            .map(|(name, stored)| (name.clone(), stored.schedule.timer.generation))
            .collect())
    }
}

/// Delivers ticks while it runs.
#[derive(Clone)]
pub struct Ticker {
    schedules: Arc<LocalSchedules>,
}

impl Ticker {
    pub(crate) fn new(schedules: Arc<LocalSchedules>) -> Self {
        Self { schedules }
    }

    /// Delivers every tick to `sink` as it comes due; ends only by being dropped.
    pub async fn run(&self, sink: &dyn Sink) {
        loop {
            let now = Utc::now();
            match self.schedules.due(now) {
                Ok(tick) => {
                    let delivered = async {
                        sink.tick(&tick).await?;
                        self.schedules.done(&tick).await
                    };
                    if let Err(error) = delivered.await {
                        tracing::warn!(%error, timer = tick.name, "a tick could not be delivered");
                        tokio::time::sleep(RETRY).await;
                    }
                }
                Err(at) => {
                    let until =
                        at.map_or(LOOK, |at| (at - now).to_std().unwrap_or_default().min(LOOK));
                    let _ = tokio::time::timeout(until, self.schedules.news.notified()).await;
                }
            }
        }
    }
}
