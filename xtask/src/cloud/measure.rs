//! Measuring the cloud deployment: what an execution costs, how large functions are and how fast they start.

use std::os::unix::fs::symlink;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::functions::FUNCTIONS;
use crate::step;

/// What everything is compared with.
const EMPTY: &str = "empty-function";

/// Runs the test that counts requests and prices them, and shows its tables.
pub fn cost() -> Result<()> {
    super::functions::compile()?;
    let mut test = step::cargo("test --package attune-tests --test server");
    test.envs(super::surroundings()?);
    step::run(test.args(["an_execution_takes_few_requests", "--", "--nocapture"]))
}

/// Builds the functions and an empty one as they are deployed, and starts each of them again and again.
pub fn cold_start(words: &[String]) -> Result<()> {
    let target = step::target_dir()?;
    let mut build = step::cargo("build --profile function");
    for name in FUNCTIONS.iter().chain([&EMPTY]) {
        build.args(["--package", name]);
    }
    step::run(&mut build)?;
    step::run(&mut step::cargo(
        "build --release --package attune-benches --bin attune-cold-start",
    ))?;
    let folder = target.join("cloud").join("cold-start");
    for name in FUNCTIONS.iter().chain([&EMPTY]) {
        let own = folder.join(name);
        std::fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
        let bootstrap = own.join("bootstrap");
        // Whatever was there: what counts is what was built just now.
        let _ = std::fs::remove_file(&bootstrap);
        symlink(target.join("function").join(name), &bootstrap)
            .with_context(|| format!("cannot make {}", bootstrap.display()))?;
    }
    let mut measure = Command::new(target.join("release").join("attune-cold-start"));
    step::run(measure.arg("--functions").arg(&folder).args(words))
}
