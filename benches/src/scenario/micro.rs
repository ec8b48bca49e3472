//! The estimates that the micro-benchmarks left in the build folder, as rows of the same table.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::Measurement;

/// Folder and description of each micro-benchmark, in the order of the table.
const BENCHMARKS: [(&str, &str); 4] = [
    ("condition_index_1000", "find which of 1,000 rules an event concerns"),
    ("template_paths", "render 5 parameters of a rule that are paths into the event"),
    ("template_expressions", "render 2 parameters that are expressions"),
    ("admission_decide", "decide one admission into a line of 100,000"),
];

/// The median of each micro-benchmark that was run, in microseconds. `built` is the folder that
/// cargo builds into.
pub(super) fn read(built: &Path) -> Result<Vec<Measurement>> {
    let mut measurements = Vec::new();
    for (name, work) in BENCHMARKS {
        let file = built.join("criterion").join(name).join("new/estimates.json");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let nanoseconds = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|estimates| estimates.pointer("/median/point_estimate")?.as_f64())
            .with_context(|| format!("{} holds no estimate", file.display()))?;
        measurements.push(Measurement::new(
            format!("micro.{name}"),
            work,
            nanoseconds / 1_000.0,
            "µs",
        ));
    }
    Ok(measurements)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A build folder in which the first micro-benchmark left `estimates`.
    fn built(estimates: &str) -> tempfile::TempDir {
        let built = tempfile::tempdir().unwrap();
        let folder = built.path().join("criterion").join(BENCHMARKS[0].0).join("new");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("estimates.json"), estimates).unwrap();
        built
    }

    #[test]
    fn medians_are_read_in_microseconds() {
        let built = built(r#"{"mean":{"point_estimate":9.0},"median":{"point_estimate":1500.0}}"#);
        let measurements = read(built.path()).unwrap();
        assert_eq!(measurements.len(), 1);
        assert_eq!((measurements[0].value, measurements[0].unit), (1.5, "µs"));
    }

    #[test]
    fn what_was_not_run_has_no_row_and_what_cannot_be_read_is_an_error() {
        assert_eq!(read(Path::new("/nowhere")).unwrap(), []);
        let error = read(built("{}").path()).unwrap_err().to_string();
        assert!(error.contains("estimates.json holds no estimate"), "{error}");
    }
}
