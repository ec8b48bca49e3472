//! Typed access to the fields of a configuration. A field that is `null` counts as absent.

use super::Error;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

/// The value of `field`, unless it is absent.
pub(super) fn value<'a>(params: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    params.get(field).filter(|value| !value.is_null())
}

/// The text in `field`, without surrounding white space.
pub(super) fn text<'a>(
    params: &'a Map<String, Value>,
    field: &'static str,
) -> Result<Option<&'a str>, Error> {
    match value(params, field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim())),
        Some(other) => Err(Error::invalid(field, format!("must be a text, not {other}"))),
    }
}

/// The whole number in `field`, which must lie within `range`.
pub(super) fn integer(
    params: &Map<String, Value>,
    field: &'static str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, Error> {
    value(params, field).map(|value| whole(value, field, &range)).transpose()
}

/// The whole numbers in `field`, one or a list, sorted, each once, all within `range`.
pub(super) fn integers<T: TryFrom<i64> + Ord>(
    params: &Map<String, Value>,
    field: &'static str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Vec<T>, Error> {
    let mut numbers = Vec::new();
    for value in list(params, field) {
        let number = whole(value, field, &range)?;
        numbers.extend(T::try_from(number).ok());
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The values in `field`: the elements of a list, or the one value.
pub(super) fn list<'a>(params: &'a Map<String, Value>, field: &str) -> &'a [Value] {
    match value(params, field) {
        None => &[],
        Some(Value::Array(values)) => values,
        Some(one) => std::slice::from_ref(one),
    }
}

fn whole(
    value: &Value,
    field: &'static str,
    range: &std::ops::RangeInclusive<i64>,
) -> Result<i64, Error> {
    value.as_i64().filter(|number| range.contains(number)).ok_or_else(|| {
        let (least, most) = (range.start(), range.end());
        Error::invalid(field, format!("must be a whole number from {least} to {most}, not {value}"))
    })
}

/// The IANA time zone in `timezone`; UTC when absent.
pub(super) fn timezone(params: &Map<String, Value>) -> Result<Tz, Error> {
    match text(params, "timezone")? {
        None => Ok(Tz::UTC),
        Some(name) => name.parse().map_err(|_| {
            Error::invalid(
                "timezone",
                format!("must be an IANA name such as Europe/Berlin, not '{name}'"),
            )
        }),
    }
}

/// A moment as people write it in a calendar.
pub(super) enum Moment {
    /// With an offset or `Z`.
    Fixed(DateTime<Utc>),
    /// By the wall clock of the timer's zone.
    Local(NaiveDateTime),
    /// A day of that wall clock.
    Day(NaiveDate),
}

impl Moment {
    /// Reads RFC 3339, the same without an offset, and iCalendar's `20250131T093000[Z]`, `20250131`.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Ok(fixed) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Fixed(fixed.to_utc()));
        }
        let utc = text.strip_suffix('Z');
        let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y%m%dT%H%M%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(utc.unwrap_or(text), form).ok());
        if let Some(local) = local {
            return Some(match utc {
                Some(_) => Self::Fixed(local.and_utc()),
                None => Self::Local(local),
            });
        }
        ["%Y-%m-%d", "%Y%m%d"]
            .iter()
            .find_map(|form| NaiveDate::parse_from_str(text, form).ok())
            .map(Self::Day)
    }

    /// What the wall clock of `zone` shows then; a day means its midnight.
    pub(super) fn local(&self, zone: Tz) -> NaiveDateTime {
        match self {
            Self::Fixed(moment) => zone.from_utc_datetime(&moment.naive_utc()).naive_local(),
            Self::Local(local) => *local,
            Self::Day(day) => day.and_time(NaiveTime::MIN),
        }
    }
}
