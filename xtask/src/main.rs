//! The project's chores, as `cargo xtask <chore>`: a plain program in the workspace instead of shell
//! scripts, so that the same words work on every machine that has Rust. It depends on next to
//! nothing, because everybody who runs a test first has to compile it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program whose output is text")]

mod bench;
mod ci;
mod cloud;
mod step;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>

  test [FILTER…]   build the `attune` binary and run every test; with filters, those tests only
  check            the quick loop: type-check everything, run the tests that start no server
  ci               formatting, lints, documentation, the cloud's template, tests
  bench [--quick] [--url URL] [--only NAME]
                   measure, and print a table `work | measured | aim`
  cloud <what>     the cloud deployment, on an emulator of AWS or on AWS; `cloud help` tells more";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let chore = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let done = match (chore.as_str(), rest.is_empty()) {
        ("test", _) => test::run(&rest),
        ("check", true) => test::quick(),
        ("ci", true) => ci::run(),
        ("bench", _) => bench::run(&rest),
        ("cloud", _) => cloud::run(&rest),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
