//! Subscriptions to events of a cloud that is not there: kept, so that whoever asks sees them, and without
//! effect. Such events come over the API.

use crate::records::LocalRecords;
use async_trait::async_trait;
use attune_domain::reference::ComponentRef;
use attune_ports::records::{Commit, Expect, Kind};
use attune_ports::{CloudEvents, Key, Query, Record, Records, Subscription, Unavailable};
use std::sync::Arc;

const PARTITION: &str = "cloud_event";

pub(crate) struct Unheard {
    records: Arc<LocalRecords>,
}

impl Unheard {
    pub(crate) fn new(records: Arc<LocalRecords>) -> Self {
        Self { records }
    }

    async fn commit(&self, commit: Commit) -> Result<(), Unavailable> {
        self.records.commit(commit).await.map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new("cloud events", error)
}

#[async_trait]
impl CloudEvents for Unheard {
    async fn subscribe(&self, subscription: &Subscription) -> Result<(), Unavailable> {
        let key = Key::new(PARTITION, subscription.trigger_ref.as_str());
        self.commit(Commit::new().put(Record::new(Kind::Marker, key, subscription))).await
    }

    async fn unsubscribe(&self, trigger_ref: &ComponentRef) -> Result<(), Unavailable> {
        let key = Key::new(PARTITION, trigger_ref.as_str());
        self.commit(Commit::new().delete(key, Expect::Any)).await
    }

    async fn list(&self) -> Result<Vec<Subscription>, Unavailable> {
        let page = self.records.query(&Query::partition(PARTITION, usize::MAX / 2)).await?;
        page.records.iter().map(|record| record.decode().map_err(|e| failed(e.source))).collect()
    }
}
