//! `attune-load`: measures a server from outside and prints a table `work | measured | aim`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program whose output is text")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use attune_benches::scenario::{self, Scenario, Size, Target};
use attune_benches::session::Credentials;
use attune_benches::{Measurement, disk, report};
use clap::Parser;

/// Measures an Attune server over its REST API.
///
/// With --server, every scenario gets a fresh server with an empty data folder. With --url, a running
/// server is measured: log in with ATTUNE_ADMIN_LOGIN and ATTUNE_ADMIN_PASSWORD; what other clients
/// do meanwhile counts as well.
#[derive(Debug, Parser)]
struct Arguments {
    /// The `attune` program to start
    #[arg(long, required_unless_present = "url", conflicts_with = "url")]
    server: Option<PathBuf>,
    /// The address of a running server, as http://host:port
    #[arg(long)]
    url: Option<String>,
    /// Less work: to see that all is well rather than to compare numbers
    #[arg(long)]
    quick: bool,
    /// One scenario only
    #[arg(long)]
    only: Option<Scenario>,
    /// The folder that cargo builds into: data folders and results go to `bench` in it
    #[arg(long, default_value = "target")]
    target_dir: PathBuf,
}

/// One thread is enough for the load, and leaves the other cores to the server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("attune-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let bench = arguments.target_dir.join("bench");
    std::fs::create_dir_all(&bench)?;
    let target = target(&arguments, bench.clone())?;
    let size = if arguments.quick { Size::Quick } else { Size::Full };
    let scenarios = arguments.only.map_or_else(|| Scenario::ALL.to_vec(), |only| vec![only]);

    let mut measurements = Vec::new();
    let mut failures = Vec::new();
    for scenario in scenarios {
        eprintln!("attune-load: {}", scenario.name());
        match scenario::run(scenario, &target, size, &arguments.target_dir).await {
            Ok(Some(measured)) => measurements.extend(measured),
            Ok(None) => eprintln!("attune-load: {} needs --server", scenario.name()),
            // The other scenarios are worth having all the same.
            Err(error) => {
                eprintln!("attune-load: {error:#}");
                failures.push(scenario.name());
            }
        }
    }
    if matches!(target, Target::Own { .. }) && arguments.only != Some(Scenario::Micro) {
        let time = Duration::from_secs(2);
        measurements.push(Measurement::new(
            "disk.durable_writes",
            "for comparison: the disk's own durable 4 KiB writes, one after the other",
            disk::durable_writes_per_second(&bench, time)?,
            "/s",
        ));
    }
    report::write(&bench, &measurements, arguments.quick)?;
    println!("{}", report::table(&measurements));
    if !failures.is_empty() {
        bail!("not measured: {}", failures.join(", "));
    }
    Ok(())
}

fn target(arguments: &Arguments, scratch: PathBuf) -> Result<Target> {
    if let Some(program) = &arguments.server {
        return Ok(Target::Own { program: program.clone(), scratch });
    }
    let url = arguments.url.as_deref().context("either --server or --url is needed")?;
    let authority = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .filter(|authority| !authority.is_empty() && !authority.contains('/'))
        .context("--url is an address as http://host:port; https is not measured")?;
    let authority =
        if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
    Ok(Target::Running { authority, credentials: Credentials::from_environment()? })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_defined() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_address_that_cannot_be_measured_is_refused() {
        for url in ["https://host", "http://", "http://host/path", "host:80"] {
            let arguments = Arguments::parse_from(["attune-load", "--url", url]);
            let error = target(&arguments, PathBuf::new()).err().unwrap().to_string();
            assert!(error.contains("http://host:port"), "{url}: {error}");
        }
    }
}
