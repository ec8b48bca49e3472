//! A lane: the slots and the line of one policy, or of one group within it.

use super::bucket::Bucket;
use super::ticket::{Ticket, Waiter};
use crate::Timestamp;
use crate::id::{ExecutionId, PolicyId};
use crate::policy::{Method, Terms};
use crate::runtime::Runtime;
use chrono::Duration;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Name of a lane: its policy, and the group of parameter values where the policy groups.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneKey(String);

impl LaneKey {
    /// The lane of a policy, or of one group in it.
    #[must_use]
    pub fn of(policy: PolicyId, group: Option<&str>) -> Self {
        Self(group.map_or_else(|| policy.to_string(), |group| format!("{policy}:{group}")))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The lane record. Its slots and tickets are records of their own; it only counts them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Its name.
    pub key: LaneKey,
    /// Its policy.
    pub policy: PolicyId,
    /// What the policy demands, as of `terms_of`.
    pub terms: Terms,
    /// When the policy last changed, as the lane knows it.
    pub terms_of: Timestamp,
    /// Slots taken.
    pub running: u32,
    /// Tickets out.
    pub waiting: u32,
    /// Number of the next ticket.
    pub next_ticket: u64,
    /// Slots granted so far: the start order.
    pub granted: u64,
    /// Tokens of the rate limit.
    pub bucket: Option<Bucket>,
    /// When somebody should look whether a waiting one may go.
    pub wake_at: Option<Timestamp>,
    /// Executions that came, refused ones not counted.
    pub total_enqueued: u64,
    /// Executions that left their slot.
    pub total_completed: u64,
    /// When it last changed.
    pub updated: Timestamp,
}

/// Whether a lane can grant a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// It can.
    Free,
    /// All slots are taken: the next completion tells.
    Full,
    /// It can from that moment on, as far as is known now.
    At(Timestamp),
}

/// What a lane says to one who comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It has the slot that was the lane's n-th grant.
    Admitted(u64),
    /// It waits for a completion.
    Waiting(Waiter),
    /// It waits for a token: look again then.
    Throttled(Waiter, Timestamp),
    /// It may not run.
    Refused(Refusal),
}

/// Why a lane refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No slot, and the policy cancels.
    #[error("Concurrency limit of {limit} reached and the policy cancels what exceeds it")]
    Busy {
        /// The limit.
        limit: u32,
    },
    /// No token, and the policy cancels.
    #[error("Rate limit of {limit} per {seconds} s reached and the policy cancels what exceeds it")]
    Throttled {
        /// Tokens per period.
        limit: u32,
        /// The period.
        seconds: u32,
    },
    /// As many wait as may wait.
    #[error("Queue is full: {0} executions are waiting")]
    QueueFull(u32),
}

/// Who comes to a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The execution.
    pub execution: ExecutionId,
    /// Its urgency.
    pub priority: u8,
    /// What it will run on.
    pub runtime: Runtime,
}

impl Lane {
    /// An empty lane.
    #[must_use]
    pub fn new(
        key: LaneKey,
        policy: PolicyId,
        terms: Terms,
        of: Timestamp,
        now: Timestamp,
    ) -> Self {
        let bucket = terms.rate.as_ref().map(|rate| Bucket::full(rate, now));
        Self {
            key,
            policy,
            terms,
            terms_of: of,
            running: 0,
            waiting: 0,
            next_ticket: 1,
            granted: 0,
            bucket,
            wake_at: None,
            total_enqueued: 0,
            total_completed: 0,
            updated: now,
        }
    }

    /// Takes over what the policy demands now. Who runs goes on; who waits is looked at by `wake`.
    pub fn adopt(&mut self, terms: &Terms, of: Timestamp, now: Timestamp) {
        if self.terms.rate != terms.rate {
            self.bucket = terms.rate.as_ref().map(|rate| Bucket::full(rate, now));
        }
        self.terms = terms.clone();
        self.terms_of = of;
    }

    /// Whether one more slot can be granted at `now`.
    #[must_use]
    pub fn capacity(&self, now: Timestamp) -> Capacity {
        if !self.terms.hold(now) {
            return Capacity::Free;
        }
        if self.terms.limit.is_some_and(|limit| self.running >= limit) {
            // A window that closes frees everybody, completion or not.
            return self.terms.next_change(now).map_or(Capacity::Full, Capacity::At);
        }
        match (&self.terms.rate, self.bucket) {
            (Some(rate), Some(mut bucket)) => {
                bucket.refill(rate, now);
                bucket.ready_at(rate).map_or(Capacity::Free, Capacity::At)
            }
            _ => Capacity::Free,
        }
    }

    /// Answers one who comes, and counts them in. Those who wait go before those who come.
    pub fn admit(&mut self, arrival: Arrival, now: Timestamp) -> Admission {
        let capacity = self.capacity(now);
        if self.waiting == 0 && capacity == Capacity::Free {
            self.total_enqueued += 1;
            return Admission::Admitted(self.grant(now));
        }
        if let Some(refusal) = self.refusal(capacity) {
            return Admission::Refused(refusal);
        }
        let ticket = Ticket { priority: arrival.priority.min(9), number: self.next_ticket };
        self.next_ticket += 1;
        self.waiting += 1;
        self.total_enqueued += 1;
        self.updated = now;
        let waiter = Waiter {
            execution: arrival.execution,
            ticket,
            runtime: arrival.runtime,
            since: now,
            until: self.terms.wait_timeout_seconds.map(|seconds| {
                now + Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX).min(1 << 40))
            }),
        };
        match capacity {
            Capacity::Full => Admission::Waiting(waiter),
            // Others wait although there is room: they are due, and this one behind them.
            Capacity::Free => self.throttle(waiter, now),
            Capacity::At(at) => self.throttle(waiter, at),
        }
    }

    fn throttle(&mut self, waiter: Waiter, at: Timestamp) -> Admission {
        let at = self.wake_at.map_or(at, |known| known.min(at));
        self.wake_at = Some(at);
        Admission::Throttled(waiter, at)
    }

    fn refusal(&self, capacity: Capacity) -> Option<Refusal> {
        if self.terms.method == Method::Cancel && capacity != Capacity::Free {
            let busy = self.terms.limit.filter(|limit| self.running >= *limit);
            return Some(match (busy, self.terms.rate) {
                (None, Some(rate)) => {
                    Refusal::Throttled { limit: rate.limit, seconds: rate.per_seconds }
                }
                (limit, _) => Refusal::Busy { limit: limit.unwrap_or(self.running) },
            });
        }
        let full = self.terms.max_waiting.is_some_and(|most| self.waiting >= most);
        full.then_some(Refusal::QueueFull(self.waiting))
    }

    /// Grants a slot to one who waited.
    ///
    /// The caller has seen [`Capacity::Free`] and holds the lowest ticket.
    pub fn grant_waiting(&mut self, now: Timestamp) -> u64 {
        self.waiting = self.waiting.saturating_sub(1);
        self.grant(now)
    }

    fn grant(&mut self, now: Timestamp) -> u64 {
        if let (Some(rate), Some(bucket)) = (&self.terms.rate, &mut self.bucket) {
            bucket.refill(rate, now);
            if self.terms.windows.is_empty() || self.terms.hold(now) {
                bucket.take();
            }
        }
        self.running += 1;
        self.granted += 1;
        self.updated = now;
        self.granted
    }

    /// Takes back a slot.
    pub fn release(&mut self, now: Timestamp) {
        self.running = self.running.saturating_sub(1);
        self.total_completed += 1;
        self.updated = now;
    }

    /// Forgets one who waited and will not go: cancelled, or waited too long.
    pub fn leave(&mut self, now: Timestamp) {
        self.waiting = self.waiting.saturating_sub(1);
        self.updated = now;
    }

    /// Sets when to look again: with nobody waiting, never.
    pub fn settle(&mut self, now: Timestamp) {
        self.wake_at = match self.capacity(now) {
            _ if self.waiting == 0 => None,
            Capacity::Free => Some(now),
            Capacity::Full => None,
            Capacity::At(at) => Some(at),
        };
    }
}
