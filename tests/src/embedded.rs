//! The embedded deployment as the contract's fixture: a data folder that ends with the test.

use crate::contract::{Ending, Fixture, Idle, Options, TakeTick};
use async_trait::async_trait;
use attune_domain::id::ExecutionId;
use attune_local::{Config, Local, Sink};
use attune_ports::orchestrator::ThreadStep;
use attune_ports::{Feed, LogStream, Ports, Queue, Tick, Unavailable};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// An open data folder, closed only between two lives.
pub struct Embedded {
    folder: TempDir,
    config: Config,
    local: Option<Local>,
    ticking: Option<JoinHandle<()>>,
}

impl Embedded {
    fn local(&self) -> &Local {
        self.local.as_ref().expect("the folder is open")
    }

    fn open(path: &Path, config: &Config) -> Local {
        attune_local::open(path, config, Arc::new(Idle)).expect("the folder can be opened")
    }

    async fn end(&mut self, ending: Ending) {
        if let Some(ticking) = self.ticking.take() {
            ticking.abort();
            // The ticker holds the schedules; what comes after must not meet it.
            let _ = ticking.await;
        }
        if let Some(local) = self.local.take() {
            match ending {
                Ending::Clean => local.close(),
                Ending::Crash => local.crash(),
            }
        }
    }
}

#[async_trait]
impl Fixture for Embedded {
    const GRAIN: Duration = Duration::from_millis(1);
    const COST: usize = 1;
    const FOLLOWS_AT_ONCE: bool = true;
    const REMEMBERS_REASONS: bool = true;
    const SLEEPS: bool = true;
    const BEGINS_ONCE: bool = false;

    async fn fresh(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let config = Config {
            visibility: options.visibility,
            max_receives: options.max_receives,
            ..Config::default()
        };
        let local = Some(Self::open(folder.path(), &config));
        Self { folder, config, local, ticking: None }
    }

    fn ports(&self) -> &Ports {
        &self.local().ports
    }

    async fn another(&self) -> Ports {
        Ports { memo: Arc::default(), ..self.ports().clone() }
    }

    async fn feed(&self) -> Arc<dyn Feed> {
        Arc::clone(&self.local().feed)
    }

    async fn restart(&mut self, ending: Ending) {
        self.end(ending).await;
        self.local = Some(Self::open(self.folder.path(), &self.config));
    }

    async fn plant(&mut self, queue: Queue, text: &str) {
        self.end(Ending::Clean).await;
        plant(self.folder.path(), queue, text);
        self.local = Some(Self::open(self.folder.path(), &self.config));
    }

    async fn print(&self, execution: ExecutionId, stream: LogStream, text: &str) {
        use std::io::Write;
        let logs = self.folder.path().join("logs");
        let path = attune_runner::log_path(&logs, execution, stream);
        std::fs::create_dir_all(path.parent().expect("a log lies in a folder"))
            .expect("the folder of logs can be made");
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("a log can be opened");
        file.write_all(text.as_bytes()).expect("a log can be written");
    }

    async fn next_step(&self) -> (ThreadStep, String) {
        (self.ports().orchestrator.next().await, "the only one".to_owned())
    }

    fn deliver_ticks(&mut self, take: TakeTick) {
        let ticker = self.local().ticker.clone();
        self.ticking = Some(tokio::spawn(async move { ticker.run(&Taking(take)).await }));
    }

    async fn check_keys_are_private(&self) {
        use std::os::unix::fs::PermissionsExt;
        let keys = self.folder.path().join("keys");
        let mode = |path: &Path| {
            std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
        };
        assert_eq!(mode(&keys), 0o700);
        let files: Vec<_> = std::fs::read_dir(&keys)
            .expect("the keys can be listed")
            .map(|entry| entry.expect("a key can be listed").path())
            .collect();
        assert_eq!(files.len(), 2, "a root key and a token key: {files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(ticking) = self.ticking.take() {
            ticking.abort();
        }
        // The writer's thread ends only when it is told to.
        if let Some(local) = self.local.take() {
            local.crash();
        }
    }
}

/// Puts a text into a queue of a data folder that nobody has open.
///
/// # Panics
/// Where the database refuses.
pub fn plant(data: &Path, queue: Queue, text: &str) {
    let path = data.join("attune.db");
    let database = rusqlite::Connection::open(path).expect("the database can be opened");
    let planted = database.execute(
        "INSERT INTO letters (number, queue, line, deduplication, body, receives, sent_at, visible_at) \
         SELECT COALESCE(MAX(number), 0) + 1, ?1, 'planted', 'planted', ?2, 0, 0, 0 FROM letters",
        (queue.as_str(), text),
    );
    assert_eq!(planted, Ok(1));
}

struct Taking(TakeTick);

#[async_trait]
impl Sink for Taking {
    async fn tick(&self, tick: &Tick) -> Result<(), Unavailable> {
        (self.0)(tick)
    }
}
