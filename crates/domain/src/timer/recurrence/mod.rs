//! Ticks at the times an iCalendar recurrence rule (RFC 5545, section 3.3.10) names.
//!
//! A rule cuts the time since its start into *periods* of its frequency, takes every so many of them
//! (its interval), and names days and times within each. [`day`] decides about days, [`walk`] goes
//! through the periods, from any moment on and not from the start: what a rule of a million past
//! ticks does next is computed as fast as what a young one does.

mod day;
mod parse;
mod walk;

use super::wall::Wall;
use crate::Timestamp;
use chrono::{NaiveDateTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU32;

/// Length of a rule's periods. Ordered from the shortest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    /// A second.
    Secondly,
    /// A minute.
    Minutely,
    /// An hour.
    Hourly,
    /// A day.
    Daily,
    /// A week, from the rule's first day of the week.
    Weekly,
    /// A calendar month.
    Monthly,
    /// A calendar year.
    Yearly,
}

/// A day of the week: every one, or the n-th of a month or year (negative: from its end).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ByDay {
    nth: Option<i32>,
    weekday: Weekday,
}

/// A recurrence rule with its start and time zone. What the rule leaves open was filled in from the
/// start when it was read; `COUNT` became the moment of the last tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recurrence {
    /// The first possible tick, by the clock of `timezone`.
    start: NaiveDateTime,
    timezone: Tz,
    freq: Frequency,
    interval: NonZeroU32,
    week_start: Weekday,
    /// The last possible tick.
    ends: Option<Timestamp>,
    by_month: Vec<u32>,
    by_month_day: Vec<i32>,
    by_year_day: Vec<i32>,
    by_week_no: Vec<i32>,
    by_day: Vec<ByDay>,
    by_hour: Vec<u32>,
    by_minute: Vec<u32>,
    by_second: Vec<u32>,
    by_set_pos: Vec<i32>,
}

/// Steps that the search for one tick may take: enough for the sparsest sensible rule (29 February
/// on a Monday comes every 28 years), and a bound for senseless ones.
const SEARCH_STEPS: u32 = 500_000;

impl Recurrence {
    /// Length of its periods.
    #[must_use]
    pub fn frequency(&self) -> Frequency {
        self.freq
    }

    /// Whose wall clock it reads.
    #[must_use]
    pub fn timezone(&self) -> Tz {
        self.timezone
    }

    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let mut steps = SEARCH_STEPS;
        self.search(after, &mut steps)
    }

    /// The first tick after `after`, unless `steps` run out before.
    fn search(&self, after: Timestamp, steps: &mut u32) -> Option<Timestamp> {
        if self.ends.is_some_and(|ends| after >= ends) {
            return None;
        }
        let tick = self.wall().first_after(after, |from| walk::Walk::new(self, from, steps))?;
        Some(tick).filter(|tick| self.ends.is_none_or(|ends| *tick <= ends))
    }

    fn wall(&self) -> Wall {
        let hourly = if self.freq < Frequency::Daily {
            let distance = i64::from(self.interval.get()) * self.freq.fixed_length().num_seconds();
            distance <= 3_600 && (self.by_hour.is_empty() || self.by_hour.len() == 24)
        } else {
            self.by_hour.len() == 24
        };
        Wall { zone: self.timezone, hourly }
    }
}

impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let freq = format!("{:?}", self.freq).to_lowercase();
        let (start, zone) = (self.start, self.timezone);
        write!(f, "rrule {freq}/{} from {start} ({zone})", self.interval)?;
        self.ends.map_or(Ok(()), |ends| write!(f, " until {}", ends.to_rfc3339()))
    }
}
