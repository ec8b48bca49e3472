//! Reading a recurrence rule, from fields or from its iCalendar text.

use super::super::Error;
use super::super::field::{self, Moment};
use super::{ByDay, Frequency, Recurrence, walk};
use crate::Timestamp;
use chrono::{Datelike, NaiveDateTime, SubsecRound, TimeDelta, Timelike, Weekday};
use chrono_tz::Tz;
use serde_json::{Map, Value};
use std::num::NonZeroU32;

/// The most ticks that `count` may promise. They are enumerated when the rule is read.
const MOST_COUNTED: i64 = 10_000;

/// Steps that this enumeration may take; see [`super::SEARCH_STEPS`].
const COUNT_STEPS: u32 = 40_000_000;

/// The most times in one period that positions (`by_set_pos`) may choose from.
const MOST_TIMES_IN_SET: usize = 100_000;

/// Names of the parts in an iCalendar text, and of the fields that say the same.
const PARTS: [(&str, &str); 14] = [
    ("FREQ", "freq"),
    ("INTERVAL", "interval"),
    ("COUNT", "count"),
    ("UNTIL", "until"),
    ("WKST", "week_start"),
    ("BYMONTH", "by_month"),
    ("BYMONTHDAY", "by_month_day"),
    ("BYYEARDAY", "by_year_day"),
    ("BYWEEKNO", "by_week_no"),
    ("BYDAY", "by_day"),
    ("BYHOUR", "by_hour"),
    ("BYMINUTE", "by_minute"),
    ("BYSECOND", "by_second"),
    ("BYSETPOS", "by_set_pos"),
];

impl Recurrence {
    /// Reads `dtstart` (with an offset, or by the clock of `timezone`) and either the parts of the
    /// rule as fields or all of them as the text `rule`, which then decides alone.
    pub(in super::super) fn parse(params: &Map<String, Value>) -> Result<Self, Error> {
        let timezone = field::timezone(params)?;
        let start = field::text(params, "dtstart")?.ok_or(Error::missing("dtstart"))?;
        let start = moment("dtstart", start)?.local(timezone).trunc_subsecs(0);
        if !(1..=walk::LAST_YEAR).contains(&start.year()) {
            return Err(Error::invalid(
                "dtstart",
                format!("must lie before the year 10000, not at {start}"),
            ));
        }
        match field::text(params, "rule")? {
            None => Self::from_fields(params, start, timezone),
            Some(text) => {
                let named = |error: Error| Error::invalid("rule", error.to_string());
                Self::from_fields(&parts(text)?, start, timezone).map_err(named)
            }
        }
    }

    fn from_fields(
        params: &Map<String, Value>,
        start: NaiveDateTime,
        timezone: Tz,
    ) -> Result<Self, Error> {
        let interval = field::integer(params, "interval", 1..=1_000_000)?.unwrap_or(1);
        let interval = u32::try_from(interval).ok().and_then(NonZeroU32::new);
        let week_start = match field::text(params, "week_start")? {
            Some(name) => weekday("week_start", name)?,
            None => Weekday::Mon,
        };
        let mut rule = Self {
            start,
            timezone,
            freq: frequency(params)?,
            interval: interval.unwrap_or(NonZeroU32::MIN),
            week_start,
            ends: None,
            by_month: field::integers(params, "by_month", 1..=12)?,
            by_month_day: positions(params, "by_month_day", 31)?,
            by_year_day: positions(params, "by_year_day", 366)?,
            by_week_no: positions(params, "by_week_no", 53)?,
            by_day: by_day(params)?,
            by_hour: field::integers(params, "by_hour", 0..=23)?,
            by_minute: field::integers(params, "by_minute", 0..=59)?,
            by_second: field::integers(params, "by_second", 0..=59)?,
            by_set_pos: positions(params, "by_set_pos", 366)?,
        };
        rule.check_parts()?;
        rule.fill_from_start();
        rule.check_set()?;
        let first = rule.wall().moment(start).unwrap_or_else(|| start.and_utc());
        let before = first - TimeDelta::days(2);
        if rule.next_after(before).is_none() {
            return Err(Error::invalid("freq", "and the other parts name no time at all"));
        }
        rule.ends = rule.end(params, before)?;
        Ok(rule)
    }

    /// Parts that RFC 5545 does not allow together.
    fn check_parts(&self) -> Result<(), Error> {
        use Frequency::{Daily, Monthly, Weekly, Yearly};
        let counted = self.by_day.iter().any(|day| day.nth.is_some());
        let chosen_from = !self.by_month.is_empty()
            || !self.by_month_day.is_empty()
            || !self.by_year_day.is_empty()
            || !self.by_week_no.is_empty()
            || !self.by_day.is_empty()
            || !self.by_hour.is_empty()
            || !self.by_minute.is_empty()
            || !self.by_second.is_empty();
        let rules = [
            (
                !self.by_week_no.is_empty() && self.freq != Yearly,
                "by_week_no",
                "goes with freq yearly only",
            ),
            (
                !self.by_year_day.is_empty() && matches!(self.freq, Daily | Weekly | Monthly),
                "by_year_day",
                "does not go with freq daily, weekly or monthly",
            ),
            (
                !self.by_month_day.is_empty() && self.freq == Weekly,
                "by_month_day",
                "does not go with freq weekly",
            ),
            (
                counted && !matches!(self.freq, Monthly | Yearly),
                "by_day",
                "can count days ('2TU') with freq monthly and yearly only",
            ),
            (
                counted && !self.by_week_no.is_empty(),
                "by_day",
                "cannot count days ('2TU') beside by_week_no",
            ),
            (
                !self.by_set_pos.is_empty() && !chosen_from,
                "by_set_pos",
                "needs another by_ field to choose from",
            ),
        ];
        match rules.into_iter().find(|(broken, ..)| *broken) {
            Some((_, field, reason)) => Err(Error::invalid(field, reason)),
            None => Ok(()),
        }
    }

    /// What the rule leaves open is as in its start.
    fn fill_from_start(&mut self) {
        let start = self.start;
        let open = self.by_month_day.is_empty()
            && self.by_year_day.is_empty()
            && self.by_week_no.is_empty()
            && self.by_day.is_empty();
        if open {
            let day = i32::try_from(start.day()).unwrap_or(1);
            match self.freq {
                Frequency::Yearly => {
                    if self.by_month.is_empty() {
                        self.by_month.push(start.month());
                    }
                    self.by_month_day.push(day);
                }
                Frequency::Monthly => self.by_month_day.push(day),
                Frequency::Weekly => {
                    self.by_day.push(ByDay { nth: None, weekday: start.weekday() });
                }
                _ => {}
            }
        }
        let times = [
            (&mut self.by_hour, Frequency::Hourly, start.hour()),
            (&mut self.by_minute, Frequency::Minutely, start.minute()),
            (&mut self.by_second, Frequency::Secondly, start.second()),
        ];
        for (part, own, value) in times {
            if part.is_empty() && self.freq > own {
                part.push(value);
            }
        }
    }

    fn check_set(&self) -> Result<(), Error> {
        let days = match self.freq {
            Frequency::Yearly => 366,
            Frequency::Monthly => 31,
            Frequency::Weekly => 7,
            _ => 1,
        };
        let parts = [&self.by_hour, &self.by_minute, &self.by_second];
        let times = parts.iter().fold(days, |times, part| times * part.len().max(1));
        if !self.by_set_pos.is_empty() && times > MOST_TIMES_IN_SET {
            let reason = format!("chooses from more than {MOST_TIMES_IN_SET} times");
            return Err(Error::invalid("by_set_pos", reason));
        }
        Ok(())
    }

    /// The last possible tick, by `count` or `until`. `before` lies before the first.
    fn end(
        &self,
        params: &Map<String, Value>,
        before: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let count = field::integer(params, "count", 1..=MOST_COUNTED)?;
        let until = field::text(params, "until")?;
        match (count, until) {
            (Some(_), Some(_)) => Err(Error::invalid("until", "cannot stand beside 'count'")),
            (None, None) => Ok(None),
            (None, Some(text)) => Ok(Some(self.until(text)?)),
            (Some(count), None) => {
                let mut steps = COUNT_STEPS;
                let mut last = before;
                for _ in 0..count {
                    match self.search(last, &mut steps) {
                        Some(tick) => last = tick,
                        None if steps == 0 => {
                            return Err(Error::invalid("count", "is too far away; use 'until'"));
                        }
                        None => break,
                    }
                }
                Ok(Some(last))
            }
        }
    }

    /// The moment `until` names. A day includes all of itself.
    fn until(&self, text: &str) -> Result<Timestamp, Error> {
        let until = moment("until", text)?;
        if let Moment::Fixed(fixed) = until {
            return Ok(fixed);
        }
        let local = until.local(self.timezone);
        let local = match until {
            Moment::Day(_) => local + TimeDelta::seconds(86_399),
            _ => local,
        };
        self.wall()
            .moment(local)
            .ok_or_else(|| Error::invalid("until", format!("names no moment: '{text}'")))
    }
}

/// Takes `FREQ=DAILY;COUNT=3` apart, with or without `RRULE:` before it.
fn parts(text: &str) -> Result<Map<String, Value>, Error> {
    let text = match text.split_at_checked(6) {
        Some((name, rest)) if name.eq_ignore_ascii_case("RRULE:") => rest,
        _ => text,
    };
    let mut parts = Map::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let wrong = |reason: &str| Error::invalid("rule", format!("{reason}: '{}'", part.trim()));
        let (name, value) = part.split_once('=').ok_or_else(|| wrong("has a part without '='"))?;
        let (name, value) = (name.trim(), value.trim());
        let known = PARTS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let (_, field) = known.ok_or_else(|| wrong("has a part that is not known"))?;
        let read = match *field {
            "freq" | "until" | "week_start" => Value::from(value),
            "by_day" => value.split(',').map(Value::from).collect(),
            "interval" | "count" => number(value),
            _ => value.split(',').map(number).collect(),
        };
        if parts.insert((*field).to_owned(), read).is_some() {
            return Err(wrong("says twice"));
        }
    }
    Ok(parts)
}

/// A number where the text is one; what is none, its field refuses by name.
fn number(text: &str) -> Value {
    text.trim().parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

fn frequency(params: &Map<String, Value>) -> Result<Frequency, Error> {
    let text = field::text(params, "freq")?.ok_or(Error::missing("freq"))?;
    Ok(match text.to_ascii_lowercase().as_str() {
        "secondly" => Frequency::Secondly,
        "minutely" => Frequency::Minutely,
        "hourly" => Frequency::Hourly,
        "daily" => Frequency::Daily,
        "weekly" => Frequency::Weekly,
        "monthly" => Frequency::Monthly,
        "yearly" => Frequency::Yearly,
        _ => {
            let known = "must be secondly, minutely, hourly, daily, weekly, monthly or yearly";
            return Err(Error::invalid("freq", format!("{known}, not '{text}'")));
        }
    })
}

/// Numbers that count from 1, or from the end where negative.
fn positions(
    params: &Map<String, Value>,
    field: &'static str,
    most: i64,
) -> Result<Vec<i32>, Error> {
    let numbers = field::integers(params, field, -most..=most)?;
    if numbers.contains(&0) {
        return Err(Error::invalid(field, "counts from 1, or from -1 backwards; 0 is neither"));
    }
    Ok(numbers)
}

/// Days of the week: `"MO"`, `"2TU"`, `"-1FR"`, one, a list, or several in one text.
fn by_day(params: &Map<String, Value>) -> Result<Vec<ByDay>, Error> {
    let mut days = Vec::new();
    for value in field::list(params, "by_day") {
        let Value::String(text) = value else {
            let reason = format!("must hold days such as 'MO' or '2TU', not {value}");
            return Err(Error::invalid("by_day", reason));
        };
        for day in text.split(',').map(str::trim) {
            let wrong = || {
                Error::invalid(
                    "by_day",
                    format!("must hold days such as 'MO' or '2TU', not '{day}'"),
                )
            };
            let split = day.len().checked_sub(2).and_then(|at| day.split_at_checked(at));
            let (nth, name) = split.ok_or_else(wrong)?;
            let weekday = weekday("by_day", name).map_err(|_| wrong())?;
            let nth = match nth {
                "" => None,
                nth => Some(nth.parse().map_err(|_| wrong())?),
            };
            if nth.is_some_and(|nth: i32| nth == 0 || nth.abs() > 53) {
                return Err(wrong());
            }
            days.push(ByDay { nth, weekday });
        }
    }
    Ok(days)
}

fn weekday(field: &'static str, name: &str) -> Result<Weekday, Error> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => {
            let reason = format!("must be MO, TU, WE, TH, FR, SA or SU, not '{name}'");
            return Err(Error::invalid(field, reason));
        }
    })
}

fn moment(field: &'static str, text: &str) -> Result<Moment, Error> {
    Moment::read(text).ok_or_else(|| {
        let form = "must be a time such as 2030-01-31T09:00:00, with or without an offset";
        Error::invalid(field, format!("{form}, not '{text}'"))
    })
}
