//! What changed, in order.

use crate::records::{Key, Kind};
use async_trait::async_trait;
use attune_domain::Timestamp;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A position in the feed: everything up to it has been seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeedCursor(pub u64);

/// A record's body at some version, as JSON.
pub type Image = Bytes;

/// One durable change of one record. The changes of one record come in the order of its versions.
#[derive(Clone, Debug)]
pub struct Change {
    /// Position of this change.
    pub cursor: FeedCursor,
    /// What kind of record.
    pub kind: Kind,
    /// Which.
    pub key: Key,
    /// Body before; `None` where it was made.
    pub old: Option<Image>,
    /// Body after; `None` where it was removed.
    pub new: Option<Image>,
    /// When.
    pub at: Timestamp,
}

/// The subscriber fell behind what the feed keeps, or its cursor is of another life: read afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the feed no longer holds what comes after this cursor")]
pub struct Lagged;

/// Tells what changed once it cannot be lost any more.
///
/// Bookkeeping (markers, lanes, tickets, slots, schedules) is not told.
#[async_trait]
pub trait Feed: Send + Sync {
    /// The newest position.
    fn head(&self) -> FeedCursor;

    /// The changes after `cursor`: waits until there is at least one.
    ///
    /// # Errors
    /// [`Lagged`] where changes after the cursor have been forgotten.
    async fn after(&self, cursor: FeedCursor) -> Result<Vec<Arc<Change>>, Lagged>;
}
