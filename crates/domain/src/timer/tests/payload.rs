//! What the event of a tick says, kind by kind.

use super::{at, timer};
use crate::timer::Firing;
use serde_json::{Value, json};

#[test]
fn each_kind_says_what_clients_read() {
    let rows: [(&str, Value, Value); 4] = [
        (
            "interval",
            json!({"minutes": 1}),
            json!({"type": "interval", "interval_seconds": 60,
                "fired_at": "2025-01-01T09:00:00.250+00:00", "execution_count": 3,
                "sensor_ref": "core.timer_sensor"}),
        ),
        (
            "cron",
            json!({"expression": "0 10 * * *", "timezone": "Europe/Berlin"}),
            json!({"type": "cron", "fired_at": "2025-01-01T09:00:00.250+00:00",
                "scheduled_at": "2025-01-01T09:00:00+00:00", "expression": "0 0 10 * * *",
                "timezone": "Europe/Berlin", "next_fire_at": "2025-01-02T09:00:00+00:00",
                "execution_count": 3, "sensor_ref": "core.timer_sensor"}),
        ),
        (
            "one_shot",
            json!({"fire_at": "2025-01-01T10:00:00+01:00"}),
            json!({"type": "one_shot", "fire_at": "2025-01-01T09:00:00+00:00",
                "fired_at": "2025-01-01T09:00:00.250+00:00", "timezone": "UTC", "delay_ms": 250,
                "sensor_ref": "core.timer_sensor"}),
        ),
        (
            "rrule",
            json!({"freq": "daily", "dtstart": "2024-01-01T09:00:00Z"}),
            json!({"type": "rrule", "fired_at": "2025-01-01T09:00:00.250+00:00",
                "scheduled_at": "2025-01-01T09:00:00+00:00", "delay_ms": 250,
                "execution_count": 3, "sensor_ref": "core.timer_sensor"}),
        ),
    ];
    let tick = at("2025-01-01T09:00:00Z");
    for (name, params, expected) in rows {
        let spec = timer(name, params);
        let firing = Firing {
            tick,
            fired_at: at("2025-01-01T09:00:00.250Z"),
            execution_count: 3,
            next: spec.next_after(at("2024-01-01T00:00:00Z"), tick),
            sensor_ref: "core.timer_sensor",
            missed_count: 0,
        };
        assert_eq!(spec.payload(&firing), expected);
        let late = spec.payload(&Firing { missed_count: 7, ..firing });
        assert_eq!(late["missed_count"], 7, "{name} that makes up for others says so");
    }
}

#[test]
fn a_clock_behind_the_schedule_shows_no_negative_delay() {
    let spec = timer("one_shot", json!({"fire_at": "2025-01-01T09:00:00Z"}));
    let firing = Firing {
        tick: at("2025-01-01T09:00:00Z"),
        fired_at: at("2025-01-01T08:59:59Z"),
        execution_count: 1,
        next: None,
        sensor_ref: "core.timer_sensor",
        missed_count: 0,
    };
    assert_eq!(spec.payload(&firing)["delay_ms"], 0);
}
