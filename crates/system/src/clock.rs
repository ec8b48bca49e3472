//! The system's clock.

use attune_domain::Timestamp;
use attune_ports::Clock;

/// The system's clock, to the microsecond, as records keep it.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = chrono::Utc::now();
        Timestamp::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }
}
