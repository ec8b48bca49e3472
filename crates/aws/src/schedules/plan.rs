//! Which ticks of a timer to send now, and who looks at it next.
//!
//! Pure: the caller says what time it is.

use attune_domain::Timestamp;
use attune_ports::{Schedule, Tick};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// So far ahead ticks are sent as delayed messages: the next plan may be late by a minute.
pub const WINDOW: TimeDelta = TimeDelta::minutes(2);
/// A timer that is quiet for longer is not looked at every minute.
pub const FAR: TimeDelta = TimeDelta::minutes(15);
/// So long before a far tick its schedule wakes us, as Scheduler may be late by a minute.
const EARLY: TimeDelta = TimeDelta::minutes(1);

/// How far a timer's ticks are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Ticks up to this moment have been sent.
    pub until: Timestamp,
    /// How many those were.
    pub count: u64,
}

/// Who looks at a timer next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The plan of the next minute.
    Minute,
    /// A one-time schedule at this moment, on a whole minute.
    At(Timestamp),
    /// Nobody: there are no ticks left.
    Over,
}

/// What a look at a timer decided.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Ticks to send, in order; those that have passed at once.
    pub ticks: Vec<Tick>,
    /// What is planned with these.
    pub progress: Progress,
    /// Who looks next.
    pub next: Next,
}

/// Plans the ticks of a timer up to [`WINDOW`] after `now`. What was missed since `progress` is one tick.
#[must_use]
pub fn plan(schedule: &Schedule, progress: Progress, now: Timestamp) -> Plan {
    let timer = &schedule.timer;
    let Progress { until, mut count } = progress;
    let mut ticks = Vec::new();
    let mut add = |scheduled_at, missed| {
        count += 1;
        let generation = timer.generation;
        ticks.push(Tick { name: schedule.name.clone(), generation, scheduled_at, missed, count });
    };
    if let Some(missed) = timer.spec.missed(timer.anchor, Some(until), now) {
        // The tick that fires now is not missed.
        add(missed.tick, missed.missed_count.saturating_sub(1));
    }
    let end = (now + WINDOW).max(until);
    let mut next = timer.spec.next_after(timer.anchor, until.max(now));
    while let Some(tick) = next.filter(|tick| *tick <= end) {
        add(tick, 0);
        next = timer.spec.next_after(timer.anchor, tick);
    }
    let next = match next {
        None => Next::Over,
        Some(tick) if tick - now <= FAR => Next::Minute,
        Some(tick) => Next::At(whole_minute(tick - EARLY)),
    };
    Plan { ticks, progress: Progress { until: end, count }, next }
}

/// The whole minute at or before a moment.
fn whole_minute(moment: Timestamp) -> Timestamp {
    moment - TimeDelta::milliseconds(moment.timestamp_millis().rem_euclid(60_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_domain::catalogue::Timer;
    use attune_domain::timer::TimerSpec;
    use serde_json::{Value, json};

    fn at(text: &str) -> Timestamp {
        format!("2026-06-01T{text}Z").parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn schedule(config: &Value, anchor: &str) -> Schedule {
        let spec = TimerSpec::parse_config(config).expect("a timer");
        let timer = Timer { spec, anchor: at(anchor), generation: 7 };
        Schedule { name: "rule/p.t".into(), timer }
    }

    fn times(plan: &Plan) -> Vec<String> {
        let text = |tick: &Tick| {
            let missed = if tick.missed > 0 { format!("+{}", tick.missed) } else { String::new() };
            format!("{}{missed}#{}", tick.scheduled_at.format("%H:%M:%S"), tick.count)
        };
        plan.ticks.iter().map(text).collect()
    }

    #[test]
    fn each_tick_is_planned_once() {
        let schedule = schedule(&json!({"type": "interval", "seconds": 90}), "10:00:00.5");
        let mut progress = Progress { until: at("10:00:00.5"), count: 0 };
        let rows: [(&str, &[&str]); 6] = [
            ("10:00:00.6", &["10:01:30#1"]),
            ("10:01:01", &["10:03:00#2"]),
            ("10:01:30", &[]),
            // A minute late, and again at once.
            ("10:04:20", &["10:04:30#3", "10:06:00#4"]),
            ("10:04:20", &[]),
            ("10:05:20", &[]),
        ];
        for (now, expected) in rows {
            let plan = plan(&schedule, progress, at(now));
            assert_eq!(times(&plan), expected, "at {now}");
            assert_eq!(plan.next, Next::Minute);
            progress = plan.progress;
        }
    }

    #[test]
    fn what_was_missed_is_one_tick() {
        let schedule = schedule(&json!({"type": "interval", "seconds": 10}), "10:00:00");
        let progress = Progress { until: at("10:02:00"), count: 12 };
        let plan = plan(&schedule, progress, at("10:05:01"));
        assert_eq!(times(&plan)[..2], ["10:05:00+17#13", "10:05:10#14"]);
        assert_eq!(times(&plan).len(), 13);
        assert_eq!(plan.progress, Progress { until: at("10:07:01"), count: 25 });
    }

    #[test]
    fn far_ticks_are_chained() {
        let once = |time: &str| {
            let fire_at = at(time).to_rfc3339();
            schedule(&json!({"type": "one_shot", "fire_at": fire_at}), "10:00:00")
        };
        let hourly = json!({"type": "interval", "seconds": 3_601});
        let rows = [
            (once("10:00:05.25"), "10:00:00", vec!["10:00:05#1"], Next::Over),
            (once("10:10:00"), "10:00:00", vec![], Next::Minute),
            (once("12:00:30"), "10:00:00", vec![], Next::At(at("11:59:00"))),
            (once("12:00:30"), "11:59:00", vec!["12:00:30#1"], Next::Over),
            (once("12:00:30"), "12:01:00", vec!["12:00:30#1"], Next::Over),
            (once("09:00:00"), "10:00:00", vec![], Next::Over),
            (schedule(&hourly, "10:00:00"), "10:00:00", vec![], Next::At(at("10:59:00"))),
            (
                schedule(&hourly, "10:00:00"),
                "10:59:30",
                vec!["11:00:01#1"],
                Next::At(at("11:59:00")),
            ),
        ];
        for (schedule, now, expected, next) in rows {
            let progress = Progress { until: at("10:00:00"), count: 0 };
            let plan = plan(&schedule, progress, at(now));
            assert_eq!(times(&plan), expected, "{} at {now}", schedule.timer.spec);
            assert_eq!(plan.next, next, "{} at {now}", schedule.timer.spec);
        }
    }
}
