//! The system's clock and ids that count up.

use attune_domain::{Timestamp, id};
use attune_ports::{Clock, Ids};
use rand::Rng;
use std::sync::atomic::{AtomicI64, Ordering};

/// The system's clock, to the microsecond, as records keep it.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = chrono::Utc::now();
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}

/// Ids from the time of day and a sequence; never twice in one process, and larger each time.
#[derive(Default)]
pub(crate) struct SequentialIds {
    last: AtomicI64,
}

impl Ids for SequentialIds {
    fn next(&self) -> i64 {
        let fresh = id::compose(chrono::Utc::now().timestamp_millis(), 0);
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
        let ids = SequentialIds::default();
        let drawn: Vec<i64> = (0..20_000).map(|_| ids.next()).collect();
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
