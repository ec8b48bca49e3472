//! One tick.

use super::{Error, field};
use crate::Timestamp;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A single tick, at a moment that lies after the moment of enabling, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneShot {
    fire_at: Timestamp,
}

impl OneShot {
    /// Reads `{"fire_at":"2030-01-31T09:00:00+01:00"}`. The offset is required.
    pub(super) fn parse(params: &Map<String, Value>) -> Result<Self, Error> {
        let text = field::text(params, "fire_at")?.ok_or(Error::missing("fire_at"))?;
        let fire_at = DateTime::parse_from_rfc3339(text).map_err(|_| {
            let form = "must be an RFC 3339 time with an offset, such as 2030-01-31T09:00:00Z";
            Error::invalid("fire_at", format!("{form}, not '{text}'"))
        })?;
        Ok(Self { fire_at: fire_at.to_utc() })
    }

    /// The moment of the tick.
    #[must_use]
    pub fn fire_at(&self) -> Timestamp {
        self.fire_at
    }

    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        Some(self.fire_at).filter(|fire_at| *fire_at > after)
    }
}

impl fmt::Display for OneShot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "once at {}", self.fire_at.to_rfc3339())
    }
}
