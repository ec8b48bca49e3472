//! What an item of a workflow's task costs, among ten and among thousands, beside an execution without a workflow.

use crate::Measurement;
use crate::inside::Platform;
use anyhow::{Context as _, Result, bail};
use attune_catalogue::workflows::{self, NewWorkflow};
use attune_domain::catalogue::Placement;
use attune_domain::id::ExecutionId;
use attune_domain::reference::ComponentRef;
use attune_domain::status::ExecutionStatus;
use attune_journey::request::{self, NewExecution};
use attune_journey::workflow::Limits;
use attune_journey::{load, run, workers};
use attune_ports::Ports;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How many run at the same time.
const WINDOW: usize = 50;

/// Runs a workflow over up to `most` items, in steps of ten times as many.
///
/// # Errors
/// Where the platform does not work.
pub(crate) async fn measure(scratch: &Path, most: usize) -> Result<Vec<Measurement>> {
    let platform = Platform::open(scratch, 0).await?;
    let ports = platform.local.ports.clone();
    let (stop, stopped) = watch::channel(false);
    let (terms, limits) = (run::Terms::default(), Limits::default());
    let config = workers::Config { processes: 4, natives: 64, terms, limits };
    let working = tokio::spawn(workers::run(ports.clone(), config, stopped));
    define(&ports).await?;
    // The first one compiles the definitions.
    go_through(&ports, 10).await?;

    let mut rows = Vec::new();
    let mut row = |name: String, work: String, value: f64, unit: &'static str| {
        rows.push(Measurement::new(format!("items.{name}"), work, value, unit));
    };
    let plain = alone(&ports, most.min(1_000)).await?;
    row("plain".into(), "one requested core.noop, 50 at once".into(), plain, "µs");
    let mut each = Vec::new();
    let mut many = 10;
    while many <= most {
        let before = platform.local.counters();
        let micros = go_through(&ports, many).await?;
        let commits = (platform.local.counters().commits - before.commits) as f64 / many as f64;
        row(format!("time_{many}"), format!("one of {many} items of core.noop"), micros, "µs");
        row(format!("commits_{many}"), "… commits of the journey".into(), commits, "commits");
        each.push(micros);
        many *= 10;
    }
    if let [.., fewer, all] = each[..] {
        row("ratio".into(), "… among most against among a tenth of them".into(), all / fewer, "×");
        row("against_plain".into(), "… against one without a workflow".into(), all / plain, "×");
    }
    stop.send_replace(true);
    working.await?;
    Ok(rows)
}

async fn define(ports: &Ports) -> Result<()> {
    let definition = json!({
        "version": "1.0",
        "tasks": [{
            "name": "each", "action": "core.noop", "input": {}, "concurrency": WINDOW,
            "with_items": "{{ range(parameters.many) }}",
        }],
        "output_map": {"count": "{{ task.each.total_count }}"},
    });
    let new = NewWorkflow {
        reference: ComponentRef::parse("core.measured_items")?,
        pack_ref: "core".into(),
        label: "Measured".into(),
        description: None,
        version: "1.0.0".into(),
        param_schema: None,
        out_schema: None,
        definition,
        tags: vec![],
    };
    workflows::create(ports, &new).await?;
    Ok(())
}

async fn ask(ports: &Ports, action: &str, parameters: Map<String, Value>) -> Result<ExecutionId> {
    let new = NewExecution {
        action_ref: ComponentRef::parse(action)?,
        parameters: Some(parameters),
        env_vars: BTreeMap::new(),
        permission_set_refs: vec![],
        placement: Placement::default(),
        executor: None,
        parent: None,
        priority: None,
        idempotency: None,
    };
    Ok(request::execution(ports, new).await?.id)
}

/// Waits until an execution is over.
async fn over(ports: &Ports, id: ExecutionId) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let execution = load::execution(ports, id).await?.context("it is there")?;
        match execution.status {
            ExecutionStatus::Completed => return Ok(()),
            status if status.is_terminal() => bail!("{id} is {status}: {:?}", execution.result),
            _ if Instant::now() > deadline => bail!("{id} is {} still", execution.status),
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// Microseconds for each of so many items.
async fn go_through(ports: &Ports, many: usize) -> Result<f64> {
    let start = Instant::now();
    let parameters = Map::from_iter([("many".to_owned(), many.into())]);
    over(ports, ask(ports, "core.measured_items", parameters).await?).await?;
    ports.records.settle().await?;
    Ok(start.elapsed().as_secs_f64() * 1e6 / many as f64)
}

/// Microseconds for each of so many executions without a workflow, as many at once as a workflow runs.
async fn alone(ports: &Ports, many: usize) -> Result<f64> {
    let start = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..WINDOW {
        let ports = ports.clone();
        clients.spawn(async move {
            for _ in (client..many).step_by(WINDOW) {
                over(&ports, ask(&ports, "core.noop", Map::new()).await?).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / many as f64)
}
