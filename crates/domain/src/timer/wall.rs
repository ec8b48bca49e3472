//! From the wall clock of a time zone to moments, through the changes of the clocks.

use crate::Timestamp;
use chrono::{LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

/// How a schedule written in local times becomes moments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wall {
    /// Whose clock.
    pub(super) zone: Tz,
    /// Whether the schedule ticks in every hour of the day. Then it follows real time: local times
    /// that are skipped do not fire, those that happen twice fire twice.
    pub(super) hourly: bool,
}

impl Wall {
    /// What the clock shows at `moment`.
    pub(super) fn local(&self, moment: Timestamp) -> NaiveDateTime {
        moment.with_timezone(&self.zone).naive_local()
    }

    /// The moment that `local` stands for: the first of two, and where the clock skips it, what it
    /// would be by the offset in force before (RFC 5545, section 3.3.5).
    pub(super) fn moment(&self, local: NaiveDateTime) -> Option<Timestamp> {
        match self.zone.from_local_datetime(&local).earliest() {
            Some(moment) => Some(moment.to_utc()),
            None => self.after_skip(local),
        }
    }

    /// The first moment after `after` that one of the local times stands for. `locals(from)` has to
    /// yield them in order, without those before `from`.
    pub(super) fn first_after<I>(
        &self,
        after: Timestamp,
        locals: impl FnOnce(NaiveDateTime) -> I,
    ) -> Option<Timestamp>
    where
        I: Iterator<Item = NaiveDateTime>,
    {
        let from = self.local(after).checked_sub_signed(self.shift_around(after))?;
        let mut first: Option<Timestamp> = None;
        let mut consider = |moment: Timestamp| {
            if moment > after {
                first = Some(first.map_or(moment, |first| first.min(moment)));
            }
        };
        for local in locals(from) {
            let resolved = self.zone.from_local_datetime(&local);
            if let (LocalResult::Ambiguous(..), true) = (&resolved, self.hourly) {
                resolved.latest().into_iter().for_each(|moment| consider(moment.to_utc()));
            }
            match resolved.earliest().map(|moment| moment.to_utc()) {
                Some(moment) => {
                    consider(moment);
                    // Local times that exist come in the order of their first moments, and those
                    // skipped fire after the moments before them: nothing earlier can follow.
                    if moment > after {
                        break;
                    }
                }
                None if self.hourly => {}
                None => self.after_skip(local).into_iter().for_each(&mut consider),
            }
        }
        first
    }

    /// By how much the clock is moved close to `moment`: local times this far back may still fire.
    fn shift_around(&self, moment: Timestamp) -> TimeDelta {
        let shift_within = |reach: TimeDelta| {
            let offset = |at: Option<Timestamp>| {
                let at = at.unwrap_or(moment).naive_utc();
                self.zone.offset_from_utc_datetime(&at).fix().local_minus_utc()
            };
            let here = offset(Some(moment));
            let before = (here - offset(moment.checked_sub_signed(reach))).abs();
            let behind = (here - offset(moment.checked_add_signed(reach))).abs();
            TimeDelta::seconds(i64::from(before.max(behind)))
        };
        // Zones that cross the date line move by a day, all others by at most three hours; the
        // narrower look keeps busy schedules quick on the days around an ordinary change.
        let ordinary = TimeDelta::hours(3);
        let shift = shift_within(TimeDelta::hours(26));
        if shift <= ordinary { shift_within(ordinary) } else { shift }
    }

    /// A local time that does not exist, by the offset of the nearest full hours before that do.
    fn after_skip(&self, local: NaiveDateTime) -> Option<Timestamp> {
        let before = (1..=26).find_map(|hours| {
            let earlier = local.checked_sub_signed(TimeDelta::hours(hours))?;
            self.zone.from_local_datetime(&earlier).latest()
        })?;
        let offset = before.offset().fix().local_minus_utc();
        Some(local.checked_sub_signed(TimeDelta::seconds(i64::from(offset)))?.and_utc())
    }
}
