//! When timers tick.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_domain::catalogue::Timer;
use serde::{Deserialize, Serialize};

/// A timer that is to tick, by the name of what carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Kind and ref of the carrier: `rule/core.timer_10s_echo`.
    pub name: String,
    /// When it ticks.
    pub timer: Timer,
}

/// One tick of a timer. Its identity is (name, generation, tick): delivering it twice is harmless.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tick {
    /// Which timer.
    pub name: String,
    /// Of which setting; an older one than the carrier's is dropped.
    pub generation: i64,
    /// The moment it was due.
    pub scheduled_at: Timestamp,
    /// How many ticks before it went by unfired, while nothing ran.
    pub missed: u64,
    /// Which tick of this setting, counting from 1.
    pub count: u64,
}

/// Keeps a schedule for each enabled timer and delivers its ticks to `ingest`.
#[async_trait]
pub trait Schedules: Send + Sync {
    /// Makes the schedule exist with this setting, replacing an older generation of it.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be stored.
    async fn set(&self, schedule: Schedule) -> Result<(), Unavailable>;

    /// Makes the schedule not exist; removing nothing succeeds.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be removed.
    async fn remove(&self, name: &str) -> Result<(), Unavailable>;

    /// Names of all schedules with their generations, for repairs.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be listed.
    async fn list(&self) -> Result<Vec<(String, i64)>, Unavailable>;
}
