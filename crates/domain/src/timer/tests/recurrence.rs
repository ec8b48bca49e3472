//! Recurrence rules: what each part means, and how they meet time zones.

use super::{at, ticks, timer};
use crate::timer::MISSED_COUNT_LIMIT;
use serde_json::json;

/// Rules as texts, all from Wednesday 2025-01-01 09:00 in UTC, with their first ticks.
#[test]
fn rules_name_their_times() {
    let rows: [(&str, &str, &[&str]); 24] = [
        ("the start is the first", "FREQ=DAILY", &["2025-01-01T09:00", "2025-01-02T09:00"]),
        ("a prefix is allowed", "RRULE:FREQ=DAILY", &["2025-01-01T09:00", "2025-01-02T09:00"]),
        (
            "COUNT counts from the start",
            "FREQ=DAILY;COUNT=3",
            &["2025-01-01T09:00", "2025-01-02T09:00", "2025-01-03T09:00"],
        ),
        (
            "UNTIL is included",
            "FREQ=DAILY;UNTIL=20250102T090000Z",
            &["2025-01-01T09:00", "2025-01-02T09:00"],
        ),
        (
            "UNTIL a day includes the day",
            "FREQ=DAILY;UNTIL=20250102",
            &["2025-01-01T09:00", "2025-01-02T09:00"],
        ),
        (
            "every second week, on two days",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
            &["2025-01-03T09:00", "2025-01-13T09:00", "2025-01-17T09:00", "2025-01-27T09:00"],
        ),
        (
            "the first day of the week decides which weeks are second",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;WKST=SU",
            &["2025-01-01T09:00", "2025-01-12T09:00", "2025-01-15T09:00"],
        ),
        (
            "the same from Monday",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;WKST=MO",
            &["2025-01-01T09:00", "2025-01-05T09:00", "2025-01-15T09:00", "2025-01-19T09:00"],
        ),
        (
            "the second Tuesday",
            "FREQ=MONTHLY;BYDAY=2TU",
            &["2025-01-14T09:00", "2025-02-11T09:00", "2025-03-11T09:00"],
        ),
        (
            "the last Friday",
            "FREQ=MONTHLY;BYDAY=-1FR",
            &["2025-01-31T09:00", "2025-02-28T09:00", "2025-03-28T09:00"],
        ),
        (
            "the 31st, where there is one",
            "FREQ=MONTHLY;BYMONTHDAY=31",
            &["2025-01-31T09:00", "2025-03-31T09:00", "2025-05-31T09:00"],
        ),
        (
            "the last day of the month",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            &["2025-01-31T09:00", "2025-02-28T09:00", "2025-03-31T09:00"],
        ),
        (
            "the last working day",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            &["2025-01-31T09:00", "2025-02-28T09:00", "2025-03-31T09:00", "2025-04-30T09:00"],
        ),
        (
            "Friday the 13th",
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            &["2025-06-13T09:00", "2026-02-13T09:00", "2026-03-13T09:00"],
        ),
        (
            "29 February",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            &["2028-02-29T09:00", "2032-02-29T09:00"],
        ),
        (
            "29 February on a Monday",
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
            &["2044-02-29T09:00", "2072-02-29T09:00"],
        ),
        (
            "the 20th Monday of the year",
            "FREQ=YEARLY;BYDAY=20MO",
            &["2025-05-19T09:00", "2026-05-18T09:00"],
        ),
        (
            "Monday of week 1, which may lie in December",
            "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO",
            &["2025-12-29T09:00", "2027-01-04T09:00", "2028-01-03T09:00"],
        ),
        (
            "the last day of the year",
            "FREQ=YEARLY;BYYEARDAY=-1",
            &["2025-12-31T09:00", "2026-12-31T09:00"],
        ),
        (
            "several times a day",
            "FREQ=DAILY;BYHOUR=8,20;BYMINUTE=0,30",
            &["2025-01-01T20:00", "2025-01-01T20:30", "2025-01-02T08:00", "2025-01-02T08:30"],
        ),
        (
            "every 90 minutes, but only in the ninth hour: where the grid meets it",
            "FREQ=MINUTELY;INTERVAL=90;BYHOUR=9",
            &["2025-01-01T09:00", "2025-01-02T09:00", "2025-01-03T09:00"],
        ),
        (
            "quarters of office hours",
            "FREQ=MINUTELY;INTERVAL=15;BYHOUR=9;BYDAY=MO",
            &["2025-01-06T09:00", "2025-01-06T09:15", "2025-01-06T09:30", "2025-01-06T09:45"],
        ),
        (
            "one second a year, asked second by second",
            "FREQ=SECONDLY;BYMONTH=12;BYMONTHDAY=31;BYHOUR=23;BYMINUTE=59;BYSECOND=58",
            &["2025-12-31T23:59:58", "2026-12-31T23:59:58"],
        ),
        (
            "the last of each hour's times",
            "FREQ=HOURLY;BYMINUTE=10,50;BYSETPOS=-1",
            &["2025-01-01T09:50", "2025-01-01T10:50"],
        ),
    ];
    for (why, rule, expected) in rows {
        let params = json!({"dtstart": "2025-01-01T09:00:00Z", "rule": rule});
        let spec = timer("core.rruletimer", params);
        let ended = rule.contains("COUNT") || rule.contains("UNTIL");
        let wanted = expected.len() + usize::from(ended);
        assert_eq!(ticks(&spec, "2024-12-01T00:00:00Z", wanted), expected, "{why}");
    }
}

#[test]
fn fields_and_text_say_the_same() {
    let start = "2025-01-01T09:00:00Z";
    let rows = [
        (
            json!({"freq": "monthly", "by_day": "2TU", "interval": 3}),
            "FREQ=MONTHLY;BYDAY=2TU;INTERVAL=3",
        ),
        (
            json!({"freq": "WEEKLY", "by_day": ["MO", "WE"], "week_start": "SU", "count": 4}),
            "FREQ=WEEKLY;BYDAY=MO,WE;WKST=SU;COUNT=4",
        ),
        (
            json!({"freq": "yearly", "by_month": 2, "by_month_day": [-1, 1], "by_hour": [8],
                "by_minute": [5], "by_second": [7], "until": "2026-01-01T00:00:00+01:00"}),
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1,-1;BYHOUR=8;BYMINUTE=5;BYSECOND=7;UNTIL=20251231T230000Z",
        ),
        (
            json!({"freq": "yearly", "by_year_day": [1, 100], "by_set_pos": [-1]}),
            "FREQ=YEARLY;BYYEARDAY=100,1;BYSETPOS=-1",
        ),
        (json!({"freq": "yearly", "by_week_no": [20]}), "FREQ=YEARLY;BYWEEKNO=20"),
    ];
    for (mut fields, rule) in rows {
        fields["dtstart"] = start.into();
        let text = timer("rrule", json!({"dtstart": start, "rule": rule}));
        assert_eq!(timer("rrule", fields), text, "{rule}");
    }
    let overruled = json!({"dtstart": start, "freq": "yearly", "rule": "FREQ=DAILY"});
    assert_eq!(
        timer("rrule", overruled),
        timer("rrule", json!({"dtstart": start, "freq": "daily"})),
        "the text decides alone"
    );
}

#[test]
fn rules_keep_the_wall_clock_of_their_zone() {
    let rows: [(&str, &str, &str, &str, &[&str]); 9] = [
        (
            "a start without offset is local",
            "2025-03-28T09:00:00",
            "Europe/Berlin",
            "FREQ=DAILY",
            &["2025-03-28T08:00", "2025-03-29T08:00", "2025-03-30T07:00", "2025-03-31T07:00"],
        ),
        (
            "a start with an offset is seen from the zone",
            "2025-03-08T14:00:00Z",
            "America/New_York",
            "FREQ=DAILY",
            &["2025-03-08T14:00", "2025-03-09T13:00"],
        ),
        (
            "Berlin loses 02:30 in spring: it fires at 03:30",
            "2025-03-29T02:30:00",
            "Europe/Berlin",
            "FREQ=DAILY",
            &["2025-03-29T01:30", "2025-03-30T01:30", "2025-03-31T00:30"],
        ),
        (
            "New York has 01:30 twice in autumn: the first fires",
            "2025-11-01T01:30:00",
            "America/New_York",
            "FREQ=DAILY",
            &["2025-11-01T05:30", "2025-11-02T05:30", "2025-11-03T06:30"],
        ),
        (
            "a rule that begins in the lost hour",
            "2025-03-30T02:30:00",
            "Europe/Berlin",
            "FREQ=DAILY;COUNT=2",
            &["2025-03-30T01:30", "2025-03-31T00:30"],
        ),
        (
            "every 20 minutes goes on through the repeated hour",
            "2025-11-02T00:40:00",
            "America/New_York",
            "FREQ=MINUTELY;INTERVAL=20;COUNT=8",
            &[
                "2025-11-02T04:40",
                "2025-11-02T05:00",
                "2025-11-02T05:20",
                "2025-11-02T05:40",
                "2025-11-02T06:00",
                "2025-11-02T06:20",
                "2025-11-02T06:40",
                "2025-11-02T07:00",
            ],
        ),
        (
            "every hour goes on through the lost hour",
            "2025-03-30T01:00:00",
            "Europe/Berlin",
            "FREQ=HOURLY;COUNT=3",
            &["2025-03-30T00:00", "2025-03-30T01:00", "2025-03-30T02:00"],
        ),
        (
            "every six hours is a matter of the wall clock",
            "2025-10-25T20:00:00",
            "Europe/Berlin",
            "FREQ=HOURLY;INTERVAL=6;COUNT=3",
            &["2025-10-25T18:00", "2025-10-26T00:00", "2025-10-26T07:00"],
        ),
        (
            "UNTIL without Z is local",
            "2025-07-01T09:00:00",
            "America/New_York",
            "FREQ=DAILY;UNTIL=20250702T090000",
            &["2025-07-01T13:00", "2025-07-02T13:00"],
        ),
    ];
    for (why, dtstart, timezone, rule, expected) in rows {
        let params = json!({"dtstart": dtstart, "timezone": timezone, "rule": rule});
        let spec = timer("core.rruletimer", params);
        let ended = rule.contains("COUNT") || rule.contains("UNTIL");
        let wanted = expected.len() + usize::from(ended);
        assert_eq!(ticks(&spec, "2025-01-01T00:00:00Z", wanted), expected, "{why}");
    }
}

#[test]
fn an_old_rule_keeps_its_grid() {
    let rows = [
        ("FREQ=SECONDLY;INTERVAL=7", 7),
        ("FREQ=MINUTELY;INTERVAL=35", 35 * 60),
        ("FREQ=DAILY;INTERVAL=3", 3 * 86_400),
    ];
    let start = at("1980-01-01T00:00:00Z");
    for (rule, seconds) in rows {
        let spec = timer("rrule", json!({"dtstart": "1980-01-01T00:00:00Z", "rule": rule}));
        let after = at("2024-12-31T23:59:59Z");
        let next = spec.next_after(start, after).expect("ticks");
        assert_eq!((next - start).num_seconds() % seconds, 0, "{rule} stays on its grid");
        assert!((next - after).num_seconds() <= seconds, "{rule} leaves none out");
        assert!(next > after, "{rule} looks ahead");
    }
}

#[test]
fn a_rule_that_is_over_is_no_error_and_never_fires() {
    let params = json!({"dtstart": "2020-01-01T00:00:00Z", "freq": "daily",
        "until": "2020-02-01T00:00:00Z"});
    let now = at("2025-01-01T00:00:00Z");
    assert_eq!(timer("rrule", params).next_after(now, now), None);
    let params = json!({"dtstart": "2020-01-01T00:00:00Z", "freq": "daily",
        "until": "2019-01-01T00:00:00Z"});
    assert_eq!(timer("rrule", params).next_after(at("2018-01-01T00:00:00Z"), now), None);
}

#[test]
fn a_long_pause_is_counted_up_to_a_limit_and_ends_at_the_latest_tick() {
    let params = json!({"dtstart": "2024-01-01T00:00:00Z", "freq": "secondly",
        "by_month": 1, "timezone": "Europe/Berlin"});
    let spec = timer("rrule", params);
    let (anchor, now) = (at("2024-01-01T00:00:00Z"), at("2025-12-01T00:00:00Z"));
    let missed = spec.missed(anchor, None, now).expect("missed");
    assert_eq!(missed.tick, at("2025-01-31T22:59:59Z"));
    assert_eq!(missed.missed_count, MISSED_COUNT_LIMIT);
}
