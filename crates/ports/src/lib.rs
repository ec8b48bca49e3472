//! What the journey needs from outside, named after the need and not after a service.
//!
//! [`Records`] keeps what is known, in all-or-nothing conditional commits. [`Queues`] carries the
//! messages between steps. [`Orchestrator`] has the steps of workflows taken. [`Schedules`] says when timers tick,
//! [`CloudEvents`] which events of the cloud are a trigger's. [`Blobs`] and [`Logs`] hold what is too large for a record,
//! [`PackFiles`] what packs bring along, [`Vault`] what must stay secret, [`Feed`] tells what changed, [`Runner`] runs an
//! action, and [`Clock`] and [`Ids`] give time and names. Each has an implementation on SQLite and files
//! (`crates/local`) and one on AWS; [`Ports`] bundles whichever a deployment uses. A port models only
//! errors that any implementation could have.

pub mod blobs;
mod clock;
mod cloud_events;
mod feed;
mod logs;
mod memo;
pub mod orchestrator;
mod pack_files;
pub mod queues;
pub mod records;
pub mod runner;
mod schedules;
pub mod tokens;
mod vault;

pub use blobs::Blobs;
pub use clock::{Clock, Ids};
pub use cloud_events::{CloudEvents, Subscription};
pub use feed::{Change, Feed, FeedCursor, Image, Lagged};
pub use logs::{LogStream, Logs};
pub use memo::Memo;
pub use orchestrator::Orchestrator;
pub use pack_files::{PackFiles, Staging};
pub use queues::{Delivery, Outgoing, Queue, Queues};
pub use records::{Commit, Key, Query, Record, Records};
pub use runner::Runner;
pub use schedules::{Schedule, Schedules, Tick};
pub use tokens::Tokens;
pub use vault::Vault;

use std::sync::Arc;

/// A port could not do what was asked; trying again later may help.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what} is unavailable: {why}")]
pub struct Unavailable {
    /// Which port.
    pub what: &'static str,
    /// What it said.
    pub why: String,
}

impl Unavailable {
    /// Wraps whatever a port's technology reported.
    pub fn new(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self { what, why: why.to_string() }
    }
}

/// Everything that the journey needs, as one deployment provides it.
#[derive(Clone)]
pub struct Ports {
    /// What is known.
    pub records: Arc<dyn Records>,
    /// Messages between steps.
    pub queues: Arc<dyn Queues>,
    /// Steps of workflows.
    pub orchestrator: Arc<dyn Orchestrator>,
    /// When timers tick.
    pub schedules: Arc<dyn Schedules>,
    /// Events of the cloud.
    pub cloud_events: Arc<dyn CloudEvents>,
    /// Large values.
    pub blobs: Arc<dyn Blobs>,
    /// Output of actions.
    pub logs: Arc<dyn Logs>,
    /// Files of packs.
    pub pack_files: Arc<dyn PackFiles>,
    /// Secrets.
    pub vault: Arc<dyn Vault>,
    /// Runs actions.
    pub runner: Arc<dyn Runner>,
    /// Makes the tokens of actions; `None`, actions get none.
    pub tokens: Option<Arc<dyn Tokens>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Fresh ids.
    pub ids: Arc<dyn Ids>,
    /// What this process remembers of definitions.
    pub memo: Arc<Memo>,
    /// Name of this process or function, for claims.
    pub worker: Arc<str>,
    /// Whether this is the only worker there can be, so that a claim of any other is a dead one's.
    pub sole_worker: bool,
}
