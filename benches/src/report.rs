//! Measurements as a table for people and as JSON for comparison.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde_json::{Value, json};

use crate::aim::{self, Aim};

/// One number and what it means.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The scenario and the number within it, as `shell.completed`; stable, for comparison.
    pub name: String,
    /// What was done, in a few words.
    pub work: String,
    /// The number.
    pub value: f64,
    /// Its unit: `/s`, `ms`, `µs`, `MiB`, `×`.
    pub unit: &'static str,
}

impl Measurement {
    /// A number with its name, work and unit.
    pub fn new(
        name: impl Into<String>,
        work: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) -> Self {
        Self { name: name.into(), work: work.into(), value, unit }
    }
}

/// A markdown table `work | measured | aim`.
pub fn table(measurements: &[Measurement]) -> String {
    let mut text = String::from("| work | measured | aim |\n|---|---:|---:|\n");
    for measurement in measurements {
        let Measurement { name, work, value, unit } = measurement;
        let measured = quantity(*value, unit);
        let aim = aim::of(name).map_or_else(|| "–".to_owned(), |aim| wish(aim, *value, unit));
        // Writing to a string cannot fail.
        writeln!(text, "| {work} | {measured} | {aim} |").ok();
    }
    text
}

/// The measurements with their aims, and what they were made on.
pub fn document(measurements: &[Measurement], quick: bool) -> Value {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let rows: Vec<Value> = measurements
        .iter()
        .map(|measurement| {
            let aim = aim::of(&measurement.name);
            json!({
                "name": measurement.name,
                "work": measurement.work,
                "value": measurement.value,
                "unit": measurement.unit,
                "at_least": aim.and_then(|aim| if let Aim::AtLeast(bound) = aim { Some(bound) } else { None }),
                "at_most": aim.and_then(|aim| if let Aim::AtMost(bound) = aim { Some(bound) } else { None }),
                "met": aim.map(|aim| aim.met(measurement.value)),
            })
        })
        .collect();
    json!({
        "measured_at_unix_seconds": since_epoch.as_secs(),
        "cores": cores,
        "quick": quick,
        "measurements": rows,
    })
}

/// Writes `load.md` and `load.json` into `folder`, which is created if it is not there.
pub fn write(folder: &Path, measurements: &[Measurement], quick: bool) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("load.md"), table(measurements))?;
    let document = serde_json::to_string_pretty(&document(measurements, quick))?;
    std::fs::write(folder.join("load.json"), document)?;
    Ok(())
}

fn wish(aim: Aim, value: f64, unit: &str) -> String {
    let (sign, bound) = match aim {
        Aim::AtLeast(bound) => ('≥', bound),
        Aim::AtMost(bound) => ('≤', bound),
    };
    let verdict = if aim.met(value) { "met" } else { "MISSED" };
    format!("{sign} {} {verdict}", quantity(bound, unit))
}

/// A number with its unit: thousands grouped from a hundred on, two decimals below.
fn quantity(value: f64, unit: &str) -> String {
    let number = if value.abs() < 100.0 { format!("{value:.2}") } else { grouped(value) };
    let space = if unit.starts_with('/') { "" } else { " " };
    format!("{number}{space}{unit}")
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { String::from("-") } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Measurement> {
        vec![
            Measurement::new("webhook_noop.accepted", "webhook → core.noop", 12_345.6, "/s"),
            Measurement::new("shell.completed", "shell actions", 399.0, "/s"),
            Measurement::new("queue_depth.ratio", "100,000 waiting against 10", 1.1, "×"),
        ]
    }

    #[test]
    fn the_table_puts_each_number_beside_its_aim() {
        let expected = "\
| work | measured | aim |
|---|---:|---:|
| webhook → core.noop | 12,346/s | – |
| shell actions | 399/s | ≥ 400/s MISSED |
| 100,000 waiting against 10 | 1.10 × | ≤ 1.50 × met |
";
        assert_eq!(table(&rows()), expected);
    }

    #[test]
    fn the_files_hold_the_same_rows() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("bench");
        write(&target, &rows(), true).unwrap();
        assert_eq!(std::fs::read_to_string(target.join("load.md")).unwrap(), table(&rows()));
        let text = std::fs::read_to_string(target.join("load.json")).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["quick"], true);
        assert_eq!(document["measurements"][0]["met"], Value::Null);
        assert_eq!(document["measurements"][1]["at_least"], 400.0);
        assert_eq!(document["measurements"][1]["met"], false);
        assert_eq!(document["measurements"][2]["at_most"], 1.5);
    }

    #[test]
    fn large_numbers_are_grouped() {
        for (value, text) in
            [(100.0, "100"), (1_000.0, "1,000"), (1_234_567.0, "1,234,567"), (-1_000.0, "-1,000")]
        {
            assert_eq!(grouped(value), text);
        }
    }
}
