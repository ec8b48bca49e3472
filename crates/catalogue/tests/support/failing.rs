//! Records that fail.

use async_trait::async_trait;
use attune_ports::Unavailable;
use attune_ports::records::{Commit, Error, Key, Page, Query, Record, Records};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Records that take so many commits and then no more.
pub struct Failing {
    pub inner: Arc<dyn Records>,
    pub left: AtomicUsize,
}

#[async_trait]
impl Records for Failing {
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        self.inner.get(key).await
    }

    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, Unavailable> {
        self.inner.get_all(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Unavailable> {
        self.inner.query(query).await
    }

    async fn commit(&self, commit: Commit) -> Result<(), Error> {
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            return Err(Unavailable::new("records", "the plug is pulled").into());
        }
        self.left.store(left - 1, Ordering::SeqCst);
        self.inner.commit(commit).await
    }

    async fn settle(&self) -> Result<(), Unavailable> {
        self.inner.settle().await
    }

    async fn tally(&self, prefix: &str) -> Result<Vec<(String, u64)>, Unavailable> {
        self.inner.tally(prefix).await
    }
}
