//! All ports of one stack.

use crate::{
    Clients, Config, DynamoRecords, EventBridgeSchedules, EventBridgeSubscriptions, S3Blobs,
    S3Logs, S3PackFiles, SecretsVault, SqsQueues, StreamFeed,
};
use attune_ports::{Clock, Feed, Memo, Ports, Records, Runner};
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
    let Config { table, bucket, queues, root_key_secret, token_key_secret, timers, scratch } =
        config;
    let shared = || Arc::clone(&clients);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let records: Arc<dyn Records> = Arc::new(DynamoRecords::new(shared(), table.clone()));
    let schedules = Arc::new(EventBridgeSchedules::new(
        Arc::clone(&records),
        Arc::clone(&clock),
        shared(),
        timers.clone(),
    ));
    let cloud_events = EventBridgeSubscriptions::new(Arc::clone(&records), shared(), timers);
    let ports = Ports {
        queues: Arc::new(SqsQueues::new(shared(), queues, Arc::clone(&records))),
        records,
        schedules: Arc::clone(&schedules) as _,
        cloud_events: Arc::new(cloud_events),
        blobs: Arc::new(S3Blobs::new(shared(), bucket.clone())),
        logs: Arc::new(S3Logs::new(shared(), bucket.clone())),
        pack_files: Arc::new(S3PackFiles::new(shared(), bucket, scratch)),
        vault: Arc::new(SecretsVault::new(shared(), root_key_secret, token_key_secret)),
        runner,
        tokens: None,
        clock,
        ids: Arc::new(SystemIds::among_others()),
        memo: Arc::new(Memo::default()),
        worker: worker.into(),
        sole_worker: false,
    };
    let feed = Arc::new(StreamFeed::new(shared(), table));
    Aws { ports, feed, schedules, clients }
}
