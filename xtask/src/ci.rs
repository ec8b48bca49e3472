//! Everything a change has to pass. The cheap checks come first, and all of them run, so that one
//! round shows everything there is to repair.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{cloud, step, test};

/// Checks formatting, lints, documentation and the cloud's template, runs all tests, and lists the time each took.
pub fn run() -> Result<()> {
    let mut documentation = step::cargo("doc --workspace --no-deps");
    documentation.env("RUSTDOCFLAGS", "-Dwarnings");
    let checks: [(&str, Command); 3] = [
        ("formatting", step::cargo("fmt --all -- --check")),
        ("lints", step::cargo("clippy --workspace --all-targets -- -D warnings")),
        ("documentation", documentation),
    ];
    let mut ended = Vec::new();
    for (name, mut command) in checks {
        ended.push(timed(name, || step::run(&mut command)));
    }
    ended.push(timed("template", cloud::lint));
    ended.push(timed("tests", || test::run(&[])));

    println!();
    for (name, took, done) in &ended {
        let word = if done.is_ok() { "passed" } else { "FAILED" };
        println!("{name:<14} {word}  {:>6.1} s", took.as_secs_f64());
    }
    let failed: Vec<&str> =
        ended.iter().filter(|(_, _, done)| done.is_err()).map(|(name, ..)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn timed(
    name: &'static str,
    work: impl FnOnce() -> Result<()>,
) -> (&'static str, Duration, Result<()>) {
    let start = Instant::now();
    let done = work();
    if let Err(error) = &done {
        eprintln!("xtask: {name}: {error:#}");
    }
    (name, start.elapsed(), done)
}
