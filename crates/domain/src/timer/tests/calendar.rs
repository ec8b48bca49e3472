//! Cron expressions field by field, and the numbers of their ticks.

use super::{at, timer};
use crate::timer::{Cron, Days, TimerSpec};
use chrono::TimeDelta;
use serde_json::json;

fn cron(expression: &str, zone: &str) -> Cron {
    match timer("cron", json!({"expression": expression, "timezone": zone})) {
        TimerSpec::Cron(cron) => *cron,
        other => panic!("{other} is no cron timer"),
    }
}

#[test]
fn an_expression_is_read_field_by_field() {
    let rows = [
        ("30 2 * * *", vec![30], 1, Days::Every, 12),
        ("*/20 9-17 * * MON-FRI", vec![0, 20, 40], 9, Days::OfWeek(vec![1, 2, 3, 4, 5]), 12),
        ("0 5,35 * ? * 7", vec![5, 35], 24, Days::OfWeek(vec![0]), 12),
        ("0 0 1,15 JAN-JUL *", vec![0], 1, Days::OfMonth(vec![1, 15]), 7),
        ("0 0 * * wed", vec![0], 1, Days::OfWeek(vec![3]), 12),
        ("0 0 */10 * *", vec![0], 1, Days::OfMonth(vec![1, 11, 21, 31]), 12),
    ];
    for (expression, minutes, hours, days, months) in rows {
        let found = cron(expression, "UTC").calendar().expect(expression);
        assert_eq!(found.minutes, minutes, "{expression}");
        assert_eq!((found.hours.len(), found.months.len()), (hours, months), "{expression}");
        assert_eq!(found.days, days, "{expression}");
    }
    let others = [
        "15 * * * * *",
        "*/10 * * * * *",
        "0 0 13 * FRI",
        "0 0 L * *",
        "0 0 * * MON#1",
        "0 0 15W * *",
    ];
    for expression in others {
        assert_eq!(cron(expression, "UTC").calendar(), None, "{expression}");
    }
}

#[test]
fn changes_of_the_clock_are_seen() {
    let rows = [
        ("30 2 * * *", "Europe/Berlin", true, false),
        ("0 3 * * *", "Europe/Berlin", false, false),
        ("0 9 * * *", "Europe/Berlin", false, false),
        ("30 2 * * MON-FRI", "Europe/Berlin", false, false),
        ("*/5 * * * *", "Europe/Berlin", true, true),
        ("*/5 * * * SUN", "Europe/Berlin", true, false),
        ("*/5 * * * MON", "Europe/Berlin", false, false),
        ("30 1 * * *", "America/New_York", true, false),
        ("*/5 * * * *", "Asia/Kolkata", false, false),
        ("*/5 * * * *", "Australia/Lord_Howe", true, false),
        ("0 2 * * *", "UTC", false, false),
    ];
    let from = at("2026-06-01T00:00:00.25Z");
    for (expression, zone, meets, zoneless) in rows {
        let cron = cron(expression, zone);
        let found = (cron.meets_change(from), cron.is_zoneless(from));
        assert_eq!(found, (meets, zoneless), "{expression} {zone}");
    }
}

#[test]
fn a_tick_knows_its_number() {
    let rows = [
        ("30 2 * * *", "Europe/Berlin"),
        ("*/20 * * * *", "Europe/Berlin"),
        ("0 0 * * *", "America/New_York"),
        ("0 0,2,3 * * SUN", "Europe/Berlin"),
        ("30 0 12 1,15 * *", "Australia/Lord_Howe"),
        ("*/30 1-4 * * MON-FRI", "UTC"),
    ];
    let anchor = at("2025-03-20T10:17:03.5Z");
    for (expression, zone) in rows {
        let spec = timer("cron", json!({"expression": expression, "timezone": zone}));
        let mut tick = anchor;
        for count in 1..=2_500 {
            tick = spec.next_after(anchor, tick).expect("there are more");
            if count < 20 || count % 97 == 0 {
                assert_eq!(spec.ordinal(anchor, tick), count, "{expression} {zone} at {tick}");
            }
            if tick > anchor + TimeDelta::days(400) {
                break;
            }
        }
    }
    let interval = timer("interval", json!({"seconds": 90}));
    assert_eq!(interval.ordinal(anchor, anchor + TimeDelta::seconds(900)), 10);
    let once = timer("one_shot", json!({"fire_at": "2025-03-20T10:18:00Z"}));
    assert_eq!(once.ordinal(anchor, at("2025-03-20T10:18:00Z")), 1);
    let rule = timer("rrule", json!({"dtstart": "2025-03-21T00:00:00Z", "freq": "daily"}));
    assert_eq!(rule.ordinal(anchor, at("2025-03-25T00:00:00Z")), 5);
}

#[test]
fn the_last_tick_before_a_moment_is_found() {
    let anchor = at("2025-03-20T10:00:00Z");
    let rows = [
        (json!({"type": "interval", "minutes": 5}), "2025-03-20T10:04:59Z", None),
        (
            json!({"type": "interval", "minutes": 5}),
            "2027-01-01T00:03:00Z",
            Some("2027-01-01T00:00:00Z"),
        ),
        (
            json!({"type": "cron", "expression": "* * * * *"}),
            "2029-01-01T00:03:00Z",
            Some("2029-01-01T00:03:00Z"),
        ),
        (
            json!({"type": "cron", "expression": "0 9 1 1 *"}),
            "2029-06-01T00:00:00Z",
            Some("2029-01-01T09:00:00Z"),
        ),
        (
            json!({"type": "one_shot", "fire_at": "2025-03-21T00:00:00Z"}),
            "2029-01-01T00:00:00Z",
            Some("2025-03-21T00:00:00Z"),
        ),
        (
            json!({"type": "one_shot", "fire_at": "2025-03-19T00:00:00Z"}),
            "2029-01-01T00:00:00Z",
            None,
        ),
    ];
    for (config, moment, tick) in rows {
        let spec = TimerSpec::parse_config(&config).expect("a timer");
        assert_eq!(spec.latest(anchor, at(moment)), tick.map(at), "{config} at {moment}");
    }
}
