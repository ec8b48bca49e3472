//! A token bucket.

use crate::Timestamp;
use crate::policy::Rate;
use chrono::Duration;
use serde::{Deserialize, Serialize};

/// How many grants are in store, and since when that number holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    tokens: f64,
    refilled_at: Timestamp,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn full(rate: &Rate, now: Timestamp) -> Self {
        Self { tokens: rate.capacity(), refilled_at: now }
    }

    /// Adds what came back since the last refill. A clock that went backwards adds nothing.
    pub fn refill(&mut self, rate: &Rate, now: Timestamp) {
        let elapsed = now.signed_duration_since(self.refilled_at);
        if elapsed > Duration::zero() {
            let seconds = elapsed.num_microseconds().map_or(f64::MAX, |us| us as f64 / 1e6);
            self.tokens = (self.tokens + seconds * rate.per_second()).min(rate.capacity());
            self.refilled_at = now;
        }
        self.tokens = self.tokens.min(rate.capacity());
    }

    /// When the next token is there: `None`, now.
    #[must_use]
    pub fn ready_at(&self, rate: &Rate) -> Option<Timestamp> {
        // The sliver absorbs rounding: ten refills of a tenth make one token.
        if self.tokens >= 1.0 - 1e-6 {
            return None;
        }
        let micros = ((1.0 - self.tokens) / rate.per_second().max(1e-12) * 1e6).ceil();
        let wait = Duration::microseconds(micros.min(1e15) as i64).max(Duration::milliseconds(1));
        Some(self.refilled_at + wait)
    }

    /// Takes one token.
    pub fn take(&mut self) {
        self.tokens = (self.tokens - 1.0).max(0.0);
    }
}
