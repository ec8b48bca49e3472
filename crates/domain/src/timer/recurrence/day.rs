//! Whether a rule names a day.

use super::{ByDay, Frequency, Recurrence};
use chrono::{Datelike, Days, NaiveDate, Weekday};

impl Recurrence {
    /// Whether every part of the rule that speaks about days accepts `date`.
    pub(super) fn accepts(&self, date: NaiveDate) -> bool {
        let among = |numbers: &[i32], count: i32, total: i32| {
            numbers.is_empty() || numbers.iter().any(|n| *n == count || *n == count - total - 1)
        };
        (self.by_month.is_empty() || self.by_month.contains(&date.month()))
            && among(&self.by_month_day, signed(date.day()), days_in_month(date))
            && among(&self.by_year_day, signed(date.ordinal()), days_in_year(date.year()))
            && (self.by_day.is_empty() || self.by_day.iter().any(|day| self.is_day(day, date)))
            && (self.by_week_no.is_empty() || {
                let (number, total) = week(date, self.week_start);
                among(&self.by_week_no, number, total)
            })
    }

    /// Whether `date` is that day of the week, counted within its month or year where it is counted.
    fn is_day(&self, day: &ByDay, date: NaiveDate) -> bool {
        if date.weekday() != day.weekday {
            return false;
        }
        let Some(nth) = day.nth else { return true };
        let by_month = self.freq == Frequency::Monthly || !self.by_month.is_empty();
        let (position, length) = if by_month {
            (signed(date.day0()), days_in_month(date))
        } else {
            (signed(date.ordinal0()), days_in_year(date.year()))
        };
        nth == position / 7 + 1 || nth == -((length - 1 - position) / 7 + 1)
    }
}

/// Number of the week that `date` lies in, and how many weeks the year of that week has. A week
/// belongs to the year that holds its fourth day.
fn week(date: NaiveDate, week_start: Weekday) -> (i32, i32) {
    let fourth = week_begin(date, week_start) + Days::new(3);
    let position = signed(fourth.ordinal0());
    let first = position % 7;
    (position / 7 + 1, (days_in_year(fourth.year()) - 1 - first) / 7 + 1)
}

/// The first day of the week that `date` lies in.
pub(super) fn week_begin(date: NaiveDate, week_start: Weekday) -> NaiveDate {
    date - Days::new(u64::from(date.weekday().days_since(week_start)))
}

fn days_in_month(date: NaiveDate) -> i32 {
    i32::from(date.num_days_in_month())
}

fn days_in_year(year: i32) -> i32 {
    NaiveDate::from_ymd_opt(year, 12, 31).map_or(365, |last| signed(last.ordinal()))
}

/// Days and weeks are small.
fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
