//! What one rule-fired execution costs inside the server: commits, rows and reads, counted; and CPU time for
//! each step, by calling the steps one after the other on one thread.
//!
//! The journey runs here as `attune serve` runs it, on the real store, without HTTP.

use crate::{Measurement, items};
use anyhow::{Context as _, Result, bail};
use attune_catalogue::{Origin, rules, triggers};
use attune_domain::reference::ComponentRef;
use attune_journey::ingest::{self, NewEvent};
use attune_journey::workflow::Limits;
use attune_journey::{dispatch, run, workers};
use attune_local::{Config, Counters, Local};
use attune_ports::{Ports, Queue};
use attune_runner::Runner;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const TRIGGER: &str = "core.measured";

/// Counts and times `events` rule-fired executions of `core.noop`, first with no rules on other triggers, then
/// with `others`. `scratch` is where the data folders are made.
///
/// # Errors
/// Where the platform does not work.
pub fn measure(scratch: &Path, events: usize, others: usize) -> Result<Vec<Measurement>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let alone = count(scratch, events, 0).await?;
        let crowded = count(scratch, events, others).await?;
        let mut rows = alone.rows(events);
        rows.push(Measurement::new(
            "inside.crowded_reads",
            format!("… records read per event with {others} rules on other triggers"),
            crowded.reads(events),
            "reads",
        ));
        rows.push(Measurement::new(
            "inside.crowded_ratio",
            "… against the same without them".to_owned(),
            crowded.reads(events) / alone.reads(events),
            "×",
        ));
        rows.extend(time(scratch, events).await?);
        rows.extend(items::measure(scratch, events / 2).await?);
        Ok(rows)
    })
}

/// An installed platform in a folder of its own.
pub(crate) struct Platform {
    pub(crate) local: Local,
    _folder: tempfile::TempDir,
}

impl Platform {
    pub(crate) async fn open(scratch: &Path, others: usize) -> Result<Self> {
        let folder = tempfile::tempdir_in(scratch)?;
        let config = attune_runner::Config::new(folder.path(), "measured", "http://127.0.0.1");
        let runner = Arc::new(Runner::new(config));
        let local = attune_local::open(folder.path(), &Config::default(), runner)?;
        let core = folder.path().join("core");
        attune_packs::builtin::write_to(&core)?;
        let mut pack = attune_packs::load(&core)?;
        pack.rules.clear();
        attune_catalogue::install(&local.ports, &pack, core.to_str(), Origin::Startup).await?;
        define(&local.ports, TRIGGER).await?;
        for n in 0..others {
            define(&local.ports, &format!("core.other_{n}")).await?;
        }
        local.ports.records.settle().await?;
        Ok(Self { local, _folder: folder })
    }
}

/// A trigger and a rule that executes `core.noop` for each of its events.
async fn define(ports: &Ports, reference: &str) -> Result<()> {
    let reference = ComponentRef::parse(reference)?;
    let trigger = triggers::NewTrigger {
        reference: reference.clone(),
        pack_ref: Some("core".into()),
        label: "Measured".into(),
        description: None,
        enabled: true,
        param_schema: None,
        out_schema: None,
        config: None,
    };
    triggers::create(ports, &trigger).await?;
    let rule = rules::NewRule {
        reference: reference.clone(),
        pack_ref: "core".into(),
        label: "Measured".into(),
        description: None,
        trigger_ref: reference.to_string(),
        trigger_params: Map::new(),
        action_ref: "core.noop".into(),
        action_params: Map::new(),
        conditions: Value::Null,
        enabled: true,
        permission_set_refs: None,
        owner_identity: None,
    };
    rules::create(ports, &rule).await?;
    Ok(())
}

async fn ingest(ports: &Ports, n: usize) -> Result<()> {
    let new = NewEvent {
        trigger_ref: ComponentRef::parse(TRIGGER)?,
        trigger: None,
        payload: Some(json!({"n": n})),
        config: None,
        source: None,
        source_ref: None,
        rule: None,
        cause: None,
    };
    ingest::event(ports, new).await?;
    Ok(())
}

async fn completed(ports: &Ports) -> Result<u64> {
    let tallies = ports.records.tally("execution/completed").await?;
    Ok(tallies.first().map_or(0, |(_, count)| *count))
}

/// What a number of executions took.
struct Cost(Counters);

impl Cost {
    fn reads(&self, events: usize) -> f64 {
        (self.0.hits + self.0.misses + self.0.scanned) as f64 / events as f64
    }

    fn rows(&self, events: usize) -> Vec<Measurement> {
        let each = |total: u64| total as f64 / events as f64;
        let row = |name: &str, work: &str, value: f64, unit: &'static str| {
            Measurement::new(format!("inside.{name}"), work.to_owned(), value, unit)
        };
        vec![
            row(
                "commits",
                "one rule-fired core.noop: commits of the journey",
                each(self.0.commits),
                "commits",
            ),
            row(
                "batches",
                "… group commits (one fdatasync each), 16 at once",
                each(self.0.batches),
                "commits",
            ),
            row("written", "… rows written to SQLite", each(self.0.rows), "rows"),
            row(
                "lookups",
                "… of its reads, those that went to SQLite",
                each(self.0.misses),
                "reads",
            ),
            row("reads", "… records read per event", self.reads(events), "reads"),
        ]
    }
}

/// Runs events through the workers, 16 at once, each waiting until it is durable as a webhook would.
async fn count(scratch: &Path, events: usize, others: usize) -> Result<Cost> {
    let platform = Platform::open(scratch, others).await?;
    let ports = platform.local.ports.clone();
    let (stop, stopped) = watch::channel(false);
    let (terms, limits) = (run::Terms::default(), Limits::default());
    let config = workers::Config { processes: 4, natives: 64, terms, limits };
    let working = tokio::spawn(workers::run(ports.clone(), config, stopped));
    // The first ones compile the rules and fill the memory.
    let warm = 50;
    feed(&ports, warm).await?;
    wait(&ports, warm).await?;
    let before = platform.local.counters();
    feed(&ports, events).await?;
    wait(&ports, warm + events).await?;
    ports.records.settle().await?;
    let after = platform.local.counters();
    stop.send_replace(true);
    working.await?;
    Ok(Cost(Counters {
        commits: after.commits - before.commits,
        batches: after.batches - before.batches,
        rows: after.rows - before.rows,
        hits: after.hits - before.hits,
        misses: after.misses - before.misses,
        scanned: after.scanned - before.scanned,
    }))
}

async fn feed(ports: &Ports, events: usize) -> Result<()> {
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..16 {
        let ports = ports.clone();
        clients.spawn(async move {
            for n in (client..events).step_by(16) {
                ingest(&ports, n).await?;
                ports.records.settle().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    Ok(())
}

async fn wait(ports: &Ports, executions: usize) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(120);
    while completed(ports).await? < executions as u64 {
        if Instant::now() > deadline {
            bail!("only {} of {executions} executions completed", completed(ports).await?);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

/// Calls the steps of the journey one after the other, each for all events.
async fn time(scratch: &Path, events: usize) -> Result<Vec<Measurement>> {
    let platform = Platform::open(scratch, 0).await?;
    let ports = &platform.local.ports;
    let mut rows = Vec::new();
    let mut row = |name: &str, elapsed: Duration| {
        let micros = elapsed.as_secs_f64() * 1e6 / events as f64;
        let work = format!("… time of {name} alone, one after the other, per event");
        rows.push(Measurement::new(format!("inside.time_{name}"), work, micros, "µs"));
    };
    let start = Instant::now();
    for n in 0..events {
        ingest(ports, n).await?;
    }
    row("ingest", start.elapsed());
    let native = Queue::Run(attune_domain::runtime::Runtime::Native);
    for (name, queue) in [("match", Queue::Match), ("admit", Queue::Admit), ("run", native)] {
        let start = Instant::now();
        let mut handled = 0;
        while handled < events {
            let batch = ports.queues.receive(queue, 10, Duration::from_secs(5)).await?;
            let receipts = batch.iter().map(|delivery| delivery.receipt.clone()).collect();
            let many = batch.len();
            let failed = dispatch::batch(ports, &run::Terms::default(), batch).await;
            if many == 0 || !failed.is_empty() {
                bail!("{name} stopped after {handled} of {events}: {failed:?}");
            }
            ports.queues.acknowledge(queue, receipts).await?;
            handled += many;
        }
        row(name, start.elapsed());
    }
    let done = completed(ports).await.context("counting executions")?;
    if done != events as u64 {
        bail!("{done} of {events} executions completed");
    }
    Ok(rows)
}
