//! Timers: what a rule, a sensor or a trigger writes to be woken, and every moment that follows.
//!
//! A [`TimerSpec`] is read once, from JSON, and checked completely there: what parses, ticks. From
//! then on it answers three questions: the first tick after a moment ([`TimerSpec::next_after`]),
//! what went by while nobody looked ([`TimerSpec::missed`]), and what the event of a tick says
//! ([`TimerSpec::payload`]). There is no clock here; the caller says what time it is.
//!
//! Cron and recurrence rules tick by the wall clock of their time zone. Where the clocks change, a
//! tick neither vanishes nor doubles: a local time that is skipped fires as long after the change as
//! it was meant to be (02:30 fires at 03:30), one that happens twice fires the first time only.
//! Timers that tick in every hour of the day follow real time instead, so that "every five minutes"
//! stays every five minutes through both changes.

mod calendar;
mod cron;
mod error;
mod field;
mod interval;
mod missed;
mod one_shot;
mod ordinal;
mod payload;
mod recurrence;
#[cfg(test)]
mod tests;
mod wall;

pub use calendar::{Calendar, Days};
pub use cron::Cron;
pub use error::Error;
pub use interval::Interval;
pub use missed::{MISSED_COUNT_LIMIT, Missed};
pub use one_shot::OneShot;
pub use payload::Firing;
pub use recurrence::{Frequency, Recurrence};

use crate::Timestamp;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// The kinds of timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every so many seconds.
    Interval,
    /// At the times a cron expression names.
    Cron,
    /// Once.
    OneShot,
    /// At the times an iCalendar recurrence rule names.
    Rrule,
}

impl Kind {
    /// The kind that a timer trigger's ref (`core.intervaltimer`) or a `type` word (`interval`)
    /// names; `None` for every other trigger and word.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "core.intervaltimer" | "interval" => Self::Interval,
            "core.crontimer" | "cron" => Self::Cron,
            "core.datetimetimer" | "one_shot" => Self::OneShot,
            "core.rruletimer" | "rrule" => Self::Rrule,
            _ => return None,
        })
    }

    /// The kind that a configuration names in its `type`, if it describes a timer at all.
    #[must_use]
    pub fn of_config(config: &Value) -> Option<Self> {
        config.get("type").and_then(Value::as_str).and_then(Self::of)
    }
}

/// When a timer ticks. Serialized with a `type` of `interval`, `cron`, `one_shot` or `rrule`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TimerSpec {
    /// On a grid that starts at the moment of enabling.
    Interval(Interval),
    /// At the times a cron expression names.
    Cron(Box<Cron>),
    /// Once.
    OneShot(OneShot),
    /// At the times an iCalendar recurrence rule names.
    Rrule(Box<Recurrence>),
}

impl TimerSpec {
    /// Reads and checks a timer. `name` is the ref of a timer trigger (`core.crontimer`) or a `type`
    /// word (`cron`), `params` the object that configures it.
    ///
    /// A moment that has passed is no error: such a timer never ticks.
    pub fn parse(name: &str, params: &Value) -> Result<Self, Error> {
        let kind = Kind::of(name).ok_or_else(|| Error::Kind(name.to_owned()))?;
        let params = params.as_object().ok_or(Error::NotAnObject)?;
        Ok(match kind {
            Kind::Interval => Self::Interval(Interval::parse(params)?),
            Kind::Cron => Self::Cron(Box::new(Cron::parse(params)?)),
            Kind::OneShot => Self::OneShot(OneShot::parse(params)?),
            Kind::Rrule => Self::Rrule(Box::new(Recurrence::parse(params)?)),
        })
    }

    /// Reads a timer whose configuration names its own kind: `{"type":"interval","seconds":10}`.
    pub fn parse_config(config: &Value) -> Result<Self, Error> {
        let name = match config.get("type") {
            Some(Value::String(name)) => name,
            Some(_) => return Err(Error::invalid("type", "must be a text")),
            None => return Err(Error::missing("type")),
        };
        Self::parse(name, config)
    }

    /// The kind of this timer.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Interval(_) => Kind::Interval,
            Self::Cron(_) => Kind::Cron,
            Self::OneShot(_) => Kind::OneShot,
            Self::Rrule(_) => Kind::Rrule,
        }
    }

    /// The first tick strictly after `after`, of a timer that was enabled at `anchor`; `None` when
    /// none is left. No tick lies at or before `anchor`.
    #[must_use]
    pub fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let after = after.max(anchor);
        match self {
            Self::Interval(interval) => interval.next_after(anchor, after),
            Self::Cron(cron) => cron.next_after(after),
            Self::OneShot(one_shot) => one_shot.next_after(after),
            Self::Rrule(recurrence) => recurrence.next_after(after),
        }
    }

    /// The last tick at or before `moment`, of a timer that was enabled at `anchor`.
    #[must_use]
    pub fn latest(&self, anchor: Timestamp, moment: Timestamp) -> Option<Timestamp> {
        // Looking back a little first finds it soon where ticks are dense.
        let back = [TimeDelta::hours(1), TimeDelta::days(1), TimeDelta::days(32)];
        let since = back.into_iter().map(|back| Some(moment - back)).chain([None]);
        since.flat_map(|since| self.missed(anchor, since, moment)).map(|missed| missed.tick).next()
    }

    /// The ticks that passed up to and including `now` without having fired, as one: the latest of
    /// them, and how many there were. `last` is the last tick that did fire.
    ///
    /// Quick however long the pause was: intervals are counted by division, the others one by one up
    /// to [`MISSED_COUNT_LIMIT`], from where the count stays and the latest tick is found by halving.
    #[must_use]
    pub fn missed(
        &self,
        anchor: Timestamp,
        last: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Missed> {
        let since = last.map_or(anchor, |last| last.max(anchor));
        match self {
            Self::Interval(interval) => interval.missed(anchor, since, now),
            Self::Cron(_) | Self::OneShot(_) | Self::Rrule(_) => {
                Missed::between(since, now, |after| self.next_after(anchor, after))
            }
        }
    }
}

/// One line for logs: `every 10 s`, `cron 0 30 2 * * * (Europe/Berlin)`.
impl fmt::Display for TimerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interval(interval) => interval.fmt(f),
            Self::Cron(cron) => cron.fmt(f),
            Self::OneShot(one_shot) => one_shot.fmt(f),
            Self::Rrule(recurrence) => recurrence.fmt(f),
        }
    }
}
