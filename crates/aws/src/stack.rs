//! All ports of one stack.

use crate::{
    Clients, Config, DynamoRecords, EventBridgeSchedules, EventBridgeSubscriptions, S3Blobs,
    S3Logs, S3PackFiles, SecretsVault, SqsQueues, StepFunctions, StreamFeed,
};
use async_trait::async_trait;
use attune_domain::reference::ComponentRef;
use attune_ports::{
    CloudEvents, Feed, Memo, Ports, Records, Runner, Schedule, Schedules, Subscription, Unavailable,
};
use attune_system::{SystemClock, SystemIds};
use std::sync::Arc;

/// A stack, as one process sees it.
pub struct Aws {
    /// The ports. Actions get no tokens unless somebody adds them.
    pub ports: Ports,
    /// What changed.
    pub feed: Arc<dyn Feed>,
    /// The schedules among the ports, which also take in what Scheduler and the queue of ticks bring.
    pub schedules: Arc<EventBridgeSchedules>,
    /// What the ports use, for what they do not cover.
    pub clients: Arc<Clients>,
}

/// The stack that `config` names, in the account and region of the environment. `worker` names this process in
/// claims; two processes never have the same. Nothing is connected or read yet.
#[must_use]
pub fn open(config: Config, runner: Arc<dyn Runner>, worker: &str) -> Aws {
    open_with(Arc::default(), config, runner, worker)
}

/// The same, with clients that are there already.
#[must_use]
pub fn open_with(
    clients: Arc<Clients>,
    config: Config,
    runner: Arc<dyn Runner>,
    worker: &str,
) -> Aws {
    let (timers, table) = (config.timers.clone(), config.table.clone());
    let ports = step_with(Arc::clone(&clients), config, runner, worker);
    let schedules = Arc::new(EventBridgeSchedules::new(
        Arc::clone(&ports.records),
        Arc::clone(&ports.clock),
        Arc::clone(&clients),
        timers.clone(),
    ));
    let cloud_events =
        EventBridgeSubscriptions::new(Arc::clone(&ports.records), Arc::clone(&clients), timers);
    let ports = Ports {
        schedules: Arc::clone(&schedules) as _,
        cloud_events: Arc::new(cloud_events),
        ..ports
    };
    let feed = Arc::new(StreamFeed::new(Arc::clone(&clients), table));
    Aws { ports, feed, schedules, clients }
}

/// The ports of a function that does one step of the journey, which sets no timers and follows no feed: its
/// program does without the clients for these.
#[must_use]
pub fn step(config: Config, runner: Arc<dyn Runner>, worker: &str) -> Ports {
    step_with(Arc::default(), config, runner, worker)
}

/// The same, with clients that are there already.
#[must_use]
pub fn step_with(
    clients: Arc<Clients>,
    config: Config,
    runner: Arc<dyn Runner>,
    worker: &str,
) -> Ports {
    let Config {
        table,
        bucket,
        queues,
        root_key_secret,
        token_key_secret,
        referable,
        state_machine,
        scratch,
        timers: _,
    } = config;
    let shared = || Arc::clone(&clients);
    let records: Arc<dyn Records> = Arc::new(DynamoRecords::new(shared(), table));
    Ports {
        queues: Arc::new(SqsQueues::new(shared(), queues, Arc::clone(&records))),
        records,
        orchestrator: Arc::new(StepFunctions::new(shared(), state_machine)),
        schedules: Arc::new(Untimed),
        cloud_events: Arc::new(Untimed),
        blobs: Arc::new(S3Blobs::new(shared(), bucket.clone())),
        logs: Arc::new(S3Logs::new(shared(), bucket.clone())),
        pack_files: Arc::new(S3PackFiles::new(shared(), bucket, scratch)),
        vault: Arc::new(SecretsVault::new(shared(), root_key_secret, token_key_secret, referable)),
        runner,
        tokens: None,
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds::among_others()),
        memo: Arc::new(Memo::default()),
        worker: worker.into(),
        sole_worker: false,
    }
}

/// The timers of a process that has none to set.
struct Untimed;

impl Untimed {
    fn refuse<T>() -> Result<T, Unavailable> {
        Err(Unavailable::new("schedules", "this function sets no timers"))
    }
}

#[async_trait]
impl Schedules for Untimed {
    async fn set(&self, _: Schedule) -> Result<(), Unavailable> {
        Self::refuse()
    }

    async fn remove(&self, _: &str) -> Result<(), Unavailable> {
        Self::refuse()
    }

    async fn list(&self) -> Result<Vec<(String, i64)>, Unavailable> {
        Self::refuse()
    }
}

#[async_trait]
impl CloudEvents for Untimed {
    async fn subscribe(&self, _: &Subscription) -> Result<(), Unavailable> {
        Self::refuse()
    }

    async fn unsubscribe(&self, _: &ComponentRef) -> Result<(), Unavailable> {
        Self::refuse()
    }

    async fn list(&self) -> Result<Vec<Subscription>, Unavailable> {
        Self::refuse()
    }
}
