//! A clock that can be set forward.

use attune_domain::Timestamp;
use attune_ports::Clock;
use chrono::{TimeDelta, Utc};
use std::sync::atomic::{AtomicI64, Ordering};

/// The system's time and what it was set forward by.
#[derive(Default)]
pub(super) struct Shifted {
    micros: AtomicI64,
}

impl Shifted {
    pub(super) fn forward(&self, by: TimeDelta) {
        let micros = by.num_microseconds().expect("less than an age");
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        let now = Utc::now() + TimeDelta::microseconds(self.micros.load(Ordering::SeqCst));
        // As precise as records keep it.
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}
