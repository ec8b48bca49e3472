//! The feed on the store: what became durable, in order, as far as memory holds it.

use crate::store::Store;
use async_trait::async_trait;
use attune_ports::{Change, Feed, FeedCursor, Lagged};
use std::sync::Arc;

pub(crate) struct LocalFeed {
    store: Store,
}

impl LocalFeed {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Feed for LocalFeed {
    fn head(&self) -> FeedCursor {
        FeedCursor(self.store.state().feed_head())
    }

    async fn after(&self, cursor: FeedCursor) -> Result<Vec<Arc<Change>>, Lagged> {
        let mut durable = self.store.watch_durable();
        loop {
            durable.borrow_and_update();
            let changes = self.store.changes_after(cursor.0)?;
            if !changes.is_empty() {
                return Ok(changes);
            }
            // A closed store has nothing more to tell.
            if self.store.is_stopped() || durable.changed().await.is_err() {
                return Err(Lagged);
            }
        }
    }
}
