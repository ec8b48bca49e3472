//! The feed on the table's stream.
//!
//! Nothing is read, and nothing costs anything, unless somebody follows. With the first follower a task begins
//! to read the stream at its newest end, and it ends a while after the last one left. Cursors are a process's
//! own: one that another process gave, or that is older than this one's reading, is answered with [`Lagged`].
//!
//! [`Feed::head`] cannot wait until reading has begun. What it says before is a cursor that will be answered
//! with [`Lagged`], unless the caller waits for [`StreamFeed::ready`] first.
//!
//! A stream serves two readers a shard well; a function that follows it is one of them. More processes that
//! follow are throttled and hear later, but hear all.

mod change;
mod log;
mod stream;

pub use stream::{Error, Start, Stream};

use crate::Clients;
use async_trait::async_trait;
use attune_ports::{Change, Feed, FeedCursor, Lagged};
use log::Log;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between two rounds over the shards, where the last found something.
const BUSY: Duration = Duration::from_millis(200);
/// The same, where it found nothing.
const QUIET: Duration = Duration::from_millis(500);
/// Before the next attempt after a failure.
const RETRY: Duration = Duration::from_secs(2);
/// How long reading goes on without a follower.
const LINGER: Duration = Duration::from_secs(120);
/// Cursors stay integers in JSON.
const CURSOR_BITS: u32 = 52;

/// The feed on a table's stream.
pub struct StreamFeed {
    shared: Arc<Shared>,
}

struct Shared {
    clients: Arc<Clients>,
    table: String,
    log: Mutex<Log>,
    changed: watch::Sender<()>,
    reading: Mutex<Reading>,
}

struct Reading {
    task: Option<JoinHandle<()>>,
    followers: usize,
    used_at: Instant,
}

impl StreamFeed {
    /// The feed of a table. Nothing is read yet.
    #[must_use]
    pub fn new(clients: Arc<Clients>, table: String) -> Self {
        // Anywhere, so that no two processes' cursors are alike.
        let base = rand::random::<u64>() >> (u64::BITS - CURSOR_BITS);
        let reading = Reading { task: None, followers: 0, used_at: Instant::now() };
        Self {
            shared: Arc::new(Shared {
                clients,
                table,
                log: Mutex::new(Log::new(base)),
                changed: watch::Sender::new(()),
                reading: Mutex::new(reading),
            }),
        }
    }

    /// Waits until reading has begun: what [`Feed::head`] says after that, misses nothing.
    pub async fn ready(&self) {
        let mut changed = self.shared.changed.subscribe();
        let _follower = Follower::of(&self.shared);
        while !self.shared.log.lock().is_live() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Drop for StreamFeed {
    fn drop(&mut self) {
        if let Some(task) = self.shared.reading.lock().task.take() {
            task.abort();
        }
    }
}

#[async_trait]
impl Feed for StreamFeed {
    fn head(&self) -> FeedCursor {
        drop(Follower::of(&self.shared));
        self.shared.log.lock().head()
    }

    async fn after(&self, cursor: FeedCursor) -> Result<Vec<Arc<Change>>, Lagged> {
        let mut changed = self.shared.changed.subscribe();
        let _follower = Follower::of(&self.shared);
        loop {
            let changes = self.shared.log.lock().after(cursor)?;
            if !changes.is_empty() {
                return Ok(changes);
            }
            if changed.changed().await.is_err() {
                return Err(Lagged);
            }
        }
    }
}

/// Somebody who follows: while there is one, the stream is read.
struct Follower<'a>(&'a Shared);

impl<'a> Follower<'a> {
    fn of(shared: &'a Arc<Shared>) -> Self {
        let mut reading = shared.reading.lock();
        reading.followers += 1;
        reading.used_at = Instant::now();
        if reading.task.as_ref().is_none_or(JoinHandle::is_finished)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            shared.log.lock().interrupt();
            reading.task = Some(runtime.spawn(read(Arc::clone(shared))));
        }
        Self(shared)
    }
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        let mut reading = self.0.reading.lock();
        reading.followers -= 1;
        reading.used_at = Instant::now();
    }
}

/// Reads the stream until nobody has followed for a while.
async fn read(shared: Arc<Shared>) {
    while !shared.stops() {
        let clients = Arc::clone(&shared.clients);
        match Stream::open(clients, &shared.table, Start::Newest).await {
            Ok(stream) => shared.follow(stream).await,
            Err(error) => {
                tracing::warn!(%error, "the feed cannot be opened");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

impl Shared {
    /// Tells what the stream says, until it cannot be followed any more or nobody listens.
    async fn follow(&self, mut stream: Stream) {
        self.tell(Log::go_live);
        loop {
            let pause = match stream.next().await {
                Ok(batches) if batches.is_empty() => QUIET,
                Ok(batches) => {
                    self.tell(|log| {
                        for record in batches.iter().flatten() {
                            match change::of(record) {
                                Ok(change) => change.into_iter().for_each(|told| log.push(told)),
                                // One that cannot be read must not end the feed.
                                Err(error) => tracing::error!(
                                    %error,
                                    event = record.event_id(),
                                    "a change is left out of the feed"
                                ),
                            }
                        }
                    });
                    BUSY
                }
                Err(Error::Unavailable(error)) => {
                    tracing::warn!(%error, "the feed falls behind");
                    RETRY
                }
                Err(Error::Gap) => break,
            };
            if self.is_idle() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        self.tell(Log::interrupt);
    }

    fn tell(&self, what: impl FnOnce(&mut Log)) {
        what(&mut self.log.lock());
        self.changed.send_replace(());
    }

    fn is_idle(&self) -> bool {
        self.reading.lock().is_idle()
    }

    /// Whether reading ends; whoever comes next begins anew.
    fn stops(&self) -> bool {
        let mut reading = self.reading.lock();
        let stops = reading.is_idle();
        if stops {
            reading.task = None;
        }
        stops
    }
}

impl Reading {
    fn is_idle(&self) -> bool {
        self.followers == 0 && self.used_at.elapsed() > LINGER
    }
}
