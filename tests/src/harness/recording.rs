//! What goes over the ports: the order of admission as it was sent, and how often what was called.

use async_trait::async_trait;
use attune_domain::message::Step;
use attune_ports::queues::{DeadLetter, Receipt};
use attune_ports::records::{self, Commit, Page};
use attune_ports::{Delivery, Key, Outgoing, Query, Queue, Queues, Record, Records, Unavailable};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Gathers what goes through the ports that it wraps.
#[derive(Default)]
pub struct Recording {
    calls: Mutex<BTreeMap<&'static str, u64>>,
    admissions: Mutex<HashMap<String, Vec<Step>>>,
    /// One sender at a time, so that what is noted first is sent first.
    sending: tokio::sync::Mutex<()>,
}

impl Recording {
    /// How often each operation was called so far.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.calls.lock().clone()
    }

    /// What was sent to be admitted in a group, in order.
    #[must_use]
    pub fn admissions(&self, group: &str) -> Vec<Step> {
        self.admissions.lock().get(group).cloned().unwrap_or_default()
    }

    /// Records that are listened to.
    pub(super) fn records(self: &Arc<Self>, inner: Arc<dyn Records>) -> Arc<dyn Records> {
        Arc::new(Recorded { inner, recording: Arc::clone(self) })
    }

    /// Queues that are listened to.
    pub(super) fn queues(self: &Arc<Self>, inner: Arc<dyn Queues>) -> Arc<dyn Queues> {
        Arc::new(Recorded { inner, recording: Arc::clone(self) })
    }

    fn count(&self, call: &'static str) {
        *self.calls.lock().entry(call).or_default() += 1;
    }
}

struct Recorded<T: ?Sized> {
    inner: Arc<T>,
    recording: Arc<Recording>,
}

#[async_trait]
impl Records for Recorded<dyn Records> {
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        self.recording.count("get");
        self.inner.get(key).await
    }

    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, Unavailable> {
        self.recording.count("get_all");
        self.inner.get_all(keys).await
    }

    async fn ahead(&self, keys: &[Key]) -> Option<Arc<dyn Records>> {
        self.recording.count("ahead");
        Some(self.recording.records(self.inner.ahead(keys).await?))
    }

    async fn query(&self, query: &Query) -> Result<Page, Unavailable> {
        self.recording.count("query");
        self.inner.query(query).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), records::Error> {
        self.recording.count("commit");
        self.inner.commit(commit).await
    }

    async fn settle(&self) -> Result<(), Unavailable> {
        self.recording.count("settle");
        self.inner.settle().await
    }

    async fn tally(&self, prefix: &str) -> Result<Vec<(String, u64)>, Unavailable> {
        self.recording.count("tally");
        self.inner.tally(prefix).await
    }
}

#[async_trait]
impl Queues for Recorded<dyn Queues> {
    async fn send(&self, queue: Queue, messages: Vec<Outgoing>) -> Result<(), Unavailable> {
        self.recording.count("send");
        if queue != Queue::Admit {
            return self.inner.send(queue, messages).await;
        }
        let _one_at_a_time = self.recording.sending.lock().await;
        {
            let mut admissions = self.recording.admissions.lock();
            for outgoing in &messages {
                let group = admissions.entry(outgoing.group.clone()).or_default();
                group.push(outgoing.message.step.clone());
            }
        }
        self.inner.send(queue, messages).await
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, Unavailable> {
        self.recording.count("receive");
        self.inner.receive(queue, max, wait).await
    }

    async fn acknowledge(&self, queue: Queue, receipts: Vec<Receipt>) -> Result<(), Unavailable> {
        self.recording.count("acknowledge");
        self.inner.acknowledge(queue, receipts).await
    }

    async fn give_back(
        &self,
        queue: Queue,
        receipt: Receipt,
        delay: Duration,
        reason: &str,
    ) -> Result<(), Unavailable> {
        self.recording.count("give_back");
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
