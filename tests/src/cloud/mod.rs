//! The cloud's ports as the contract's fixture, on an emulator.
//!
//! [`emulator`] is what plays AWS. [`stack`] makes what the ports need, without functions: this fixture does
//! itself what `notify` and `ingest-event` would, and the state machine of workflows ([`machine`]) asks it.

mod deployed;
pub mod emulator;
mod functions;
mod machine;
mod search;
pub mod stack;
mod upkeep;

pub use deployed::Deployed;

use crate::contract::{Ending, Fixture, Idle, Options, TakeTick};
use async_trait::async_trait;
use attune_aws::{Aws, Clients, Config, S3Logs, StreamFeed};
use attune_domain::id::ExecutionId;
use attune_ports::orchestrator::ThreadStep;
use attune_ports::{Feed, LogStream, Ports, Queue};
use bytes::Bytes;
use emulator::Emulator;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A stack of its own, which goes with the emulator.
pub struct Cloud {
    clients: Arc<Clients>,
    config: Config,
    aws: Aws,
    feed: Arc<StreamFeed>,
    counting: JoinHandle<()>,
    ticking: Option<JoinHandle<()>>,
    /// What was printed; the writer of a log knows.
    printed: Mutex<HashMap<(ExecutionId, LogStream), String>>,
    _scratch: TempDir,
}

#[async_trait]
impl Fixture for Cloud {
    const GRAIN: Duration = Duration::from_secs(1);
    const COST: usize = 10;
    const FOLLOWS_AT_ONCE: bool = false;
    const REMEMBERS_REASONS: bool = false;
    const SLEEPS: bool = false;
    const BEGINS_ONCE: bool = true;

    async fn fresh(options: Options) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder can be made");
        let clients = Arc::new(stack::clients(Emulator::shared()));
        let config = stack::create(&clients, options, scratch.path()).await;
        let counting = tokio::spawn(upkeep::count(Arc::clone(&clients), config.table.clone()));
        Self {
            aws: open(&clients, &config),
            feed: feed(&clients, &config),
            clients,
            config,
            counting,
            ticking: None,
            printed: Mutex::default(),
            _scratch: scratch,
        }
    }

    fn ports(&self) -> &Ports {
        &self.aws.ports
    }

    async fn another(&self) -> Ports {
        open(&Arc::new(stack::clients(Emulator::shared())), &self.config).ports
    }

    async fn feed(&self) -> Arc<dyn Feed> {
        self.feed.ready().await;
        Arc::clone(&self.feed) as Arc<dyn Feed>
    }

    async fn restart(&mut self, _: Ending) {
        // Nothing is kept back, so there is nothing to lose.
        if let Some(ticking) = self.ticking.take() {
            ticking.abort();
            let _ = ticking.await;
        }
        self.clients = Arc::new(stack::clients(Emulator::shared()));
        self.aws = open(&self.clients, &self.config);
        self.feed = feed(&self.clients, &self.config);
    }

    async fn plant(&mut self, queue: Queue, text: &str) {
        plant(&self.clients, &self.config.queues, queue, text).await;
    }

    async fn print(&self, execution: ExecutionId, stream: LogStream, text: &str) {
        let whole = {
            let mut printed = self.printed.lock();
            let log = printed.entry((execution, stream)).or_default();
            log.push_str(text);
            Bytes::from(log.clone())
        };
        let logs = S3Logs::new(Arc::clone(&self.clients), &self.config.bucket);
        logs.put(execution, stream, 0, whole).await.expect("a log can be written");
    }

    async fn next_step(&self) -> (ThreadStep, String) {
        let asked = machine::asked(&self.clients, &stack::threads(&self.config)).await;
        (asked.step, asked.token)
    }

    fn deliver_ticks(&mut self, take: TakeTick) {
        let queues = [stack::ingest(&self.config), stack::ticks(&self.config)];
        let ingest = upkeep::Ingest {
            clients: Arc::clone(&self.clients),
            schedules: self.aws.schedules.clone(),
            take,
        };
        self.ticking = Some(tokio::spawn(ingest.work(queues)));
    }

    async fn check_keys_are_private(&self) {
        let mut keys = Vec::new();
        for name in [&self.config.root_key_secret, &self.config.token_key_secret] {
            let request = self.clients.secrets().await.get_secret_value().secret_id(name);
            let key = request.send().await.expect("the test may read secrets").secret_string;
            keys.push(key.expect("a key is text"));
        }
        let sealed = self.aws.ports.vault.seal("c", b"x").await.expect("it can be sealed");
        self.aws.ports.vault.token_key().await.expect("there is one");
        let scan = self.clients.dynamodb().await.scan().table_name(&self.config.table);
        let table = format!("{:?}", scan.send().await.expect("the test may read the table"));
        let list = self.clients.s3().await.list_objects_v2().bucket(&self.config.bucket);
        let objects = list.send().await.expect("the test may list the bucket");
        assert_eq!(objects.key_count.unwrap_or_default(), 0, "no object holds a key");
        for key in keys {
            for shown in [&table, &format!("{:?}", self.config), &format!("{sealed:?}")] {
                assert!(!shown.contains(&key), "a key can be read elsewhere");
            }
        }
    }
}

/// Puts a text into one of the queues whose URLs begin so.
///
/// # Panics
/// Where the queue does not take it.
pub async fn plant(clients: &Clients, queues: &str, queue: Queue, text: &str) {
    let end = if queue.is_ordered() { ".fifo" } else { "" };
    let url = format!("{queues}{queue}{end}");
    let mut request = clients.sqs().await.send_message().queue_url(url).message_body(text);
    if queue.is_ordered() {
        let name = hex::encode(rand::random::<[u8; 8]>());
        request = request.message_group_id("planted").message_deduplication_id(name);
    }
    request.send().await.expect("it can be planted");
}

fn open(clients: &Arc<Clients>, config: &Config) -> Aws {
    let worker = format!("test-{}", hex::encode(rand::random::<[u8; 6]>()));
    attune_aws::open_with(Arc::clone(clients), config.clone(), Arc::new(Idle), &worker)
}

fn feed(clients: &Arc<Clients>, config: &Config) -> Arc<StreamFeed> {
    Arc::new(StreamFeed::new(Arc::clone(clients), config.table.clone()))
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.counting.abort();
        if let Some(ticking) = &self.ticking {
            ticking.abort();
        }
    }
}
