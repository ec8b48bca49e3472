//! The newest state of everything, under one lock.

use super::batch::{Batch, Pending};
use super::letterbox::{Letter, Letterbox};
use super::sqlite;
use crate::{Config, Error};
use attune_domain::Timestamp;
use attune_ports::records::{self, Commit, Expect, Page, Query, Write};
use attune_ports::{Change, FeedCursor, Key, Lagged, Queue, Record, Unavailable};
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use rusqlite::Connection;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// Beyond this many pending rows, commits wait for the writer.
const CROWDED: usize = 20_000;
/// Changes that the feed remembers.
const FEED: usize = 4096;

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Record>> for Weight {
    fn weight(&self, key: &Key, record: &Arc<Record>) -> u64 {
        (key.partition.len() + key.sort.len()) as u64 * 2 + record.body.len() as u64 + 400
    }
}

pub(crate) struct State {
    active: Batch,
    /// What the writer is writing at this moment.
    flushing: Option<Arc<Batch>>,
    cache: Cache<Key, Arc<Record>, Weight>,
    reader: Connection,
    sequence: u64,
    /// Counts finished batches, so that a slow reader notices that what it read may be old.
    epoch: u64,
    tallies: BTreeMap<String, i64>,
    pub(super) letterboxes: HashMap<Queue, Letterbox>,
    next_letter: i64,
    feed: VecDeque<Arc<Change>>,
    /// Cursor of the newest change that was forgotten, or of the last one of an earlier life.
    forgotten: u64,
    failure: Option<Arc<str>>,
    stopping: Option<Stop>,
    stopped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    AfterWriting,
    AtOnce,
}

/// What the writer shall do next.
pub(super) enum Work {
    Nothing,
    Write(Arc<Batch>),
    Stop,
}

impl State {
    pub(super) fn load(reader: Connection, config: &Config) -> Result<Self, Error> {
        let mut letterboxes: HashMap<Queue, Letterbox> =
            Queue::ALL.into_iter().map(|queue| (queue, Letterbox::new(queue))).collect();
        let now = chrono::Utc::now();
        let mut last = 0;
        for mut letter in sqlite::letters(&reader)? {
            last = last.max(letter.number);
            // Whoever had it is gone with the process that held it; delayed ones keep their time.
            if letter.receives > 0 {
                letter.visible_at = letter.visible_at.min(now);
            }
            if let Some(letterbox) = letterboxes.get_mut(&letter.queue) {
                letterbox.insert(letter, now);
            }
        }
        let tallies = sqlite::tallies(&reader)?;
        // The feed's cursors of an earlier life must not look like this one's.
        let sequence = u64::try_from(now.timestamp_micros()).unwrap_or(0);
        Ok(Self {
            active: Batch::default(),
            flushing: None,
            cache: Cache::with_weighter(16 * 1024, config.cache_bytes, Weight),
            reader,
            sequence,
            epoch: 0,
            tallies,
            letterboxes,
            next_letter: last + 1,
            feed: VecDeque::new(),
            forgotten: sequence,
            failure: None,
            stopping: None,
            stopped: false,
        })
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    pub(super) fn is_crowded(&self) -> bool {
        self.active.len() > CROWDED
    }

    pub(crate) fn check_open(&self) -> Result<(), Unavailable> {
        match &self.failure {
            _ if self.stopping.is_some() => Err(Unavailable::new("store", "closed")),
            Some(why) => Err(Unavailable::new("store", why)),
            None => Ok(()),
        }
    }

    /// The record in memory: `Some(None)` where memory knows that there is none.
    pub(crate) fn remembered(&mut self, key: &Key) -> Option<Option<Arc<Record>>> {
        if let Some(pending) = self.active.records.get(key) {
            return Some(pending.record.clone());
        }
        if let Some(pending) = self.flushing.as_ref().and_then(|batch| batch.records.get(key)) {
            return Some(pending.record.clone());
        }
        self.cache.get(key).cloned().map(Some)
    }

    /// Keeps what was read from SQLite, unless something newer came in between.
    pub(crate) fn remember(&mut self, record: Arc<Record>, epoch: u64) {
        if self.epoch == epoch && self.remembered(&record.key).is_none() {
            self.cache.insert(record.key.clone(), record);
        }
    }

    fn current(&mut self, key: &Key) -> Result<Option<Arc<Record>>, Unavailable> {
        match self.remembered(key) {
            Some(known) => Ok(known),
            None => Ok(sqlite::get(&self.reader, key).map_err(failed)?.map(Arc::new)),
        }
    }

    /// Makes all writes or none.
    pub(crate) fn commit(&mut self, commit: Commit, now: Timestamp) -> Result<(), records::Error> {
        self.check_open()?;
        let mut before = Vec::with_capacity(commit.writes.len());
        for write in &commit.writes {
            let (key, expect) = match write {
                Write::Put { record, expect } => (&record.key, *expect),
                Write::Delete { key, expect } | Write::Check { key, expect } => (key, *expect),
            };
            let stored = self.current(key)?;
            let visible = stored.as_ref().filter(|record| !is_expired(record, now));
            let fulfilled = match expect {
                Expect::Absent => visible.is_none(),
                Expect::Version(version) => visible.is_some_and(|r| r.version == version),
                Expect::Any => true,
            };
            if !fulfilled {
                return Err(records::Error::Stale(key.clone()));
            }
            before.push(stored);
        }
        for (write, old) in commit.writes.into_iter().zip(before) {
            match write {
                Write::Put { mut record, .. } => {
                    record.version = old.as_ref().map_or(1, |old| old.version + 1);
                    let key = record.key.clone();
                    self.apply(key, old, Some(Arc::new(record)), now);
                }
                Write::Delete { key, .. } if old.is_some() => self.apply(key, old, None, now),
                Write::Delete { .. } | Write::Check { .. } => {}
            }
        }
        Ok(())
    }

    fn apply(
        &mut self,
        key: Key,
        old: Option<Arc<Record>>,
        new: Option<Arc<Record>>,
        now: Timestamp,
    ) {
        self.sequence += 1;
        self.active.upto = self.sequence;
        let counted = |record: &Option<Arc<Record>>| record.as_ref().and_then(|r| r.tally.clone());
        let (was, is) = (counted(&old), counted(&new));
        if was != is {
            for (name, by) in [(was, -1), (is, 1)] {
                if let Some(name) = name {
                    self.tally_by(name, by);
                }
            }
        }
        let kind = new.as_ref().or(old.as_ref()).map(|record| record.kind);
        if let Some(kind) = kind.filter(|kind| kind.is_told()) {
            self.active.changes.push(Arc::new(Change {
                cursor: FeedCursor(self.sequence),
                kind,
                key: key.clone(),
                old: old.as_ref().map(|record| record.body.clone()),
                new: new.as_ref().map(|record| record.body.clone()),
                at: now,
            }));
        }
        let fresh = match self.active.records.get(&key) {
            Some(pending) => pending.fresh,
            // What is being written at this moment may be there already.
            None => {
                old.is_none()
                    && !self.flushing.as_ref().is_some_and(|b| b.records.contains_key(&key))
            }
        };
        if new.is_none() && fresh {
            self.active.records.remove(&key);
        } else {
            self.cache.remove(&key);
            self.active.records.insert(key, Pending { record: new, fresh });
        }
    }

    fn tally_by(&mut self, name: String, by: i64) {
        let count = self.tallies.entry(name.clone()).or_default();
        *count += by;
        self.active.tallies.insert(name, *count);
    }

    /// A consistent range of one partition: memory laid over SQLite, read only as far as needed.
    pub(crate) fn query_partition(
        &self,
        partition: &str,
        query: &Query,
        now: Timestamp,
    ) -> Result<Page, Unavailable> {
        let (low, high) = sqlite::bounds(query);
        let from = Key::new(partition, low.clone());
        let to = Key::new(partition, high.clone());
        let visible = |record: &Record| !is_expired(record, now);
        let overlay = self.overlay(&from, &to, query, visible);
        sqlite::merge(&self.reader, partition, query, &low, &high, overlay, visible).map_err(failed)
    }

    /// What memory knows better than SQLite in a range: from where the query begins, until there is more
    /// to show than it asks for.
    fn overlay(
        &self,
        from: &Key,
        to: &Key,
        query: &Query,
        visible: impl Fn(&Record) -> bool,
    ) -> BTreeMap<String, Option<Arc<Record>>> {
        let none = BTreeMap::new();
        let flushing = self.flushing.as_ref().map_or(&none, |batch| &batch.records);
        let mut newer = directed(&self.active.records, from, to, query.descending).peekable();
        let mut older = directed(flushing, from, to, query.descending).peekable();
        let mut overlay = BTreeMap::new();
        let mut shown = 0;
        while shown <= query.limit {
            let is_newer = match (newer.peek(), older.peek()) {
                (None, None) => break,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((new, _)), Some((old, _))) if new == old => {
                    older.next();
                    true
                }
                (Some((new, _)), Some((old, _))) => (new < old) != query.descending,
            };
            let next = if is_newer { newer.next() } else { older.next() };
            let Some((key, pending)) = next else { break };
            shown += usize::from(pending.record.as_deref().is_some_and(&visible));
            overlay.insert(key.sort.clone(), pending.record.clone());
        }
        overlay
    }

    pub(crate) fn tallies(&self, prefix: &str) -> Vec<(String, u64)> {
        self.tallies
            .range(prefix.to_owned()..)
            .take_while(|(name, _)| name.starts_with(prefix))
            .map(|(name, count)| (name.clone(), u64::try_from(*count).unwrap_or(0)))
            .collect()
    }

    pub(crate) fn draw_letter_number(&mut self) -> i64 {
        self.next_letter += 1;
        self.next_letter - 1
    }

    pub(crate) fn letterbox(&mut self, queue: Queue) -> &mut Letterbox {
        self.letterboxes.entry(queue).or_insert_with(|| Letterbox::new(queue))
    }

    /// Notes that a letter came or changed.
    pub(crate) fn store_letter(&mut self, letter: Letter) {
        self.sequence += 1;
        self.active.upto = self.sequence;
        self.active.letters.insert(letter.number, Some(letter));
    }

    /// Notes that a letter is gone.
    pub(crate) fn drop_letter(&mut self, letter: &Letter) {
        self.sequence += 1;
        self.active.upto = self.sequence;
        if letter.stored {
            self.active.letters.insert(letter.number, None);
        } else {
            self.active.letters.remove(&letter.number);
        }
    }

    pub(super) fn changes_after(&self, cursor: u64) -> Result<Vec<Arc<Change>>, Lagged> {
        if cursor < self.forgotten {
            return Err(Lagged);
        }
        let from = self.feed.partition_point(|change| change.cursor.0 <= cursor);
        Ok(self.feed.iter().skip(from).cloned().collect())
    }

    pub(crate) fn feed_head(&self) -> u64 {
        self.feed.back().map_or(self.forgotten, |change| change.cursor.0)
    }

    pub(super) fn next_work(&mut self) -> Work {
        match self.stopping {
            Some(Stop::AtOnce) => return Work::Stop,
            Some(Stop::AfterWriting) if self.active.is_empty() => return Work::Stop,
            _ => {}
        }
        if self.active.is_empty() {
            return Work::Nothing;
        }
        let batch = std::mem::take(&mut self.active);
        for (number, letter) in &batch.letters {
            if let Some(letter) = letter
                && let Some(kept) = self
                    .letterboxes
                    .get_mut(&letter.queue)
                    .and_then(|letterbox| letterbox.get_mut(*number))
            {
                kept.stored = true;
            }
        }
        let batch = Arc::new(batch);
        self.flushing = Some(Arc::clone(&batch));
        Work::Write(batch)
    }

    pub(super) fn has_work(&self) -> bool {
        !self.active.is_empty() || self.stopping.is_some()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.is_some()
    }

    /// The batch is in SQLite: memory may forget it, the feed may tell it.
    pub(super) fn written(&mut self, batch: &Batch) {
        self.flushing = None;
        self.epoch += 1;
        self.failure = None;
        for (key, pending) in &batch.records {
            match &pending.record {
                _ if self.active.records.contains_key(key) => {}
                Some(record) => {
                    self.cache.insert(key.clone(), Arc::clone(record));
                }
                None => {
                    self.cache.remove(key);
                }
            }
        }
        self.feed.extend(batch.changes.iter().cloned());
        while self.feed.len() > FEED {
            if let Some(change) = self.feed.pop_front() {
                self.forgotten = change.cursor.0;
            }
        }
    }

    /// Rows that SQLite removed by itself because they had expired.
    pub(super) fn purged(&mut self, purged: &[(Key, Option<String>)]) {
        self.epoch += 1;
        self.sequence += 1;
        self.active.upto = self.sequence;
        for (key, tally) in purged {
            self.cache.remove(key);
            if let Some(tally) = tally {
                self.tally_by(tally.clone(), -1);
            }
        }
    }

    /// Whether a key has a newer state that is not written.
    pub(super) fn is_pending(&self, key: &Key) -> bool {
        self.active.records.contains_key(key)
    }

    pub(super) fn fail(&mut self, why: Arc<str>) {
        self.failure = Some(why);
    }

    pub(super) fn stop(&mut self, at_once: bool) {
        if self.stopping.is_none() {
            self.stopping = Some(if at_once { Stop::AtOnce } else { Stop::AfterWriting });
        }
    }

    pub(super) fn set_stopped(&mut self) {
        self.stopped = true;
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }
}

/// The pending records of a range, in either direction.
fn directed<'a>(
    records: &'a BTreeMap<Key, Pending>,
    from: &Key,
    to: &Key,
    descending: bool,
) -> Box<dyn Iterator<Item = (&'a Key, &'a Pending)> + 'a> {
    let range = records.range::<Key, _>(from..to);
    if descending { Box::new(range.rev()) } else { Box::new(range) }
}

pub(crate) fn is_expired(record: &Record, now: Timestamp) -> bool {
    record.expires_at.is_some_and(|at| at <= now)
}

pub(crate) fn failed(error: rusqlite::Error) -> Unavailable {
    Unavailable::new("store", error)
}
