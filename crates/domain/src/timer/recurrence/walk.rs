//! Going through the periods of a rule.

use super::day::week_begin;
use super::{Frequency, Recurrence};
use chrono::{
    Datelike, Days, DurationRound, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike,
};
use std::collections::VecDeque;

/// Rules are not followed beyond this year; nor does chrono print later ones as RFC 3339.
pub(super) const LAST_YEAR: i32 = 9_999;

impl Recurrence {
    /// The beginning of the `index`-th period that the rule takes, the one of its start being 0.
    fn period(&self, index: u64) -> Option<NaiveDateTime> {
        let steps = index.checked_mul(u64::from(self.interval.get()))?;
        let date = self.start.date();
        let begin = match self.freq {
            Frequency::Yearly => {
                let year = date.year().checked_add(i32::try_from(steps).ok()?)?;
                NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN)
            }
            Frequency::Monthly => {
                let months = Months::new(u32::try_from(steps).ok()?);
                date.with_day(1)?.checked_add_months(months)?.and_time(NaiveTime::MIN)
            }
            Frequency::Weekly => week_begin(date, self.week_start)
                .checked_add_days(Days::new(steps.checked_mul(7)?))?
                .and_time(NaiveTime::MIN),
            _ => {
                let length = self.freq.fixed_length();
                let first = self.start.duration_trunc(length).ok()?;
                let seconds = i64::try_from(steps).ok()?.checked_mul(length.num_seconds())?;
                first.checked_add_signed(TimeDelta::try_seconds(seconds)?)?
            }
        };
        (begin.year() <= LAST_YEAR).then_some(begin)
    }

    /// The last period that begins at or before `local`; the first where none does.
    fn period_at(&self, local: NaiveDateTime) -> u64 {
        let (start, date) = (self.start.date(), local.date());
        let steps = match self.freq {
            Frequency::Yearly => i64::from(date.year() - start.year()),
            Frequency::Monthly => {
                let years = i64::from(date.year() - start.year());
                years * 12 + i64::from(date.month()) - i64::from(start.month())
            }
            Frequency::Weekly => {
                (date - week_begin(start, self.week_start)).num_days().div_euclid(7)
            }
            _ => {
                let length = self.freq.fixed_length();
                let first = self.start.duration_trunc(length).unwrap_or(self.start);
                (local - first).num_seconds().div_euclid(length.num_seconds())
            }
        };
        u64::try_from(steps).unwrap_or(0) / u64::from(self.interval.get())
    }

    /// Where to go on if no time of the period at `begin` can be meant: periods within a day pass
    /// days, hours and minutes that the rule does not name as a whole.
    fn skip(&self, begin: NaiveDateTime) -> Option<NaiveDateTime> {
        let names = |part: &[u32], value: u32| part.is_empty() || part.contains(&value);
        let unit = if self.freq >= Frequency::Daily {
            return None;
        } else if !self.accepts(begin.date()) {
            TimeDelta::days(1)
        } else if !names(&self.by_hour, begin.hour()) {
            TimeDelta::hours(1)
        } else if self.freq <= Frequency::Minutely && !names(&self.by_minute, begin.minute()) {
            TimeDelta::minutes(1)
        } else if self.freq == Frequency::Secondly && !names(&self.by_second, begin.second()) {
            TimeDelta::seconds(1)
        } else {
            return None;
        };
        begin.duration_trunc(unit).ok()?.checked_add_signed(unit)
    }

    /// The day to look at after `date`: months that the rule does not name are passed as a whole.
    fn day_after(&self, date: NaiveDate) -> Option<NaiveDate> {
        let next = date.succ_opt()?;
        if self.by_month.is_empty() || self.by_month.contains(&next.month()) {
            return Some(next);
        }
        next.with_day(1)?.checked_add_months(Months::new(1))
    }

    /// The times on `date` that the period at `begin` has, in order.
    fn times(&self, date: NaiveDate, begin: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> {
        let part = |named: &[u32], fixed: bool, own: u32| {
            if fixed { vec![own] } else { named.to_vec() }
        };
        let hours = part(&self.by_hour, self.freq <= Frequency::Hourly, begin.hour());
        let minutes = part(&self.by_minute, self.freq <= Frequency::Minutely, begin.minute());
        let seconds = part(&self.by_second, self.freq == Frequency::Secondly, begin.second());
        hours.into_iter().flat_map(move |hour| {
            let (minutes, seconds) = (minutes.clone(), seconds.clone());
            minutes.into_iter().flat_map(move |minute| {
                let at = move |second| date.and_hms_opt(hour, minute, second);
                seconds.clone().into_iter().filter_map(at)
            })
        })
    }
}

impl Frequency {
    /// Length of the periods up to a day.
    pub(super) fn fixed_length(self) -> TimeDelta {
        match self {
            Self::Secondly => TimeDelta::seconds(1),
            Self::Minutely => TimeDelta::minutes(1),
            Self::Hourly => TimeDelta::hours(1),
            _ => TimeDelta::days(1),
        }
    }

    /// The day after the last of the period that begins on `date`.
    fn end(self, date: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Yearly => date.checked_add_months(Months::new(12)),
            Self::Monthly => date.checked_add_months(Months::new(1)),
            Self::Weekly => date.checked_add_days(Days::new(7)),
            _ => date.succ_opt(),
        }
    }
}

/// The local times a rule names, in order, from a given one on.
pub(super) struct Walk<'a> {
    rule: &'a Recurrence,
    /// Times before this one are left out.
    from: NaiveDateTime,
    /// The period to look at after the current one.
    next: u64,
    /// The beginning of the current period, the day in it to look at, and the day after its last.
    begin: NaiveDateTime,
    day: NaiveDate,
    end: NaiveDate,
    found: VecDeque<NaiveDateTime>,
    steps: &'a mut u32,
}

impl<'a> Walk<'a> {
    /// Starts at `from`, or at the rule's start if that is later. Every day, time and period looked
    /// at takes one of `steps`; without steps the walk ends.
    pub(super) fn new(rule: &'a Recurrence, from: NaiveDateTime, steps: &'a mut u32) -> Self {
        let from = from.max(rule.start);
        let (next, begin, day) = (rule.period_at(from), from, from.date());
        Self { rule, from, next, begin, day, end: day, found: VecDeque::new(), steps }
    }

    fn step(&mut self) -> Option<()> {
        *self.steps = self.steps.checked_sub(1)?;
        Some(())
    }

    /// Goes to the next period that may name a time.
    fn enter(&mut self) -> Option<()> {
        let begin = self.rule.period(self.next)?;
        if let Some(later) = self.rule.skip(begin) {
            let index = self.rule.period_at(later);
            let begins_late = self.rule.period(index)? >= later;
            self.next = self.next.max(if begins_late { index } else { index + 1 });
            return Some(());
        }
        self.next += 1;
        self.begin = begin;
        self.day = begin.date();
        self.end = self.rule.freq.end(self.day)?;
        if self.rule.by_set_pos.is_empty() {
            self.day = self.day.max(self.from.date());
            return Some(());
        }
        let mut all = Vec::new();
        while self.day < self.end {
            self.step()?;
            if self.rule.accepts(self.day) {
                all.extend(self.rule.times(self.day, begin));
            }
            self.day = self.rule.day_after(self.day)?;
        }
        let mut chosen: Vec<NaiveDateTime> = Vec::new();
        for position in &self.rule.by_set_pos {
            let distance = usize::try_from(position.unsigned_abs()).ok()?;
            let index = match *position > 0 {
                true => distance.checked_sub(1),
                false => all.len().checked_sub(distance),
            };
            chosen.extend(index.and_then(|index| all.get(index)));
        }
        chosen.sort_unstable();
        chosen.dedup();
        self.found.extend(chosen.into_iter().filter(|time| *time >= self.from));
        Some(())
    }
}

impl Iterator for Walk<'_> {
    type Item = NaiveDateTime;

    fn next(&mut self) -> Option<NaiveDateTime> {
        loop {
            self.step()?;
            if let Some(found) = self.found.pop_front() {
                return Some(found);
            }
            if self.day < self.end {
                if self.rule.accepts(self.day) {
                    let times = self.rule.times(self.day, self.begin);
                    self.found.extend(times.filter(|time| *time >= self.from));
                }
                self.day = self.rule.day_after(self.day)?;
            } else {
                self.enter()?;
            }
        }
    }
}
