//! What was applied to memory and is not in SQLite yet.

use super::letterbox::Letter;
use attune_ports::{Change, Key, Record};
use std::collections::{BTreeMap, HashMap, HashSet};
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
    /// Names whose tally changed.
    pub tallies: HashSet<String>,
    /// For the feed.
    pub changes: Vec<Arc<Change>>,
    /// The last sequence number in it.
    pub upto: u64,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.letters.is_empty() && self.tallies.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len() + self.letters.len()
    }
}
