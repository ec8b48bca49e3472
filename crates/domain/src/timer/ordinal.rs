//! Which tick of its setting a tick is, without stepping through all before it.

use super::TimerSpec;
use super::cron::{Cron, locals};
use crate::Timestamp;
use chrono::{NaiveDate, TimeDelta, TimeZone};

impl TimerSpec {
    /// Which tick `tick` is of a timer that was enabled at `anchor`, counting from 1; where it is none, how
    /// many there were up to then.
    ///
    /// Intervals are divided and cron expressions counted by days; recurrence rules are stepped through.
    #[must_use]
    pub fn ordinal(&self, anchor: Timestamp, tick: Timestamp) -> u64 {
        match self {
            Self::Interval(interval) => interval.ordinal(anchor, tick),
            Self::Cron(cron) => cron.ordinal(anchor, tick),
            Self::OneShot(_) | Self::Rrule(_) => {
                let next = |after: &Timestamp| self.next_after(anchor, *after);
                let ticks = std::iter::successors(next(&anchor), next);
                ticks.take_while(|at| *at <= tick).count() as u64
            }
        }
    }
}

impl Cron {
    fn ordinal(&self, anchor: Timestamp, tick: Timestamp) -> u64 {
        let mut count = 0;
        let mut from = anchor;
        // Around a change of the clock ticks are counted one by one, between two changes by days.
        let changes: Vec<Timestamp> =
            self.changes(anchor - TimeDelta::days(2), tick).map(|(at, ..)| at).collect();
        for change in changes {
            let quiet = change - TimeDelta::days(2);
            count += self.by_days(from, quiet.min(tick));
            from = from.max(quiet.min(tick));
            let settled = (change + TimeDelta::days(2)).min(tick);
            count += self.one_by_one(from, settled);
            from = from.max(settled);
        }
        count + self.by_days(from, tick)
    }

    /// Ticks after `from` up to and including `until`.
    fn one_by_one(&self, from: Timestamp, until: Timestamp) -> u64 {
        let next = |after: &Timestamp| self.next_after(*after);
        let ticks = std::iter::successors(next(&from), next);
        ticks.take_while(|at| *at <= until).count() as u64
    }

    /// The same, where the clock does not change in between: every day with ticks has the same number.
    fn by_days(&self, from: Timestamp, until: Timestamp) -> u64 {
        if until <= from {
            return 0;
        }
        let date = |at: Timestamp| at.with_timezone(&self.timezone()).date_naive();
        let (first, last) = (date(from).succ_opt(), date(until));
        let bounds = first.filter(|first| *first < last).map(|first| (first, last));
        let moments =
            bounds.and_then(|(first, last)| Some((self.midnight(first)?, self.midnight(last)?)));
        let (Some((first, last)), Some((morning, evening))) = (bounds, moments) else {
            return self.one_by_one(from, until);
        };
        let second = TimeDelta::seconds(1);
        // A tick at midnight is the new day's.
        let (morning, evening) = (morning - second, evening - second);
        let mut days = self.days(first, last);
        let whole = days.next().map_or(0, |day| {
            let start = day.and_time(chrono::NaiveTime::MIN);
            let ticks = locals(self.pattern(), start).take_while(|local| local.date() == day);
            (1 + days.count() as u64) * ticks.count() as u64
        });
        self.one_by_one(from, morning) + whole + self.one_by_one(evening, until)
    }

    fn midnight(&self, date: NaiveDate) -> Option<Timestamp> {
        let midnight = date.and_time(chrono::NaiveTime::MIN);
        self.timezone().from_local_datetime(&midnight).earliest().map(|at| at.to_utc())
    }

    /// Days with ticks, from `first` on and before `last`.
    fn days(&self, first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let next = move |from: NaiveDate| {
            let start = from.and_time(chrono::NaiveTime::MIN);
            locals(self.pattern(), start).next().map(|local| local.date())
        };
        std::iter::successors(next(first), move |day| next(day.succ_opt()?))
            .take_while(move |day| *day < last)
    }
}
