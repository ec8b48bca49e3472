//! What timers promise, as tables; and their laws, on generated timers.

mod calendar;
mod cron;
mod interval;
mod laws;
mod payload;
mod recurrence;

use super::{Error, TimerSpec};
use crate::Timestamp;
use serde_json::{Value, json};

/// A moment from its RFC 3339 text.
fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The timer that `params` configure.
fn timer(name: &str, params: Value) -> TimerSpec {
    TimerSpec::parse(name, &params).unwrap_or_else(|error| panic!("{params}: {error}"))
}

/// The first `count` ticks after `after` of a timer enabled then, without seconds where those are 0.
fn ticks(spec: &TimerSpec, after: &str, count: usize) -> Vec<String> {
    let anchor = at(after);
    let next = |after: &Timestamp| spec.next_after(anchor, *after);
    std::iter::successors(next(&anchor), next)
        .take(count)
        .map(|tick| {
            let text = tick.format("%Y-%m-%dT%H:%M:%S").to_string();
            text.strip_suffix(":00").map_or(text.clone(), str::to_owned)
        })
        .collect()
}

#[test]
fn a_timer_is_known_by_its_trigger_or_its_type() {
    let interval = timer("interval", json!({"seconds": 60}));
    let rows = [
        ("core.intervaltimer", json!({"interval": 1, "unit": "minutes"})),
        ("core.intervaltimer", json!({"interval": 60})),
        ("interval", json!({"type": "interval", "minutes": 1})),
    ];
    for (name, params) in rows {
        assert_eq!(timer(name, params), interval);
    }
    let config = json!({"type": "interval", "seconds": 60});
    assert_eq!(TimerSpec::parse_config(&config), Ok(interval));
    assert_eq!(super::Kind::of_config(&json!({"type": "webhook"})), None);
    assert_eq!(super::Kind::of_config(&json!({"url": "x"})), None);
}

#[test]
fn what_is_no_timer_is_refused_by_the_name_of_the_field() {
    let rrule = |field: &str, value: Value| {
        let mut params = json!({"dtstart": "2025-01-01T00:00:00Z", "freq": "daily"});
        params[field] = value;
        params
    };
    let rows = [
        ("core.webhook", json!({}), "type"),
        ("interval", json!({}), "interval"),
        ("interval", json!({"interval": 0}), "interval"),
        ("interval", json!({"interval": -5}), "interval"),
        ("interval", json!({"interval": "10"}), "interval"),
        ("interval", json!({"interval": 1.5}), "interval"),
        ("interval", json!({"interval": 40_000, "unit": "days"}), "interval"),
        ("interval", json!({"interval": 10, "unit": "fortnights"}), "unit"),
        ("interval", json!({"seconds": 1, "hours": 1}), "hours"),
        ("interval", json!({"minutes": 0}), "minutes"),
        ("cron", json!({}), "expression"),
        ("cron", json!({"expression": ""}), "expression"),
        ("cron", json!({"expression": "* * * *"}), "expression"),
        ("cron", json!({"expression": "* * * * * * 2030"}), "expression"),
        ("cron", json!({"expression": "@daily"}), "expression"),
        ("cron", json!({"expression": "0 61 * * * *"}), "expression"),
        ("cron", json!({"expression": "0 0 0 30 2 *"}), "expression"),
        ("cron", json!({"expression": "0 0 0 * * *", "timezone": "Mars/Base"}), "timezone"),
        ("one_shot", json!({}), "fire_at"),
        ("one_shot", json!({"fire_at": "tomorrow"}), "fire_at"),
        ("one_shot", json!({"fire_at": "2030-01-31T09:00:00"}), "fire_at"),
        ("rrule", json!({"freq": "daily"}), "dtstart"),
        ("rrule", json!({"dtstart": "2025-01-01T00:00:00Z"}), "freq"),
        ("rrule", rrule("dtstart", json!("soon")), "dtstart"),
        ("rrule", rrule("dtstart", json!("+12025-01-01T00:00:00")), "dtstart"),
        ("rrule", rrule("freq", json!("fortnightly")), "freq"),
        ("rrule", rrule("interval", json!(0)), "interval"),
        ("rrule", rrule("count", json!(0)), "count"),
        ("rrule", rrule("until", json!("never")), "until"),
        ("rrule", rrule("by_hour", json!([24])), "by_hour"),
        ("rrule", rrule("by_month", json!("May")), "by_month"),
        ("rrule", rrule("by_month_day", json!([0])), "by_month_day"),
        ("rrule", rrule("by_day", json!("MONDAY")), "by_day"),
        ("rrule", rrule("by_day", json!("2TU")), "by_day"),
        ("rrule", rrule("by_day", json!(1)), "by_day"),
        ("rrule", rrule("by_day", json!("é")), "by_day"),
        ("rrule", rrule("by_week_no", json!(20)), "by_week_no"),
        ("rrule", rrule("by_year_day", json!(20)), "by_year_day"),
        ("rrule", rrule("by_set_pos", json!(1)), "by_set_pos"),
        ("rrule", rrule("week_start", json!("monday")), "week_start"),
        ("rrule", rrule("timezone", json!("CEST?")), "timezone"),
        ("rrule", rrule("rule", json!("every day")), "rule"),
        ("rrule", rrule("rule", json!("FREQ=DAILY;FREQ=DAILY")), "rule"),
        ("rrule", rrule("rule", json!("FREQ=DAILY;BYEASTER=1")), "rule"),
        ("rrule", rrule("rule", json!("FREQ=DAILY;BYHOUR=x")), "rule"),
        ("rrule", rrule("rule", json!("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")), "rule"),
    ];
    for (name, params, field) in rows {
        let error = TimerSpec::parse(name, &params).expect_err(&params.to_string());
        assert_eq!(error.field(), Some(field), "{params}: {error}");
    }
    assert_eq!(TimerSpec::parse("interval", &json!(10)), Err(Error::NotAnObject));
    let both = json!({"dtstart": "2025-01-01T00:00:00Z", "freq": "daily", "count": 2,
        "until": "2026-01-01T00:00:00Z"});
    assert_eq!(TimerSpec::parse("rrule", &both).expect_err("xor").field(), Some("until"));
    let named = timer_error("rrule", rrule("rule", json!("FREQ=DAILY;BYHOUR=25")));
    assert_eq!(
        named,
        "timer field 'rule' timer field 'by_hour' must be a whole number from 0 to 23, not 25"
    );
}

#[test]
fn a_cron_expression_is_refused_with_the_field_at_fault() {
    let rows = [
        ("60 * * * * *", "has the second '60': expected 0 to 59"),
        ("61 * * * *", "has the minute '61': expected 0 to 59"),
        ("0 5-99 * * * *", "has the minute '5-99': expected 0 to 59"),
        ("0 */0 * * * *", "has the minute '*/0': expected 0 to 59"),
        ("0 0 24 * * *", "has the hour '24': expected 0 to 23"),
        ("0 0 noon * * *", "has the hour 'noon': expected 0 to 23"),
        ("0 0 0 32 * *", "has the day of the month '32': expected 1 to 31 or L"),
        ("0 0 0 0 * *", "has the day of the month '0': expected 1 to 31 or L"),
        ("0 0 0 * 13 *", "has the month '13': expected 1 to 12 or JAN to DEC"),
        ("0 0 0 * SMARCH *", "has the month 'SMARCH': expected 1 to 12 or JAN to DEC"),
        ("0 0 0 * * 8", "has the day of the week '8': expected 0 to 7 or SUN to SAT"),
        ("0 99 99 * * *", "has the minute '99': expected 0 to 59"),
        ("* * * *", "must have six fields, seconds first, not 4"),
        ("0 0 0 30 2 *", "names a date that does not exist"),
    ];
    for (expression, reason) in rows {
        let told = timer_error("cron", json!({"expression": expression}));
        assert_eq!(told, format!("timer field 'expression' {reason}"), "{expression}");
    }
}

fn timer_error(name: &str, params: Value) -> String {
    TimerSpec::parse(name, &params).expect_err(name).to_string()
}

#[test]
fn a_timer_survives_being_stored() {
    let rows = [
        ("interval", json!({"interval": 90})),
        ("cron", json!({"expression": "*/5 * * * MON-FRI", "timezone": "Europe/Berlin"})),
        ("one_shot", json!({"fire_at": "2030-01-31T09:00:00+01:00"})),
        (
            "rrule",
            json!({"dtstart": "2025-01-01T09:00:00", "timezone": "America/New_York",
                "freq": "monthly", "by_day": ["2TU", "-1FR"], "count": 5, "week_start": "SU"}),
        ),
    ];
    for (name, params) in rows {
        let spec = timer(name, params);
        let stored = serde_json::to_value(&spec).expect("serializes");
        assert_eq!(stored["type"], name);
        assert_eq!(serde_json::from_value::<TimerSpec>(stored).expect("reads back"), spec);
    }
}

#[test]
fn a_timer_says_in_a_line_what_it_is() {
    let rows = [
        ("interval", json!({"minutes": 2}), "every 120 s"),
        ("cron", json!({"expression": "30 2 * * *"}), "cron 0 30 2 * * * (UTC)"),
        (
            "one_shot",
            json!({"fire_at": "2030-01-31T09:00:00+01:00"}),
            "once at 2030-01-31T08:00:00+00:00",
        ),
        (
            "rrule",
            json!({"dtstart": "2025-01-01T09:00:00Z", "freq": "daily", "count": 3}),
            "rrule daily/1 from 2025-01-01 09:00:00 (UTC) until 2025-01-03T09:00:00+00:00",
        ),
    ];
    for (name, params, line) in rows {
        assert_eq!(timer(name, params).to_string(), line);
    }
}

#[test]
fn a_one_shot_fires_once_and_only_if_it_lay_ahead_when_enabled() {
    let spec = timer("one_shot", json!({"fire_at": "2030-01-31T09:00:00+01:00"}));
    let due = at("2030-01-31T08:00:00Z");
    let (before, after) = (at("2030-01-30T00:00:00Z"), at("2030-02-01T00:00:00Z"));
    assert_eq!(spec.next_after(before, before), Some(due));
    assert_eq!(spec.next_after(before, due), None, "it fires once");
    assert_eq!(spec.next_after(due, before), None, "enabled too late");
    let missed = spec.missed(before, None, after).expect("missed");
    assert_eq!((missed.tick, missed.missed_count), (due, 1));
    assert_eq!(spec.missed(before, Some(due), after), None, "it had fired");
    assert_eq!(spec.missed(after, None, after), None, "enabled too late");
}
