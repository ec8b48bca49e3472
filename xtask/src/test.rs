//! Running the tests: set up what they start, run them all, and end with the runners' own summaries,
//! so that the last lines say how it went.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::cloud;
use crate::step::{self, Heard, Stream};

/// Builds what the tests start, then runs all tests, or those whose names contain one of `filters`.
/// Documentation examples have no names worth filtering by and run only in a full run.
pub fn run(filters: &[String]) -> Result<()> {
    warn_of_missing_interpreters();
    let around = cloud::surroundings()?;
    build(&["--workspace"])?;
    let tests = packages(&["--workspace"], filters, &[], &around)?;
    if !filters.is_empty() {
        return conclude(&[("tests", tests)]);
    }
    let colour = format!("--color={}", step::colour());
    let mut examples = step::cargo("test --doc --workspace --no-fail-fast");
    let heard = step::listen(examples.arg(colour), Stream::Out)?;
    let examples = Verdict { success: heard.success, summary: totals(&heard.lines) };
    conclude(&[("tests", tests), ("documentation examples", examples)])
}

/// The quick loop: does everything compile, and do the tests pass that need no server?
pub fn quick() -> Result<()> {
    step::run(&mut step::cargo("check --workspace --all-targets"))?;
    conclude(&[("unit tests", packages(&["--workspace"], &[], &["--lib", "--bins"], &[])?)])
}

/// The tests of the cloud deployment, or those of them whose names contain one of `filters`.
pub fn cloud(filters: &[String]) -> Result<()> {
    warn_of_missing_interpreters();
    let around = cloud::surroundings()?;
    let mut selection = vec![];
    let packages = ["attune-cli", "attune-aws", "attune-function", "attune-tests"];
    for name in packages.iter().chain(&cloud::FUNCTIONS) {
        selection.extend(["--package", name]);
    }
    build(&selection)?;
    conclude(&[("tests", self::packages(&selection, filters, &[], &around)?)])
}

/// Builds what the tests of `packages` run and start. The journeys start the real server and the real functions,
/// and cargo builds binaries only for their own package's tests. All in one build, of the packages that are tested:
/// another selection would have other features, and compile the largest dependencies once more.
fn build(packages: &[&str]) -> Result<()> {
    step::run(step::cargo("build --bins --tests").args(packages))
}

/// How one runner ended, in its own words.
struct Verdict {
    success: bool,
    summary: Vec<String>,
}

/// The tests of packages by cargo-nextest where it is installed, by cargo's own runner elsewhere; `around`
/// them are these variables.
fn packages(
    packages: &[&str],
    filters: &[String],
    targets: &[&str],
    around: &[(&'static str, OsString)],
) -> Result<Verdict> {
    let colour = format!("--color={}", step::colour());
    if step::available("cargo-nextest", &["nextest", "--version"]) {
        let mut command = step::cargo("nextest run --no-fail-fast");
        command.envs(around.iter().cloned());
        command.args(packages).arg(colour).args(targets).args(filters);
        let Heard { success, lines } = step::listen(&mut command, Stream::Err)?;
        return Ok(Verdict { success, summary: from_summary(&lines) });
    }
    eprintln!("xtask: cargo-nextest is not installed, so cargo's own runner is used");
    // cargo's runner takes one filter, and takes several only behind `--`.
    let mut command = step::cargo("test --no-fail-fast");
    command.envs(around.iter().cloned());
    let targets = if targets.is_empty() { &["--lib", "--bins", "--tests"] } else { targets };
    command.args(packages).arg(colour).args(targets).arg("--").args(filters);
    let Heard { success, lines } = step::listen(&mut command, Stream::Out)?;
    Ok(Verdict { success, summary: totals(&lines) })
}

fn conclude(verdicts: &[(&str, Verdict)]) -> Result<()> {
    println!();
    for (what, verdict) in verdicts {
        let word = if verdict.success { "passed" } else { "FAILED" };
        println!("== {what} {word}");
        for line in &verdict.summary {
            println!("{line}");
        }
    }
    let failed: Vec<&str> =
        verdicts.iter().filter(|(_, verdict)| !verdict.success).map(|(what, _)| *what).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// nextest's summary and what follows it: the list of what failed.
fn from_summary(lines: &[String]) -> Vec<String> {
    let start = lines.iter().rposition(|line| line.contains("Summary"));
    start.map_or_else(
        || vec!["the runner ended before it ran a test".to_owned()],
        |start| lines[start..].to_vec(),
    )
}

/// One line that adds up the `test result:` lines of cargo's runner, one of which ends every binary.
fn totals(lines: &[String]) -> Vec<String> {
    let results = lines.iter().filter(|line| line.contains("test result:"));
    let (mut passed, mut failed, mut ignored, mut seen) = (0_u64, 0_u64, 0_u64, false);
    for part in results.flat_map(|line| line.split(['.', ';'])) {
        let mut words = part.split_whitespace();
        let (Some(count), Some(word)) = (words.next(), words.next()) else { continue };
        let Ok(count) = count.parse::<u64>() else { continue };
        seen = true;
        match word {
            "passed" => passed += count,
            "failed" => failed += count,
            "ignored" => ignored += count,
            _ => {}
        }
    }
    if !seen {
        return vec!["the runner ended before it ran a test".to_owned()];
    }
    vec![format!("{passed} passed, {failed} failed, {ignored} ignored")]
}

/// Some tests run actions with these interpreters; a missing one is easier to understand up here.
fn warn_of_missing_interpreters() {
    for interpreter in ["python3", "node"] {
        if !step::available(interpreter, &["--version"]) {
            eprintln!("xtask: {interpreter} does not start here; the tests that need it will fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn results_of_several_binaries_are_added_up() {
        let output = lines(
            "test a ... ok\n\
             test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.0s",
        );
        assert_eq!(totals(&output), ["4 passed, 2 failed, 1 ignored"]);
    }

    #[test]
    fn a_build_error_is_not_a_run_without_tests() {
        assert_eq!(totals(&lines("error: no")), ["the runner ended before it ran a test"]);
        assert_eq!(from_summary(&lines("error: no")), ["the runner ended before it ran a test"]);
    }

    #[test]
    fn the_summary_carries_the_failures_that_follow_it() {
        let output = lines("PASS a\n Summary [1s] 2 tests run\n FAIL b");
        assert_eq!(from_summary(&output), [" Summary [1s] 2 tests run", " FAIL b"]);
    }
}
