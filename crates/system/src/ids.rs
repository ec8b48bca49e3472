//! Ids from the time of day.

use attune_domain::id;
use attune_ports::Ids;
use rand::Rng;
use std::sync::atomic::{AtomicI64, Ordering};

/// Ids from the time of day and a sequence; never twice in one process, and larger each time.
pub struct SystemIds {
    last: AtomicI64,
    is_alone: bool,
}

impl SystemIds {
    /// For the only process that draws ids: each millisecond's sequence starts at 0.
    #[must_use]
    pub const fn alone() -> Self {
        Self { last: AtomicI64::new(0), is_alone: true }
    }

    /// For one of many processes: sequences start anywhere, so that two processes seldom draw the same. Who
    /// stores a record under an id that is taken draws again.
    #[must_use]
    pub const fn among_others() -> Self {
        Self { last: AtomicI64::new(0), is_alone: false }
    }
}

impl Ids for SystemIds {
    fn next(&self) -> i64 {
        let sequence = if self.is_alone { 0 } else { rand::random() };
        let fresh = id::compose(chrono::Utc::now().timestamp_millis(), sequence);
        let last = self
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(fresh.max(last + 1)));
        fresh.max(last.unwrap_or_else(|last| last) + 1)
    }

    fn random(&self, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        rand::rng().fill_bytes(&mut buffer);
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_never_repeat_even_within_a_millisecond() {
        for ids in [SystemIds::alone(), SystemIds::among_others()] {
            let drawn: Vec<i64> = (0..20_000).map(|_| ids.next()).collect();
            assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
