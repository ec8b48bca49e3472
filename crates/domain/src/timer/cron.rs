//! Ticks at the times a cron expression names.

use super::wall::Wall;
use super::{Error, field};
use crate::Timestamp;
use chrono::{NaiveDateTime, SubsecRound};
use chrono_tz::Tz;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A cron expression of six fields (second, minute, hour, day of month, month, day of week; Sunday
/// is 0) and the time zone whose wall clock it reads.
///
/// Where both days are restricted, either suffices, as in every cron.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Cron {
    written: Written,
    pattern: croner::Cron,
    /// Whether it ticks in every hour of the day.
    hourly: bool,
}

/// The two texts a cron timer is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Written {
    expression: String,
    timezone: Tz,
}

impl Cron {
    /// Reads `{"expression":"0 30 2 * * MON-FRI","timezone":"Europe/Berlin"}`. An expression of five
    /// fields has no seconds and gets `0`.
    pub(super) fn parse(params: &Map<String, Value>) -> Result<Self, Error> {
        let expression = field::text(params, "expression")?.ok_or(Error::missing("expression"))?;
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let expression = match fields.len() {
            5 => format!("0 {}", fields.join(" ")),
            6 => fields.join(" "),
            other => {
                let reason = format!("must have six fields, seconds first, not {other}");
                return Err(Error::invalid("expression", reason));
            }
        };
        Self::try_from(Written { expression, timezone: field::timezone(params)? })
    }

    /// Six fields, seconds first.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.written.expression
    }

    /// Whose wall clock it reads.
    #[must_use]
    pub fn timezone(&self) -> Tz {
        self.written.timezone
    }

    pub(super) fn pattern(&self) -> &croner::Cron {
        &self.pattern
    }

    pub(super) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let wall = Wall { zone: self.written.timezone, hourly: self.hourly };
        wall.first_after(after, |from| locals(&self.pattern, from))
    }
}

pub(super) fn pattern(expression: &str) -> Result<croner::Cron, CronError> {
    CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Disallowed)
        .build()
        .parse(expression)
}

/// The fields of an expression, and what may stand in each beside `*`, lists, ranges and steps.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31 or L"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day of the week", "0 to 7 or SUN to SAT"),
];

/// Which field of an expression that cannot be read is at fault. The parser does not tell: so each field is
/// tried with `*` for the others.
fn fault(expression: &str) -> Option<String> {
    let written = expression.split_whitespace();
    FIELDS.iter().zip(written).enumerate().find_map(|(place, ((name, range), written))| {
        let mut alone = ["*"; FIELDS.len()];
        alone[place] = written;
        let bad = pattern(&alone.join(" ")).is_err();
        bad.then(|| format!("has the {name} '{written}': expected {range}"))
    })
}

/// The local times that match, from `from` on. The pattern is searched as if in UTC, where clocks
/// never change: the changes are [`Wall`]'s business, the same for cron and recurrence rules.
pub(super) fn locals(
    pattern: &croner::Cron,
    from: NaiveDateTime,
) -> impl Iterator<Item = NaiveDateTime> {
    let next = |after: &NaiveDateTime, inclusive| {
        let found = pattern.find_next_occurrence(&after.and_utc(), inclusive);
        found.ok().map(|found| found.naive_utc())
    };
    std::iter::successors(next(&from.trunc_subsecs(0), true), move |last| next(last, false))
}

impl TryFrom<Written> for Cron {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        let pattern = pattern(&written.expression).map_err(|error| {
            let reason = fault(&written.expression)
                .unwrap_or_else(|| format!("is no cron expression: {error}"));
            Error::invalid("expression", reason)
        })?;
        if locals(&pattern, Timestamp::UNIX_EPOCH.naive_utc()).next().is_none() {
            return Err(Error::invalid("expression", "names a date that does not exist"));
        }
        let hourly = (0..24).all(|hour| pattern.pattern.hour_match(hour).unwrap_or(false));
        Ok(Self { written, pattern, hourly })
    }
}

impl From<Cron> for Written {
    fn from(cron: Cron) -> Self {
        cron.written
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cron {} ({})", self.written.expression, self.written.timezone)
    }
}
