//! Records on the store.

use crate::store::{Store, failed, is_expired, sqlite_get, sqlite_query};
use async_trait::async_trait;
use attune_ports::records::{Commit, Error, From, Page, Query};
use attune_ports::{Key, Record, Records, Unavailable};
use chrono::Utc;
use std::sync::Arc;

pub(crate) struct LocalRecords {
    store: Store,
}

impl LocalRecords {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    fn read(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        let epoch = {
            let mut state = self.store.state();
            if let Some(known) = state.remembered(key) {
                self.store.count_read(true);
                return Ok(known
                    .filter(|record| !is_expired(record, Utc::now()))
                    .map(|record| (*record).clone()));
            }
            state.epoch()
        };
        self.store.count_read(false);
        let read = self.store.readers().read(|db| sqlite_get(db, key)).map_err(failed)?;
        let mut state = self.store.state();
        // Written while we read: memory knows better.
        if state.epoch() != epoch || state.remembered(key).is_some() {
            drop(state);
            return self.read(key);
        }
        let Some(record) = read.filter(|record| !is_expired(record, Utc::now())) else {
            return Ok(None);
        };
        state.remember(Arc::new(record.clone()), epoch);
        Ok(Some(record))
    }
}

#[async_trait]
impl Records for LocalRecords {
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        self.read(key)
    }

    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, Unavailable> {
        keys.iter().map(|key| self.read(key)).collect()
    }

    async fn query(&self, query: &Query) -> Result<Page, Unavailable> {
        let now = Utc::now();
        let page = match &query.from {
            From::Partition(partition) => {
                self.store.state().query_partition(partition, query, now)?
            }
            From::Index(index, partition) => self
                .store
                .readers()
                .read(|db| sqlite_query(db, *index, partition, query, now))
                .map_err(failed)?,
        };
        self.store.count_scanned(page.records.len());
        Ok(page)
    }

    async fn commit(&self, commit: Commit) -> Result<(), Error> {
        commit.check_limits()?;
        self.store.admit().await?;
        self.store.state().commit(commit, Utc::now())?;
        self.store.count_commit();
        self.store.changed();
        Ok(())
    }

    async fn settle(&self) -> Result<(), Unavailable> {
        self.store.settle().await
    }

    async fn tally(&self, prefix: &str) -> Result<Vec<(String, u64)>, Unavailable> {
        Ok(self.store.state().tallies(prefix))
    }
}
