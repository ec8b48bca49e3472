//! The ports on one machine: SQLite, files and threads of one process.
//!
//! Everything that must survive lies in one data folder. [`store`] is the heart: commits and messages are
//! applied to memory in one order and written to SQLite by a single writer, many at a time (group commit),
//! so that what survives a crash is a prefix of what happened. The other modules put the ports of
//! `attune-ports` on top of it, or on plain files. [`open`] locks the folder, so that two servers cannot
//! share it.

mod blobs;
mod cloud_events;
mod feed;
mod folder;
mod logs;
mod orchestrator;
mod pack_files;
mod queues;
mod records;
mod schedules;
mod store;
mod vault;

pub use folder::{Folder, Locked};
pub use orchestrator::InProcess;
pub use schedules::{Sink, Ticker};
pub use store::Counters;

use attune_ports::{Feed, Memo, Ports, Runner};
use attune_system::{SystemClock, SystemIds};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How the embedded ports behave.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long the writer waits for more commits before it writes, while somebody waits for durability.
    pub linger: Duration,
    /// Memory for unchanged records, in bytes.
    pub cache_bytes: u64,
    /// Deliveries of a message before it goes to the dead letters.
    pub max_receives: u32,
    /// How long a delivered message stays hidden without an answer.
    pub visibility: Duration,
    /// Whether ticks missed while nothing ran fire once at the start.
    pub catch_up: bool,
    /// Folder of installed packs; `None`, `packs` in the data folder.
    pub packs_dir: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            linger: Duration::from_micros(200),
            cache_bytes: 16 * 1024 * 1024,
            max_receives: 5,
            visibility: Duration::from_secs(20 * 60),
            catch_up: true,
            packs_dir: None,
        }
    }
}

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another server has it.
    #[error(transparent)]
    Locked(#[from] Locked),
    /// A file could not be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The database could not be opened.
    #[error("cannot open the database")]
    Database(#[from] rusqlite::Error),
    /// The database was written by a newer version.
    #[error(
        "the data folder was written by a newer version of Attune (format {found}, this one knows {known})"
    )]
    Newer {
        /// Format found.
        found: i64,
        /// Format known.
        known: i64,
    },
    /// A key file is not a key.
    #[error("{0} is not a key file: expected 64 hexadecimal digits")]
    BadKey(String),
}

/// An open data folder.
pub struct Local {
    /// The ports, the runner included.
    pub ports: Ports,
    /// What changed.
    pub feed: Arc<dyn Feed>,
    /// Delivers the ticks of timers.
    pub ticker: Ticker,
    store: store::Store,
    _folder: Arc<Folder>,
}

impl Local {
    /// What the store has done so far, for measurements.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.store.counters()
    }

    /// Writes what is pending and stops the writer. Later commits fail.
    pub fn close(&self) {
        self.store.close();
    }

    /// Drops what is pending and stops the writer, as a crash would: for tests of recovery.
    pub fn crash(&self) {
        self.store.crash();
    }
}

/// Opens the data folder at `path`, making it where there is none.
///
/// # Errors
/// See [`Error`].
pub fn open(path: &Path, config: &Config, runner: Arc<dyn Runner>) -> Result<Local, Error> {
    let folder = Arc::new(Folder::lock(path)?);
    let store = store::Store::open(&folder.file("attune.db"), config)?;
    let ids = Arc::new(SystemIds::alone());
    let records = Arc::new(records::LocalRecords::new(store.clone()));
    let schedules = Arc::new(schedules::LocalSchedules::open(&store, config.catch_up)?);
    let worker: Arc<str> = format!("embedded-{}", attune_ports::Ids::next(&*ids)).into();
    let packs_dir = config.packs_dir.clone().unwrap_or_else(|| folder.file("packs"));
    let ports = Ports {
        cloud_events: Arc::new(cloud_events::Unheard::new(records.clone())),
        pack_files: Arc::new(pack_files::Folders::new(packs_dir)),
        records,
        queues: Arc::new(queues::LocalQueues::new(store.clone(), config)),
        orchestrator: Arc::new(orchestrator::InProcess::new(Arc::new(SystemClock))),
        schedules: schedules.clone(),
        blobs: Arc::new(blobs::FileBlobs::new(folder.file("blobs"))),
        logs: Arc::new(logs::FileLogs::new(folder.file("logs"))),
        vault: Arc::new(vault::FileVault::open(&folder.file("keys"))?),
        runner,
        tokens: None,
        clock: Arc::new(SystemClock),
        ids,
        memo: Arc::new(Memo::default()),
        worker,
        sole_worker: true,
    };
    let feed = Arc::new(feed::LocalFeed::new(store.clone()));
    Ok(Local { ports, feed, ticker: Ticker::new(schedules), store, _folder: folder })
}
