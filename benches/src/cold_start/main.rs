//! `attune-cold-start`: how large each function is, and how long it takes from the start of its process to
//! the first answer, beside an empty function in the same run.
//!
//! Each function gets an invocation that needs no AWS call from a Runtime API of this program's own
//! ([`runtime_api`]); AWS itself is out of reach, so a function that calls it all the same fails. The
//! functions take turns, so that whatever else the machine does falls on all of them alike.

mod event;
mod runtime_api;

use anyhow::{Context as _, bail};
use clap::Parser;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use runtime_api::RuntimeApi;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Name of the function that does nothing.
const EMPTY: &str = "empty-function";
/// A function that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures size and cold start of functions beside an empty one.
#[derive(Parser)]
struct Arguments {
    /// Folder with `<function>/bootstrap`, the empty function's among them
    #[arg(long, value_name = "PATH")]
    functions: PathBuf,
    /// Starts of each function
    #[arg(long, default_value_t = 20)]
    runs: usize,
}

/// A function and what was measured of it.
struct Function {
    name: String,
    bootstrap: PathBuf,
    zipped: usize,
    starts: Vec<Duration>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut functions = find(&arguments.functions)?;
    let api = RuntimeApi::start().await?;
    for _ in 0..arguments.runs.max(1) {
        for function in &mut functions {
            if let Some(event) = event::without_aws(&function.name) {
                function.starts.push(start(&api, function, event).await?);
            }
        }
    }
    print(&mut functions)
}

fn find(folder: &Path) -> anyhow::Result<Vec<Function>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the functions in {}", folder.display()))?;
    let mut functions = Vec::new();
    for entry in entries {
        let bootstrap = entry?.path().join("bootstrap");
        let name = bootstrap.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        if let (Some(name), true) = (name, bootstrap.is_file()) {
            let (name, zipped) = (name.to_owned(), zipped(&bootstrap)?);
            functions.push(Function { name, bootstrap, zipped, starts: Vec::new() });
        }
    }
    functions.sort_by(|a, b| (a.name != EMPTY, &a.name).cmp(&(b.name != EMPTY, &b.name)));
    if functions.first().is_none_or(|first| first.name != EMPTY) {
        bail!("there is no {EMPTY}/bootstrap in {}", folder.display());
    }
    Ok(functions)
}

/// Bytes of a bootstrap as an archive holds it.
fn zipped(bootstrap: &Path) -> anyhow::Result<usize> {
    let bytes =
        std::fs::read(bootstrap).with_context(|| format!("cannot read {}", bootstrap.display()))?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    Ok(encoder.finish()?.len())
}

/// Starts the function's process, and ends it once it has answered.
async fn start(api: &RuntimeApi, function: &Function, event: Value) -> anyhow::Result<Duration> {
    let answered = api.expect(event);
    let begun = Instant::now();
    let mut process = tokio::process::Command::new(&function.bootstrap)
        .env_clear()
        .envs(event::environment(&function.name, &api.address()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", function.bootstrap.display()))?;
    let answer = tokio::time::timeout(PATIENCE, answered).await;
    process.kill().await?;
    let answer = answer.with_context(|| format!("{} did not answer", function.name))??;
    if let Err(said) = answer.result {
        bail!("{} failed: {said}", function.name);
    }
    Ok(answer.at - begun)
}

fn print(functions: &mut [Function]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "| function | zipped | median | least | × empty |")?;
    writeln!(out, "|---|---|---|---|---|")?;
    let mut empty = None;
    for function in functions {
        let zipped = function.zipped as f64 / 1e6;
        if function.starts.is_empty() {
            writeln!(out, "| {} | {zipped:.2} MB | – | – | – |", function.name)?;
            continue;
        }
        function.starts.sort_unstable();
        let least = millis(function.starts[0]);
        let median = millis(function.starts[function.starts.len() / 2]);
        let empty = *empty.get_or_insert(median);
        writeln!(
            out,
            "| {} | {zipped:.2} MB | {median:.1} ms | {least:.1} ms | {:.2} |",
            function.name,
            median / empty
        )?;
    }
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
