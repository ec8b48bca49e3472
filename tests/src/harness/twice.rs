//! Queues that deliver every message twice, and an orchestrator that has every step taken twice.

use async_trait::async_trait;
use attune_ports::orchestrator::{Orchestrator, Then, ThreadStep};
use attune_ports::queues::{DeadLetter, Receipt};
use attune_ports::{Delivery, Outgoing, Queue, Queues, Unavailable};
use std::sync::Arc;
use std::time::Duration;

/// Sends each message a second time under an id of its own, right behind the first; has each step taken a second time.
pub struct Twice<T: ?Sized> {
    inner: Arc<T>,
}

impl<T: ?Sized> Twice<T> {
    /// Doubles what goes through `inner`.
    #[must_use]
    pub fn new(inner: Arc<T>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl Orchestrator for Twice<dyn Orchestrator> {
    async fn start(&self, step: ThreadStep) -> Result<(), Unavailable> {
        self.inner.start(step).await?;
        self.inner.start(step).await
    }

    async fn tell(&self, token: &str, then: Then) -> Result<(), Unavailable> {
        self.inner.tell(token, then).await?;
        self.inner.tell(token, then).await
    }

    async fn next(&self) -> ThreadStep {
        self.inner.next().await
    }
}

#[async_trait]
impl Queues for Twice<dyn Queues> {
    async fn send(&self, queue: Queue, messages: Vec<Outgoing>) -> Result<(), Unavailable> {
        let doubled = messages.into_iter().flat_map(|first| {
            let deduplication = format!("{}:again", first.deduplication);
            let second = Outgoing { deduplication, ..first.clone() };
            [first, second]
        });
        self.inner.send(queue, doubled.collect()).await
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, Unavailable> {
        self.inner.receive(queue, max, wait).await
    }

    async fn acknowledge(&self, queue: Queue, receipts: Vec<Receipt>) -> Result<(), Unavailable> {
        self.inner.acknowledge(queue, receipts).await
    }

    async fn give_back(
        &self,
        queue: Queue,
        receipt: Receipt,
        delay: Duration,
        reason: &str,
    ) -> Result<(), Unavailable> {
        self.inner.give_back(queue, receipt, delay, reason).await
    }

    async fn depth(&self, queue: Queue) -> Result<u64, Unavailable> {
        self.inner.depth(queue).await
    }

    async fn dead_letters(
        &self,
        queue: Queue,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Unavailable> {
        self.inner.dead_letters(queue, cursor, limit).await
    }

    async fn redrive(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.inner.redrive(queue, id).await
    }

    async fn purge(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.inner.purge(queue, id).await
    }
}
