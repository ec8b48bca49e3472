//! Measuring: builds with optimisation, runs the micro-benchmarks and the load program, which starts
//! servers of its own and prints the table.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step;

/// The name that selects the micro-benchmarks, for `--only`.
const MICRO: &str = "micro";

/// What to measure, and against what.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    quick: bool,
    url: Option<String>,
    only: Option<String>,
}

/// Runs the micro-benchmarks and the load program as the arguments say.
pub fn run(arguments: &[String]) -> Result<()> {
    let plan = plan(arguments)?;
    let target = step::target_dir()?;
    let mut build = step::cargo("build --release --package attune-benches");
    if plan.url.is_none() && plan.only.as_deref() != Some(MICRO) {
        build.args(["--package", "attune-cli"]);
    }
    step::run(&mut build)?;

    if plan.only.as_deref().is_none_or(|only| only == MICRO) {
        let mut micro = step::cargo("bench --package attune-benches --benches");
        // Where the load program looks for the estimates, whatever criterion would choose.
        micro.env("CRITERION_HOME", target.join("criterion"));
        if plan.quick {
            micro.args(["--", "--quick"]);
        }
        step::run(&mut micro)?;
    }

    let release = target.join("release");
    let mut load = Command::new(release.join(program("attune-load")));
    load.current_dir(step::root()).arg("--target-dir").arg(&target);
    match &plan.url {
        Some(url) => load.args(["--url", url]),
        None => load.arg("--server").arg(release.join(program("attune"))),
    };
    if plan.quick {
        load.arg("--quick");
    }
    if let Some(only) = &plan.only {
        load.args(["--only", only]);
    }
    step::run(&mut load)
}

fn program(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

fn plan(arguments: &[String]) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => plan.quick = true,
            "--url" => plan.url = Some(arguments.next().context("--url needs an address")?.clone()),
            "--only" => plan.only = Some(arguments.next().context("--only needs a name")?.clone()),
            unknown => bail!("bench knows --quick, --url URL and --only NAME, but not `{unknown}`"),
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn arguments_make_a_plan() {
        assert_eq!(plan(&[]).unwrap(), Plan::default());
        let all = plan(&words("--quick --url http://h:1 --only latency")).unwrap();
        let expected =
            Plan { quick: true, url: Some("http://h:1".into()), only: Some("latency".into()) };
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (line, complaint) in [
            ("--url", "--url needs an address"),
            ("--only", "--only needs a name"),
            ("--fast", "but not `--fast`"),
        ] {
            let error = plan(&words(line)).unwrap_err().to_string();
            assert!(error.contains(complaint), "{line}: {error}");
        }
    }
}
