//! Cron expressions in time zones.

use super::{at, ticks, timer};
use crate::timer::MISSED_COUNT_LIMIT;
use serde_json::json;

#[test]
fn expressions_name_their_times() {
    let rows: [(&str, &str, &str, &[&str]); 9] = [
        (
            "five fields get second 0",
            "30 2 * * *",
            "2025-01-01T00:00:00Z",
            &["2025-01-01T02:30", "2025-01-02T02:30"],
        ),
        (
            "seconds come first",
            "15,45 * * * * *",
            "2025-01-01T00:00:20.5Z",
            &["2025-01-01T00:00:45", "2025-01-01T00:01:15"],
        ),
        (
            "Sunday is 0",
            "0 0 9 * * 0",
            "2025-01-01T00:00:00Z",
            &["2025-01-05T09:00", "2025-01-12T09:00"],
        ),
        (
            "names of days and months",
            "0 0 9 * FEB MON-WED",
            "2025-01-01T00:00:00Z",
            &["2025-02-03T09:00", "2025-02-04T09:00", "2025-02-05T09:00", "2025-02-10T09:00"],
        ),
        (
            "steps",
            "0 */20 * * * *",
            "2025-01-01T00:00:00Z",
            &["2025-01-01T00:20", "2025-01-01T00:40", "2025-01-01T01:00"],
        ),
        (
            "29 February waits for a leap year, and passes 2100",
            "0 0 0 29 2 *",
            "2095-01-01T00:00:00Z",
            &["2096-02-29T00:00", "2104-02-29T00:00"],
        ),
        (
            "the 31st passes short months",
            "0 0 0 31 * *",
            "2025-02-01T00:00:00Z",
            &["2025-03-31T00:00", "2025-05-31T00:00", "2025-07-31T00:00"],
        ),
        (
            "the last day of the month",
            "0 0 0 L * *",
            "2024-01-31T12:00:00Z",
            &["2024-02-29T00:00", "2024-03-31T00:00"],
        ),
        (
            "where both days are restricted, either suffices",
            "0 0 0 13 * FRI",
            "2025-01-01T00:00:00Z",
            &["2025-01-03T00:00", "2025-01-10T00:00", "2025-01-13T00:00", "2025-01-17T00:00"],
        ),
    ];
    for (why, expression, after, expected) in rows {
        let spec = timer("core.crontimer", json!({"expression": expression}));
        assert_eq!(ticks(&spec, after, expected.len()), expected, "{why}");
    }
}

#[test]
fn the_clock_changes_of_a_zone_neither_swallow_nor_double_a_tick() {
    let rows: [(&str, &str, &str, &str, &[&str]); 12] = [
        (
            "Berlin loses 02:30 in spring: it fires at 03:30",
            "0 30 2 * * *",
            "Europe/Berlin",
            "2025-03-29T00:00:00Z",
            &["2025-03-29T01:30", "2025-03-30T01:30", "2025-03-31T00:30"],
        ),
        (
            "Berlin has 02:30 twice in autumn: the first fires",
            "0 30 2 * * *",
            "Europe/Berlin",
            "2025-10-25T12:00:00Z",
            &["2025-10-26T00:30", "2025-10-27T01:30"],
        ),
        (
            "New York loses 02:30 in spring: it fires at 03:30",
            "0 30 2 * * *",
            "America/New_York",
            "2025-03-08T12:00:00Z",
            &["2025-03-09T07:30", "2025-03-10T06:30"],
        ),
        (
            "New York has 01:30 twice in autumn: the first fires",
            "0 30 1 * * *",
            "America/New_York",
            "2025-11-01T12:00:00Z",
            &["2025-11-02T05:30", "2025-11-03T06:30"],
        ),
        (
            "a lost time that coincides with another fires with it",
            "0 30 2,3 * * *",
            "Europe/Berlin",
            "2025-03-30T00:00:00Z",
            &["2025-03-30T01:30", "2025-03-31T00:30", "2025-03-31T01:30"],
        ),
        (
            "a lost time fires after one that lay behind it",
            "0 30 2 30 3 *",
            "Europe/Berlin",
            "2025-03-30T01:15:00Z",
            &["2025-03-30T01:30", "2026-03-30T00:30"],
        ),
        (
            "every half hour stays every half hour in spring",
            "0 */30 * * * *",
            "Europe/Berlin",
            "2025-03-30T00:15:00Z",
            &["2025-03-30T00:30", "2025-03-30T01:00", "2025-03-30T01:30"],
        ),
        (
            "every half hour stays every half hour in autumn",
            "0 */30 * * * *",
            "Europe/Berlin",
            "2025-10-25T23:45:00Z",
            &[
                "2025-10-26T00:00",
                "2025-10-26T00:30",
                "2025-10-26T01:00",
                "2025-10-26T01:30",
                "2025-10-26T02:00",
            ],
        ),
        (
            "every second hour fires once at 02:00 in autumn",
            "0 0 */2 * * *",
            "Europe/Berlin",
            "2025-10-25T22:30:00Z",
            &["2025-10-26T00:00", "2025-10-26T03:00"],
        ),
        (
            "Samoa had no 30 December 2011: its noon fires a day's shift later",
            "0 0 12 30 12 *",
            "Pacific/Apia",
            "2011-12-01T00:00:00Z",
            &["2011-12-30T22:00", "2012-12-29T22:00"],
        ),
        (
            "a shift of half an hour",
            "0 15 2 * * *",
            "Australia/Lord_Howe",
            "2025-10-04T00:00:00Z",
            &["2025-10-04T15:45", "2025-10-05T15:15"],
        ),
        (
            "half-hour offsets",
            "0 0 9 * * *",
            "Asia/Kolkata",
            "2025-01-01T00:00:00Z",
            &["2025-01-01T03:30", "2025-01-02T03:30"],
        ),
    ];
    for (why, expression, timezone, after, expected) in rows {
        let params = json!({"expression": expression, "timezone": timezone});
        let spec = timer("core.crontimer", params);
        assert_eq!(ticks(&spec, after, expected.len()), expected, "{why}");
    }
}

#[test]
fn a_long_pause_is_counted_up_to_a_limit_and_ends_at_the_latest_tick() {
    let spec = timer("cron", json!({"expression": "* * * * * *", "timezone": "Europe/Berlin"}));
    let (anchor, now) = (at("2024-01-01T00:00:00Z"), at("2025-01-01T00:00:00.700Z"));
    let missed = spec.missed(anchor, None, now).expect("missed");
    assert_eq!(missed.tick, at("2025-01-01T00:00:00Z"));
    assert_eq!(missed.missed_count, MISSED_COUNT_LIMIT);

    let spec = timer("cron", json!({"expression": "0 0 * 1 JAN *"}));
    let now = at("2125-12-01T00:00:00Z");
    let missed = spec.missed(anchor, None, now).expect("missed");
    assert_eq!(missed.tick, at("2125-01-01T23:00:00Z"), "ticks in clusters");
    assert_eq!(missed.missed_count, MISSED_COUNT_LIMIT);
}
