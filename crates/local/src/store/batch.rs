//! What was applied to memory and is not in SQLite yet.

use super::letterbox::Letter;
use attune_ports::{Change, Key, Record};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A record's newest state in the batch.
#[derive(Clone)]
pub(crate) struct Pending {
    /// `None`: removed.
    pub record: Option<Arc<Record>>,
    /// Whether SQLite has never had it; removing it again then leaves nothing to write.
    pub fresh: bool,
}

/// Everything between two moments of the one order.
#[derive(Default)]
pub(crate) struct Batch {
    pub records: BTreeMap<Key, Pending>,
    /// Messages by number; `None`: gone.
    pub letters: HashMap<i64, Option<Letter>>,
    /// Tallies that changed, as they are at the end of the batch.
    pub tallies: HashMap<String, i64>,
    /// For the feed.
    pub changes: Vec<Arc<Change>>,
    /// The last sequence number in it; 0, nothing has happened.
    pub upto: u64,
}

impl Batch {
    /// Whether nothing has happened. What came and went again leaves nothing to write, but somebody may
    /// wait to hear that it is over.
    pub(crate) fn is_empty(&self) -> bool {
        self.upto == 0
    }

    /// Whether there is something to write.
    pub(crate) fn has_rows(&self) -> bool {
        !(self.records.is_empty() && self.letters.is_empty() && self.tallies.is_empty())
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len() + self.letters.len()
    }
}
