//! The store: one order of commits and messages, in memory at once and in SQLite a moment later.
//!
//! A commit is checked against and applied to memory under one lock ([`state`]), which makes it visible to
//! the next read. What was applied gathers in a [`batch`]; the writer thread ([`writer`]) takes the whole
//! batch and writes it in one SQLite transaction with one `fdatasync`, and only then tells those who wait
//! for durability, and the feed. A record that changed five times since the last batch is written once; a
//! message that was sent and acknowledged in between is not written at all. Since a batch holds everything
//! up to some moment and nothing after it, a crash leaves a prefix of what happened.
//!
//! Rejected: one SQLite transaction for each commit (an `fdatasync` for each step of each execution), and
//! writers in parallel (SQLite has one anyway).

mod batch;
mod letterbox;
mod sqlite;
mod state;
mod writer;

pub(crate) use letterbox::Letter;
pub(crate) use sqlite::{get as sqlite_get, query_index as sqlite_query};
pub(crate) use state::{State, failed, is_expired};

use crate::{Config, Error};
use attune_ports::{Change, Unavailable};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::sync::watch;

/// What the store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commits of records.
    pub commits: u64,
    /// Group commits: SQLite transactions, each with one `fdatasync` of the log.
    pub batches: u64,
    /// Rows written or removed in them.
    pub rows: u64,
    /// Records read from memory.
    pub hits: u64,
    /// Records looked for in SQLite.
    pub misses: u64,
    /// Rows that range queries returned.
    pub scanned: u64,
}

#[derive(Default)]
struct Counting {
    commits: AtomicU64,
    batches: AtomicU64,
    rows: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    scanned: AtomicU64,
}

fn count(counter: &AtomicU64, by: usize) {
    counter.fetch_add(by as u64, Ordering::Relaxed);
}

struct Shared {
    state: Mutex<State>,
    /// Tells the writer that there is something to write, or somebody waiting.
    work: Condvar,
    waiting: AtomicUsize,
    durable: watch::Sender<Durable>,
    readers: sqlite::Readers,
    counting: Counting,
}

/// How far writing has come.
#[derive(Clone, Debug)]
pub(crate) struct Durable {
    upto: u64,
    failure: Option<Arc<str>>,
}

/// A handle on the store.
#[derive(Clone)]
pub(crate) struct Store(Arc<Shared>);

impl Store {
    pub(crate) fn open(path: &Path, config: &Config) -> Result<Self, Error> {
        let connection = sqlite::open(path)?;
        let state = State::load(sqlite::reader(path)?, config)?;
        let durable = Durable { upto: state.sequence(), failure: None };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            work: Condvar::new(),
            waiting: AtomicUsize::new(0),
            durable: watch::Sender::new(durable),
            readers: sqlite::Readers::new(path.to_owned()),
            counting: Counting::default(),
        });
        writer::start(&shared, connection, config.linger);
        Ok(Self(shared))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    pub(crate) fn readers(&self) -> &sqlite::Readers {
        &self.0.readers
    }

    /// To be called after a change, with the lock released.
    pub(crate) fn changed(&self) {
        self.0.work.notify_one();
    }

    pub(crate) fn count_commit(&self) {
        count(&self.0.counting.commits, 1);
    }

    pub(crate) fn count_read(&self, hit: bool) {
        count(if hit { &self.0.counting.hits } else { &self.0.counting.misses }, 1);
    }

    pub(crate) fn count_scanned(&self, rows: usize) {
        count(&self.0.counting.scanned, rows);
    }

    /// Returns when everything applied so far is in SQLite.
    pub(crate) async fn settle(&self) -> Result<(), Unavailable> {
        let upto = self.state().sequence();
        self.durable(upto).await
    }

    /// Waits while the writer is far behind, so that memory stays bounded.
    pub(crate) async fn admit(&self) -> Result<(), Unavailable> {
        let behind = {
            let state = self.state();
            state.check_open()?;
            state.is_crowded().then(|| state.sequence())
        };
        match behind {
            Some(upto) => self.durable(upto).await,
            None => Ok(()),
        }
    }

    async fn durable(&self, upto: u64) -> Result<(), Unavailable> {
        let mut durable = self.0.durable.subscribe();
        if durable.borrow().upto >= upto {
            return Ok(());
        }
        self.0.waiting.fetch_add(1, Ordering::Relaxed);
        self.0.work.notify_one();
        let reached = durable.wait_for(|now| now.upto >= upto || now.failure.is_some()).await;
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        match reached {
            Ok(now) if now.upto >= upto => Ok(()),
            Ok(now) => Err(Unavailable::new("store", now.failure.as_deref().unwrap_or("closed"))),
            Err(_) => Err(Unavailable::new("store", "closed")),
        }
    }

    /// Wakes whenever more has become durable.
    pub(crate) fn watch_durable(&self) -> watch::Receiver<Durable> {
        self.0.durable.subscribe()
    }

    pub(crate) fn changes_after(
        &self,
        cursor: u64,
    ) -> Result<Vec<Arc<Change>>, attune_ports::Lagged> {
        self.state().changes_after(cursor)
    }

    pub(crate) fn counters(&self) -> Counters {
        let counting = &self.0.counting;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            commits: read(&counting.commits),
            batches: read(&counting.batches),
            rows: read(&counting.rows),
            hits: read(&counting.hits),
            misses: read(&counting.misses),
            scanned: read(&counting.scanned),
        }
    }

    pub(crate) fn close(&self) {
        self.state().stop(false);
        self.0.work.notify_one();
        self.wait_stopped();
    }

    pub(crate) fn crash(&self) {
        self.state().stop(true);
        self.0.work.notify_one();
        self.wait_stopped();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.state().is_stopped()
    }

    fn wait_stopped(&self) {
        let mut state = self.state();
        while !state.is_stopped() {
            self.0.work.wait_for(&mut state, std::time::Duration::from_millis(20));
        }
    }
}
