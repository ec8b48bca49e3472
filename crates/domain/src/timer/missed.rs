//! What went by while nobody looked.

use crate::Timestamp;
use chrono::TimeDelta;

/// Up to here missed ticks of cron and recurrence rules are counted; a count of this many means
/// "at least".
pub const MISSED_COUNT_LIMIT: u64 = 1_000;

/// Ticks that should have fired and did not, as the one event that makes up for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The latest of them.
    pub tick: Timestamp,
    /// How many there were, that one included; at least 1.
    pub missed_count: u64,
}

impl Missed {
    /// Looks at the ticks after `since` up to and including `now`, which `next` enumerates. Ticks
    /// are a second or more apart.
    pub(super) fn between(
        since: Timestamp,
        now: Timestamp,
        next: impl Fn(Timestamp) -> Option<Timestamp>,
    ) -> Option<Self> {
        let due = |after| next(after).filter(|tick| *tick <= now);
        let mut tick = due(since)?;
        let mut missed_count = 1;
        while missed_count < MISSED_COUNT_LIMIT {
            match due(tick) {
                Some(later) => tick = later,
                None => return Some(Self { tick, missed_count }),
            }
            missed_count += 1;
        }
        // The latest lies between `tick`, which is one, and `quiet`, after which none is due.
        let mut quiet = now;
        while quiet - tick >= TimeDelta::seconds(1) {
            let middle = tick + (quiet - tick) / 2;
            match due(middle) {
                Some(later) => tick = later,
                None => quiet = middle,
            }
        }
        Some(Self { tick, missed_count })
    }
}
