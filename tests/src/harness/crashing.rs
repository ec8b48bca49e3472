//! Records and queues of a process that dies after a given number of calls.
//!
//! Calls that change something are counted: between two of them nothing happens that a crash could
//! interrupt. The call that the count ends with still happens; every later one fails, reads included.

use async_trait::async_trait;
use attune_ports::orchestrator::{Orchestrator, Then, ThreadStep};
use attune_ports::queues::{DeadLetter, Receipt};
use attune_ports::records::{self, Commit, Page};
use attune_ports::{Delivery, Key, Outgoing, Query, Queue, Queues, Record, Records, Unavailable};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// The moment of death of one process, shared by all its ports.
pub struct Crash {
    left: AtomicI64,
    happened: watch::Sender<bool>,
}

impl Crash {
    /// Happens after so many changing calls; `None`, never.
    #[must_use]
    pub fn after(calls: Option<u64>) -> Self {
        let left = calls.and_then(|calls| i64::try_from(calls).ok()).unwrap_or(i64::MAX);
        Self { left: AtomicI64::new(left), happened: watch::Sender::new(left == 0) }
    }

    /// Whether the process is dead.
    #[must_use]
    pub fn has_happened(&self) -> bool {
        *self.happened.borrow()
    }

    /// Returns when the process is dead.
    pub async fn happens(&self) {
        // The sender lives as long as this does, so there is no error.
        let _ = self.happened.subscribe().wait_for(|happened| *happened).await;
    }

    fn alive(&self) -> Result<(), Unavailable> {
        if self.has_happened() {
            return Err(Unavailable::new("the process", "it is dead"));
        }
        Ok(())
    }

    fn count(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.happened.send_replace(true);
        }
    }
}

/// A port of a process that will die.
pub struct Crashing<T: ?Sized> {
    inner: Arc<T>,
    crash: Arc<Crash>,
}

impl<T: ?Sized> Crashing<T> {
    /// Lets calls through to `inner` until `crash` happens.
    pub fn new(inner: Arc<T>, crash: Arc<Crash>) -> Self {
        Self { inner, crash }
    }

    async fn read<R>(
        &self,
        call: impl Future<Output = Result<R, Unavailable>>,
    ) -> Result<R, Unavailable> {
        self.crash.alive()?;
        let answer = call.await;
        self.crash.alive()?;
        answer
    }

    async fn change<R, E: From<Unavailable>>(
        &self,
        call: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        self.crash.alive()?;
        let answer = call.await;
        self.crash.count();
        answer
    }
}

#[async_trait]
impl Records for Crashing<dyn Records> {
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        self.read(self.inner.get(key)).await
    }

    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, Unavailable> {
        self.read(self.inner.get_all(keys)).await
    }

    async fn ahead(&self, keys: &[Key]) -> Option<Arc<dyn Records>> {
        let inner = self.inner.ahead(keys).await?;
        Some(Arc::new(Self::new(inner, Arc::clone(&self.crash))))
    }

    async fn query(&self, query: &Query) -> Result<Page, Unavailable> {
        self.read(self.inner.query(query)).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), records::Error> {
        self.change(self.inner.commit(commit)).await
    }

    async fn settle(&self) -> Result<(), Unavailable> {
        self.change(self.inner.settle()).await
    }

    async fn tally(&self, prefix: &str) -> Result<Vec<(String, u64)>, Unavailable> {
        self.read(self.inner.tally(prefix)).await
    }
}

#[async_trait]
impl Orchestrator for Crashing<dyn Orchestrator> {
    async fn start(&self, step: ThreadStep) -> Result<(), Unavailable> {
        self.change(self.inner.start(step)).await
    }

    async fn tell(&self, token: &str, then: Then) -> Result<(), Unavailable> {
        self.change(self.inner.tell(token, then)).await
    }

    async fn next(&self) -> ThreadStep {
        self.inner.next().await
    }
}

#[async_trait]
impl Queues for Crashing<dyn Queues> {
    async fn send(&self, queue: Queue, messages: Vec<Outgoing>) -> Result<(), Unavailable> {
        self.change(self.inner.send(queue, messages)).await
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, Unavailable> {
        // A request of a dead process may still wait at the other side, and must not do so for long.
        let wait = wait.min(Duration::from_secs(1));
        self.read(self.inner.receive(queue, max, wait)).await
    }

    async fn acknowledge(&self, queue: Queue, receipts: Vec<Receipt>) -> Result<(), Unavailable> {
        self.change(self.inner.acknowledge(queue, receipts)).await
    }

    async fn give_back(
        &self,
        queue: Queue,
        receipt: Receipt,
        delay: Duration,
        reason: &str,
    ) -> Result<(), Unavailable> {
        self.change(self.inner.give_back(queue, receipt, delay, reason)).await
    }

    async fn depth(&self, queue: Queue) -> Result<u64, Unavailable> {
        self.read(self.inner.depth(queue)).await
    }

    async fn dead_letters(
        &self,
        queue: Queue,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Unavailable> {
        self.read(self.inner.dead_letters(queue, cursor, limit)).await
    }

    async fn redrive(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.change(self.inner.redrive(queue, id)).await
    }

    async fn purge(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.change(self.inner.purge(queue, id)).await
    }
}
