//! Laws that hold for every timer, on generated ones.

use super::{at, timer};
use crate::Timestamp;
use crate::timer::{MISSED_COUNT_LIMIT, TimerSpec};
use chrono::{TimeDelta, Timelike};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
];

/// Moments of 2011 (when Samoa left out a day) and close to the clock changes of 2025.
fn moment() -> impl Strategy<Value = Timestamp> {
    let around = |text: &str, seconds: i64| {
        let at = at(text);
        (-seconds..seconds).prop_map(move |offset| at + TimeDelta::seconds(offset))
    };
    prop_oneof![
        around("2011-12-30T10:00:00Z", 200_000),
        around("2025-03-30T01:00:00Z", 20_000),
        around("2025-10-26T01:00:00Z", 20_000),
        around("2025-11-02T06:00:00Z", 20_000),
        around("2025-06-01T00:00:00Z", 10_000_000),
    ]
}

fn cron() -> impl Strategy<Value = Value> {
    let part = |most: u32| {
        prop_oneof![
            3 => Just("*".to_owned()),
            3 => (0..=most).prop_map(|value| value.to_string()),
            1 => (1..=most).prop_map(|step| format!("*/{step}")),
            1 => (0..most, 0..most).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        ]
    };
    let day =
        prop_oneof![4 => Just("*".to_owned()), 1 => (0..7_u32).prop_map(|day| day.to_string())];
    (part(59), part(59), part(23), day, select(&ZONES[..])).prop_map(
        |(second, minute, hour, day, zone)| {
            let expression = format!("{second} {minute} {hour} * * {day}");
            json!({"expression": expression, "timezone": zone})
        },
    )
}

/// Rules by days and times, as text without start.
fn long_rule() -> impl Strategy<Value = String> {
    let days = subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 0..=3);
    let month_days = subsequence(vec![1, 13, 28, 29, 30, 31, -1, -5], 0..=2);
    let hours = subsequence(vec![0, 2, 9, 23], 0..=2);
    let months = subsequence((1..=12).collect::<Vec<u32>>(), 0..=3);
    let freq = select(&["DAILY", "WEEKLY", "MONTHLY", "YEARLY"][..]);
    (freq, 1..=4_u32, days, month_days, hours, months, any::<bool>()).prop_map(
        |(freq, interval, days, month_days, hours, months, last)| {
            let mut rule = format!("FREQ={freq};INTERVAL={interval}");
            let mut part = |name: &str, values: Vec<String>| {
                if !values.is_empty() {
                    rule.push_str(&format!(";{name}={}", values.join(",")));
                }
                !values.is_empty()
            };
            let texts = |numbers: Vec<i32>| numbers.iter().map(ToString::to_string).collect();
            let mut chosen = part("BYDAY", days.into_iter().map(str::to_owned).collect());
            if freq != "WEEKLY" {
                chosen |= part("BYMONTHDAY", texts(month_days));
            }
            chosen |= part("BYHOUR", texts(hours));
            chosen |= part("BYMONTH", months.iter().map(ToString::to_string).collect());
            if chosen && last {
                part("BYSETPOS", vec!["-1".to_owned()]);
            }
            rule
        },
    )
}

/// Rules that tick within the day.
fn short_rule() -> impl Strategy<Value = String> {
    let hours = subsequence(vec![0, 1, 2, 3, 12, 23], 0..=3);
    let freq = select(&["SECONDLY", "MINUTELY", "HOURLY"][..]);
    (freq, 1..=100_u32, hours).prop_map(|(freq, interval, hours)| {
        let hours: Vec<String> = hours.iter().map(ToString::to_string).collect();
        let by_hour =
            if hours.is_empty() { String::new() } else { format!(";BYHOUR={}", hours.join(",")) };
        format!("FREQ={freq};INTERVAL={interval}{by_hour}")
    })
}

fn any_timer() -> impl Strategy<Value = TimerSpec> {
    let rule = prop_oneof![long_rule(), short_rule()];
    prop_oneof![
        (1..100_000_u32).prop_map(|seconds| timer("interval", json!({"seconds": seconds}))),
        cron().prop_map(|params| timer("cron", params)),
        moment().prop_map(|at| timer("one_shot", json!({"fire_at": at.to_rfc3339()}))),
        (rule, select(&ZONES[..])).prop_filter_map("names no time", |(rule, zone)| {
            let params = json!({"dtstart": "2010-05-03T01:30:00", "rule": rule, "timezone": zone});
            TimerSpec::parse("rrule", &params).ok()
        }),
    ]
}

fn following(spec: &TimerSpec, anchor: Timestamp) -> impl Iterator<Item = Timestamp> {
    let next = move |after: &Timestamp| spec.next_after(anchor, *after);
    std::iter::successors(next(&anchor), next)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn ticks_grow_strictly(spec in any_timer(), anchor in moment()) {
        let mut last = anchor;
        for tick in following(&spec, anchor).take(30) {
            prop_assert!(tick > last, "{spec}: {tick} after {last}");
            last = tick;
        }
    }

    #[test]
    fn no_tick_hides_between_two(spec in any_timer(), anchor in moment(), share in 0.0..1.0_f64) {
        let first = spec.next_after(anchor, anchor);
        let Some(first) = first else { return Ok(()) };
        let way = (first - anchor).num_milliseconds() as f64 * share;
        let between = anchor + TimeDelta::milliseconds(way as i64);
        if between < first {
            prop_assert_eq!(spec.next_after(anchor, between), Some(first), "{} at {}", spec, between);
        }
    }

    #[test]
    fn intervals_lie_on_the_grid(seconds in 1..1_000_000_i64, anchor in moment(), gone in 0..10_000_000_000_i64) {
        let spec = timer("interval", json!({"seconds": seconds}));
        let after = anchor + TimeDelta::milliseconds(gone);
        let tick = spec.next_after(anchor, after).expect("intervals do not end");
        prop_assert_eq!((tick - anchor).num_milliseconds() % (seconds * 1_000), 0);
        prop_assert!(tick > after && tick - after <= TimeDelta::seconds(seconds));
    }

    #[test]
    fn what_was_missed_is_what_would_have_fired(
        spec in any_timer(),
        anchor in moment(),
        fired in 0..5_usize,
        pause in 0..5_000_i64,
    ) {
        let last = following(&spec, anchor).take(fired).last();
        let now = last.unwrap_or(anchor) + TimeDelta::seconds(pause);
        let since = last.unwrap_or(anchor);
        // To begin at a tick leaves the grid of an interval where it was.
        let due: Vec<Timestamp> = following(&spec, since).take_while(|tick| *tick <= now).collect();
        let missed = spec.missed(anchor, last, now);
        prop_assert_eq!(missed.map(|missed| missed.tick), due.last().copied(), "{}", spec);
        let count = missed.map_or(0, |missed| missed.missed_count);
        let real = due.len() as u64;
        let bounded = !matches!(spec, TimerSpec::Interval(_));
        prop_assert_eq!(count, if bounded { real.min(MISSED_COUNT_LIMIT) } else { real });
    }

    /// Second by second, against the definition: a schedule of every hour ticks exactly when the
    /// clock on the wall shows a matching minute and second.
    #[test]
    fn hourly_cron_ticks_whenever_the_clock_shows_it(
        minute in 0..60_u32,
        zone in select(&ZONES[..]),
        anchor in moment(),
    ) {
        let params = json!({"expression": format!("0 {minute} * * * *"), "timezone": zone});
        let spec = timer("cron", params);
        let zone: Tz = zone.parse().expect("a zone");
        let first = anchor - TimeDelta::seconds(i64::from(anchor.second()));
        let shown: Vec<Timestamp> = (0..6 * 60)
            .map(|minutes| first + TimeDelta::minutes(minutes))
            .filter(|at| *at > anchor && at.with_timezone(&zone).minute() == minute)
            .collect();
        let ticked: Vec<Timestamp> = following(&spec, anchor).take(shown.len()).collect();
        prop_assert_eq!(ticked, shown);
    }

    /// The rrule crate reads the same rules; here it is the second opinion, in UTC.
    #[test]
    fn rules_of_days_agree_with_another_implementation(rule in long_rule()) {
        let params = json!({"dtstart": "2024-02-29T09:30:00Z", "rule": rule});
        let theirs: rrule::RRuleSet =
            format!("DTSTART:20240229T093000Z\nRRULE:{rule}").parse().expect("a rule");
        let theirs: Vec<Timestamp> =
            theirs.all(20).dates.iter().map(|date| date.to_utc()).take(20).collect();
        match TimerSpec::parse("rrule", &params) {
            Ok(spec) => {
                let ours: Vec<Timestamp> =
                    following(&spec, at("2024-01-01T00:00:00Z")).take(theirs.len()).collect();
                prop_assert_eq!(ours, theirs);
            }
            Err(error) => prop_assert!(theirs.is_empty(), "{error}"),
        }
    }
}
