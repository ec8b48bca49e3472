//! What the event of a tick says.

use super::TimerSpec;
use crate::Timestamp;
use chrono::SecondsFormat;
use serde_json::{Value, json};

/// One tick that fires, and what its event tells about it.
#[derive(Clone, Copy, Debug)]
pub struct Firing<'a> {
    /// The moment it was due.
    pub tick: Timestamp,
    /// The moment it fires.
    pub fired_at: Timestamp,
    /// How many times this timer fired since it was enabled, this time included.
    pub execution_count: u64,
    /// The tick after this one, if there is one.
    pub next: Option<Timestamp>,
    /// Ref of the sensor in whose name it fires, such as `core.timer_sensor`.
    pub sensor_ref: &'a str,
    /// How many ticks this one makes up for; 0 in the ordinary course.
    pub missed_count: u64,
}

impl TimerSpec {
    /// The payload of the event for `firing`. Times end in `+00:00`, delays are in milliseconds.
    #[must_use]
    pub fn payload(&self, firing: &Firing<'_>) -> Value {
        let Firing { tick, fired_at, execution_count, next, sensor_ref, missed_count } = *firing;
        let delay_ms = (fired_at - tick).num_milliseconds().max(0);
        let mut payload = match self {
            Self::Interval(interval) => json!({
                "type": "interval",
                "interval_seconds": interval.seconds(),
                "fired_at": written(fired_at),
                "execution_count": execution_count,
                "sensor_ref": sensor_ref,
            }),
            Self::Cron(cron) => json!({
                "type": "cron",
                "fired_at": written(fired_at),
                "scheduled_at": written(tick),
                "expression": cron.expression(),
                "timezone": cron.timezone().name(),
                "next_fire_at": next.map(written),
                "execution_count": execution_count,
                "sensor_ref": sensor_ref,
            }),
            Self::OneShot(one_shot) => json!({
                "type": "one_shot",
                "fire_at": written(one_shot.fire_at()),
                "fired_at": written(fired_at),
                "timezone": "UTC",
                "delay_ms": delay_ms,
                "sensor_ref": sensor_ref,
            }),
            Self::Rrule(_) => json!({
                "type": "rrule",
                "fired_at": written(fired_at),
                "scheduled_at": written(tick),
                "delay_ms": delay_ms,
                "execution_count": execution_count,
                "sensor_ref": sensor_ref,
            }),
        };
        if missed_count > 0 {
            payload["missed_count"] = missed_count.into();
        }
        payload
    }
}

fn written(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
