//! How EventBridge Scheduler is told when a timer ticks, and which timers it cannot be told of.

use attune_domain::Timestamp;
use attune_domain::catalogue::Timer;
use attune_domain::timer::{Calendar, Cron, Days, TimerSpec};

/// Characters of an expression, at most.
const LONGEST: usize = 256;

/// How a timer ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// By a schedule of its own, from a start date on.
    Own {
        /// `rate(5 minutes)` or `cron(0 9 ? * 2-6 *)`.
        expression: String,
        /// The IANA zone whose clock a `cron` reads.
        timezone: &'static str,
    },
    /// Scheduler cannot express it, or not exactly: its ticks are planned one by one.
    Planned,
}

/// How a timer ticks, seen from `now`.
///
/// Whole-minute intervals and cron expressions of whole minutes are schedules of their own. Planned are: what
/// ticks within minutes; one-shots, which so are precise to the second; recurrence rules; cron expressions that
/// restrict both kinds of days, for which Scheduler has no form; and those that name a local time which a change
/// of the clock skips or repeats. Scheduler leaves such a tick out, where we fire it after the change.
#[must_use]
pub fn express(timer: &Timer, now: Timestamp) -> Expression {
    match &timer.spec {
        TimerSpec::Interval(interval) if interval.seconds() % 60 == 0 => {
            let minutes = interval.seconds() / 60;
            let unit = if minutes == 1 { "minute" } else { "minutes" };
            Expression::Own { expression: format!("rate({minutes} {unit})"), timezone: "UTC" }
        }
        TimerSpec::Cron(cron) => of_cron(cron, now).unwrap_or(Expression::Planned),
        TimerSpec::Interval(_) | TimerSpec::OneShot(_) | TimerSpec::Rrule(_) => Expression::Planned,
    }
}

fn of_cron(cron: &Cron, now: Timestamp) -> Option<Expression> {
    let calendar = cron.calendar()?;
    let timezone = if cron.is_zoneless(now) {
        "UTC"
    } else if cron.meets_change(now) {
        return None;
    } else {
        cron.timezone().name()
    };
    let expression = write(&calendar);
    (expression.len() <= LONGEST).then_some(Expression::Own { expression, timezone })
}

/// Minute, hour, day of the month, month, day of the week (Sunday is 1), year.
fn write(calendar: &Calendar) -> String {
    let (day, weekday) = match &calendar.days {
        Days::Every => ("*".to_owned(), "?".to_owned()),
        Days::OfMonth(days) => (field(days, 1, 31), "?".to_owned()),
        Days::OfWeek(days) => {
            let days: Vec<u32> = days.iter().map(|day| day + 1).collect();
            ("?".to_owned(), field(&days, 1, 7))
        }
    };
    let minute = field(&calendar.minutes, 0, 59);
    let hour = field(&calendar.hours, 0, 23);
    let month = field(&calendar.months, 1, 12);
    format!("cron({minute} {hour} {day} {month} {weekday} *)")
}

/// Numbers as shortly as a field can say them: all, every so many up to the end, or ranges.
fn field(numbers: &[u32], least: u32, most: u32) -> String {
    if numbers.len() == (most - least + 1) as usize {
        return "*".to_owned();
    }
    if let [first, second, _, ..] = numbers {
        let step = second - first;
        let steady = numbers.windows(2).all(|pair| pair[1] - pair[0] == step);
        if step > 1 && steady && numbers.last().is_some_and(|last| last + step > most) {
            return format!("{first}/{step}");
        }
    }
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let written = ranges.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    });
    written.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn expressed(config: &Value) -> Expression {
        let anchor = "2026-06-01T10:00:00.5Z".parse().expect("a time");
        let spec = TimerSpec::parse_config(config).expect("a timer");
        express(&Timer { spec, anchor, generation: 1 }, anchor)
    }

    #[test]
    fn what_scheduler_can_say_is_said() {
        let rows = [
            ("* * * * *", "UTC", "cron(* * * * ? *)", "UTC"),
            ("*/5 * * * *", "UTC", "cron(0/5 * * * ? *)", "UTC"),
            ("0 30 9 * * MON-FRI", "Europe/Berlin", "cron(30 9 ? * 2-6 *)", "Europe/Berlin"),
            ("0 12 * * 0", "UTC", "cron(0 12 ? * 1 *)", "UTC"),
            ("0 12 * * 7,6", "UTC", "cron(0 12 ? * 1,7 *)", "UTC"),
            ("0 0 1,15 * *", "UTC", "cron(0 0 1,15 * ? *)", "UTC"),
            ("10-20/5 8,9,10 * FEB-APR *", "UTC", "cron(10,15,20 8-10 * 2-4 ? *)", "UTC"),
            ("0 */6 ? JAN ?", "Asia/Tokyo", "cron(0 0/6 * 1 ? *)", "Asia/Tokyo"),
            // Every hour of every day is the same in UTC, where no clock changes.
            ("15 * * * *", "America/New_York", "cron(15 * * * ? *)", "UTC"),
            ("15 * * * *", "Asia/Kolkata", "cron(15 * * * ? *)", "Asia/Kolkata"),
        ];
        for (written, zone, expression, timezone) in rows {
            let config = json!({"type": "cron", "expression": written, "timezone": zone});
            let own = Expression::Own { expression: expression.to_owned(), timezone };
            assert_eq!(expressed(&config), own, "{written} {zone}");
        }
        let rows = [
            (json!({"minutes": 1}), "rate(1 minute)"),
            (json!({"seconds": 300}), "rate(5 minutes)"),
            (json!({"days": 2}), "rate(2880 minutes)"),
        ];
        for (mut config, expression) in rows {
            config["type"] = "interval".into();
            let own = Expression::Own { expression: expression.to_owned(), timezone: "UTC" };
            assert_eq!(expressed(&config), own, "{config}");
        }
    }

    #[test]
    fn the_rest_is_planned() {
        let rows = [
            json!({"type": "interval", "seconds": 10}),
            json!({"type": "interval", "seconds": 90}),
            json!({"type": "one_shot", "fire_at": "2030-01-01T00:00:00Z"}),
            json!({"type": "rrule", "dtstart": "2026-01-01T00:00:00Z", "freq": "daily"}),
            json!({"type": "cron", "expression": "30 0 9 * * *"}),
            json!({"type": "cron", "expression": "0 0 13 * FRI"}),
            json!({"type": "cron", "expression": "0 0 L * *"}),
            json!({"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"}),
            json!({"type": "cron", "expression": "*/5 * * * SUN", "timezone": "Europe/Berlin"}),
        ];
        for config in rows {
            assert_eq!(expressed(&config), Expression::Planned, "{config}");
        }
    }
}
