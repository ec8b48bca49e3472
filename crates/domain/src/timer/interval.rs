//! Ticks at a fixed distance.

use super::{Error, Missed, field};
use crate::Timestamp;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::num::NonZeroU32;

/// A hundred years: more is a mistake, and it keeps the arithmetic within every type used.
const LONGEST_SECONDS: i64 = 100 * 366 * 86_400;

/// Units that people write, in seconds.
const UNITS: [(&str, i64); 4] =
    [("seconds", 1), ("minutes", 60), ("hours", 3_600), ("days", 86_400)];

/// A tick every so many seconds, on a grid that starts at the moment of enabling.
///
/// The first tick comes one interval after that moment. Ticks are computed from the moment and not
/// from each other, so they do not drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    seconds: NonZeroU32,
}

impl Interval {
    /// Reads `{"interval":10,"unit":"minutes"}` or `{"minutes":10}`.
    pub(super) fn parse(params: &Map<String, Value>) -> Result<Self, Error> {
        let range = 1..=LONGEST_SECONDS;
        let (field, seconds) = match field::integer(params, "interval", range.clone())? {
            Some(interval) => ("interval", interval.checked_mul(unit(params)?)),
            None => {
                let mut given =
                    UNITS.iter().filter(|(name, _)| field::value(params, name).is_some());
                let (name, length) = given.next().ok_or(Error::missing("interval"))?;
                if let Some((second, _)) = given.next() {
                    return Err(Error::invalid(second, format!("cannot stand beside '{name}'")));
                }
                let number =
                    field::integer(params, name, range)?.ok_or(Error::missing("interval"))?;
                (*name, number.checked_mul(*length))
            }
        };
        seconds
            .filter(|seconds| *seconds <= LONGEST_SECONDS)
            .and_then(|seconds| u32::try_from(seconds).ok())
            .and_then(NonZeroU32::new)
            .map(|seconds| Self { seconds })
            .ok_or_else(|| Error::invalid(field, "must not exceed a hundred years"))
    }

    /// Distance between two ticks, in seconds.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.seconds.get()
    }

    /// How many ticks lie after `anchor`, up to and including `moment`.
    fn ticks_until(&self, anchor: Timestamp, moment: Timestamp) -> i64 {
        // Whole seconds suffice: the distance is one, so the fraction never decides.
        moment.signed_duration_since(anchor).num_seconds().max(0) / i64::from(self.seconds())
    }

    fn tick(&self, anchor: Timestamp, number: i64) -> Option<Timestamp> {
        let distance = number.checked_mul(i64::from(self.seconds()))?;
        anchor.checked_add_signed(TimeDelta::try_seconds(distance)?)
    }

    pub(super) fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        self.tick(anchor, self.ticks_until(anchor, after) + 1)
    }

    pub(super) fn ordinal(&self, anchor: Timestamp, tick: Timestamp) -> u64 {
        u64::try_from(self.ticks_until(anchor, tick)).unwrap_or(0)
    }

    pub(super) fn missed(
        &self,
        anchor: Timestamp,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<Missed> {
        let latest = self.ticks_until(anchor, now);
        let missed = u64::try_from(latest - self.ticks_until(anchor, since)).ok()?;
        if missed == 0 {
            return None;
        }
        Some(Missed { tick: self.tick(anchor, latest)?, missed_count: missed })
    }
}

/// The seconds in one `unit`; seconds where none is named.
fn unit(params: &Map<String, Value>) -> Result<i64, Error> {
    let Some(name) = field::text(params, "unit")? else { return Ok(1) };
    UNITS.iter().find(|(unit, _)| *unit == name).map(|(_, seconds)| *seconds).ok_or_else(|| {
        Error::invalid("unit", format!("must be seconds, minutes, hours or days, not '{name}'"))
    })
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {} s", self.seconds)
    }
}
