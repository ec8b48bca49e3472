//! A cron expression field by field, for a scheduler that writes it differently.

use super::cron::{Cron, locals, pattern};
use crate::Timestamp;
use chrono::{Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike};

/// What a cron timer that ticks on whole minutes names. All lists are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Minutes of an hour, 0 to 59.
    pub minutes: Vec<u32>,
    /// Hours of a day, 0 to 23.
    pub hours: Vec<u32>,
    /// Days.
    pub days: Days,
    /// Months, 1 to 12.
    pub months: Vec<u32>,
}

/// Which days of its months a cron timer ticks on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Days {
    /// All.
    Every,
    /// These days of the month, 1 to 31.
    OfMonth(Vec<u32>),
    /// These days of the week, Sunday being 0.
    OfWeek(Vec<u32>),
}

impl Cron {
    /// What the expression names, field by field; `None` where it ticks within minutes, restricts both
    /// kinds of days, or names days by more than their numbers (`L`, `W`, `#`).
    #[must_use]
    pub fn calendar(&self) -> Option<Calendar> {
        let fields: Vec<&str> = self.expression().split_whitespace().collect();
        let [second, minute, hour, day, month, weekday] = fields[..] else { return None };
        let start = NaiveDate::from_ymd_opt(2023, 1, 1)?.and_time(chrono::NaiveTime::MIN);
        // 2023 begins on a Sunday, and January has every day.
        let (minutes, hours) = (TimeDelta::hours(1), TimeDelta::days(1));
        let (week, days, months) = (TimeDelta::days(7), TimeDelta::days(31), TimeDelta::days(365));
        let alone = |text: String, span: TimeDelta, of: fn(&NaiveDateTime) -> u32| {
            let pattern = pattern(&text).ok()?;
            let found = locals(&pattern, start).take_while(|local| *local < start + span);
            Some(found.map(|local| of(&local)).collect::<Vec<_>>())
        };
        if alone(format!("{second} * * * * *"), TimeDelta::minutes(1), |at| at.second())? != [0] {
            return None;
        }
        let special = |field: &str| field.contains(['L', 'l', 'W', 'w', '#', '+']);
        let open = |field: &str| matches!(field, "*" | "?");
        let by_name = ["WED", "JUL"];
        let plain = |field: &str| {
            let upper = field.to_uppercase();
            !special(&by_name.iter().fold(upper, |text, name| text.replace(name, "")))
        };
        let days = match (open(day), open(weekday)) {
            (true, true) => Days::Every,
            (false, true) if plain(day) => {
                Days::OfMonth(alone(format!("0 0 0 {day} * *"), days, |at| at.day())?)
            }
            (true, false) if plain(weekday) => {
                let of_week = |at: &NaiveDateTime| at.weekday().num_days_from_sunday();
                Days::OfWeek(alone(format!("0 0 0 * * {weekday}"), week, of_week)?)
            }
            _ => return None,
        };
        Some(Calendar {
            minutes: alone(format!("0 {minute} * * * *"), minutes, |at| at.minute())?,
            hours: alone(format!("0 0 {hour} * * *"), hours, |at| at.hour())?,
            days,
            months: alone(format!("0 0 0 1 {month} *"), months, |at| at.month())?,
        })
    }

    /// Whether a change of its zone's clock, within ten years from `from`, skips or repeats a local time that
    /// it names. Such a tick is what schedulers disagree about.
    #[must_use]
    pub fn meets_change(&self, from: Timestamp) -> bool {
        self.changes(from, from + TimeDelta::days(3_653)).any(|(at, before, after)| {
            let shift = |seconds: i32| at.naive_utc() + TimeDelta::seconds(seconds.into());
            let (first, last) = (shift(before.min(after)), shift(before.max(after)));
            locals(self.pattern(), first).next().is_some_and(|local| local < last)
        })
    }

    /// Whether its ticks are the same in UTC: it ticks in every hour of every day, and its zone is whole hours
    /// apart from UTC for ten years from `from`.
    #[must_use]
    pub fn is_zoneless(&self, from: Timestamp) -> bool {
        let whole = |seconds: i32| seconds % 3_600 == 0;
        let until = from + TimeDelta::days(3_653);
        self.calendar().is_some_and(|calendar| {
            calendar.hours.len() == 24
                && calendar.months.len() == 12
                && calendar.days == Days::Every
        }) && whole(self.offset(from))
            && self.changes(from, until).all(|(_, _, after)| whole(after))
    }

    /// Seconds that the zone's clock is ahead of UTC.
    fn offset(&self, at: Timestamp) -> i32 {
        self.timezone().offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
    }

    /// The changes of the zone's clock between two moments, to the second, with the offsets before and after.
    pub(super) fn changes(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, i32, i32)> {
        let day = TimeDelta::days(1);
        let days = std::iter::successors(Some(from), move |at| at.checked_add_signed(day));
        days.take_while(move |at| *at < until).filter_map(move |start| {
            let end = start.checked_add_signed(day)?;
            let (before, after) = (self.offset(start), self.offset(end));
            if before == after {
                return None;
            }
            let (mut still, mut already) = (start, end);
            while already - still > TimeDelta::seconds(1) {
                let middle = still + (already - still) / 2;
                if self.offset(middle) == before { still = middle } else { already = middle }
            }
            // The change is on a whole second between the two.
            let at = chrono::SubsecRound::trunc_subsecs(already, 0);
            Some((at, before, after))
        })
    }
}
