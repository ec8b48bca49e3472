//! What an execution holds in a lane: a ticket while it waits, a slot while it runs.

use crate::Timestamp;
use crate::id::ExecutionId;
use crate::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A place in line. Lower goes first: by priority, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ticket {
    /// 0 goes first, 9 last.
    pub priority: u8,
    /// Counts up within the lane.
    pub number: u64,
}

impl fmt::Display for Ticket {
    /// Text that sorts as tickets do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016}", self.priority.min(9), self.number)
    }
}

/// The record of a ticket: who waits, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Who waits.
    pub execution: ExecutionId,
    /// Its place.
    pub ticket: Ticket,
    /// What it will run on.
    pub runtime: Runtime,
    /// Since when.
    pub since: Timestamp,
    /// Until when at most.
    pub until: Option<Timestamp>,
}
