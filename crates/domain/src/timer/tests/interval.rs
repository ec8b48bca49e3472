//! Intervals: a grid that starts at the moment of enabling.

use super::{at, timer};
use serde_json::json;

#[test]
fn ticks_lie_on_the_grid_of_the_anchor() {
    let spec = timer("interval", json!({"interval": 10, "unit": "minutes"}));
    let anchor = at("2025-01-01T00:03:00.250Z");
    let rows = [
        ("2025-01-01T00:03:00.250Z", "2025-01-01T00:13:00.250Z", "the first after one interval"),
        ("2024-12-31T00:00:00Z", "2025-01-01T00:13:00.250Z", "none before the anchor"),
        ("2025-01-01T00:13:00.249Z", "2025-01-01T00:13:00.250Z", "just before a tick"),
        ("2025-01-01T00:13:00.250Z", "2025-01-01T00:23:00.250Z", "at a tick, the one after"),
        ("2025-06-01T00:00:00Z", "2025-06-01T00:03:00.250Z", "no drift in months"),
    ];
    for (after, next, why) in rows {
        assert_eq!(spec.next_after(anchor, at(after)), Some(at(next)), "{why}");
    }
}

#[test]
fn what_was_missed_is_one_tick_and_a_count() {
    let spec = timer("interval", json!({"seconds": 1}));
    let anchor = at("2025-01-01T00:00:00Z");
    let rows = [
        (None, "2025-01-01T00:00:00.900Z", None, "nothing was due yet"),
        (None, "2025-01-01T00:00:01Z", Some(("2025-01-01T00:00:01Z", 1)), "a tick due now counts"),
        (Some("2025-01-01T00:00:01Z"), "2025-01-01T00:00:01.500Z", None, "the last one fired"),
        (
            Some("2025-01-01T00:00:10Z"),
            "2026-01-01T00:00:10.700Z",
            Some(("2026-01-01T00:00:10Z", 31_536_000)),
            "a year later",
        ),
        (
            Some("2024-06-01T00:00:00Z"),
            "2025-01-01T00:00:03Z",
            Some(("2025-01-01T00:00:03Z", 3)),
            "ticks of an earlier setting do not count",
        ),
        (None, "2024-01-01T00:00:00Z", None, "the clock went backwards"),
    ];
    for (last, now, expected, why) in rows {
        let missed = spec.missed(anchor, last.map(at), at(now));
        let missed = missed.map(|missed| (missed.tick, missed.missed_count));
        assert_eq!(missed, expected.map(|(tick, count)| (at(tick), count)), "{why}");
    }
}
