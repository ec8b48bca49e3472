//! Records on one DynamoDB table.
//!
//! A commit of one write is one request, a commit of several a transaction, which costs double. Both are
//! durable when they return, so [`Records::settle`] has nothing to do. Reads by key and of partitions are
//! consistent; indexes hold keys alone, and the records they name are then read by key.

mod ahead;
mod commit;
mod condition;
pub(crate) mod item;
mod merge;
mod query;
mod range;
mod request;
mod shard;

use crate::{Clients, tally};
use ahead::Ahead;
use async_trait::async_trait;
use attune_ports::records::{Commit, Error, From, Page};
use attune_ports::{Key, Query, Record, Records, Unavailable};
use std::sync::Arc;

/// Records on a DynamoDB table of [`crate::table`]'s making.
pub struct DynamoRecords {
    table: Table,
    /// Nothing, but where these are a step's own.
    ahead: Ahead,
}

/// One table and how to reach it.
#[derive(Clone)]
struct Table {
    clients: Arc<Clients>,
    name: String,
}

impl DynamoRecords {
    /// The records of a table. Nothing is asked of it yet.
    #[must_use]
    pub fn new(clients: Arc<Clients>, table: String) -> Self {
        Self { table: Table { clients, name: table }, ahead: Ahead::default() }
    }
}

#[async_trait]
impl Records for DynamoRecords {
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        match self.ahead.find(key) {
            Some(record) => {
                Ok(record.filter(|record| !item::is_expired(record, chrono::Utc::now())))
            }
            None => self.table.get(key).await,
        }
    }

    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, Unavailable> {
        let found = self.table.get_each(keys).await?;
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    async fn ahead(&self, keys: &[Key]) -> Option<Arc<dyn Records>> {
        // One alone is read no sooner by reading it ahead.
        if keys.len() < 2 {
            return None;
        }
        // The reads begin now, and are as old as that.
        let since = chrono::Utc::now();
        // It may fail: whoever reads then is told what is wrong.
        let mut found = self.table.get_each(keys).await.ok()?;
        let read = keys.iter().map(|key| (key.clone(), found.remove(key)));
        let ahead = Ahead::new(since, read.collect());
        Some(Arc::new(Self { table: self.table.clone(), ahead }))
    }

    async fn query(&self, query: &Query) -> Result<Page, Unavailable> {
        match &query.from {
            From::Partition(name) => self.table.query_partition(name, query).await,
            From::Index(index, name) => self.table.query_index(*index, name, query).await,
        }
    }

    async fn commit(&self, commit: Commit) -> Result<(), Error> {
        commit.check_limits()?;
        // Before, since another of the batch may read while this is written.
        self.ahead.forget(commit.writes.iter().map(|write| write.key()));
        let outcome = self.table.commit(&commit).await;
        if outcome.is_err() {
            // The decision is made again, on fresh records.
            self.ahead.clear();
        }
        outcome
    }

    async fn settle(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    async fn tally(&self, prefix: &str) -> Result<Vec<(String, u64)>, Unavailable> {
        tally::read(&self.table.clients, &self.table.name, prefix).await
    }
}
