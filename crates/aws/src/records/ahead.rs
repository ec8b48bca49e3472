//! What a step read before it asked for it.
//!
//! It belongs to that step's records alone, is filled once, and only ever loses: what a commit writes, all when
//! a commit fails, all after a few seconds. So nothing in it is older than the step's message, and nobody else's
//! reading gets in between. Time is the clock's and not the process's, which stands still between two invocations
//! of a function.

use attune_domain::Timestamp;
use attune_ports::{Key, Record};
use chrono::{TimeDelta, Utc};
use parking_lot::Mutex;
use std::collections::HashMap;

/// The longest that anything read ahead answers.
const LIFE: TimeDelta = TimeDelta::seconds(5);

/// Records read ahead; `None`, there is no such record.
#[derive(Default)]
pub(super) struct Ahead {
    since: Timestamp,
    records: Mutex<HashMap<Key, Option<Record>>>,
}

impl Ahead {
    /// What was read at a moment.
    pub(super) fn new(since: Timestamp, records: HashMap<Key, Option<Record>>) -> Self {
        Self { since, records: Mutex::new(records) }
    }

    /// The record as it was read ahead, if it was.
    pub(super) fn find(&self, key: &Key) -> Option<Option<Record>> {
        let mut records = self.records.lock();
        let age = Utc::now() - self.since;
        if age > LIFE || age < TimeDelta::zero() {
            records.clear();
        }
        records.get(key).cloned()
    }

    /// Forgets everything, since something turned out to be old.
    pub(super) fn clear(&self) {
        self.records.lock().clear();
    }

    /// Forgets records that are written.
    pub(super) fn forget<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        let mut records = self.records.lock();
        for key in keys {
            records.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_ports::records::Kind;
    use serde_json::json;

    fn key(name: &str) -> Key {
        Key::new(name, "")
    }

    fn record(name: &str) -> Record {
        Record::new(Kind::Event, key(name), &json!(1))
    }

    /// There is an `a`, and there is no `b`.
    fn read(since: Timestamp) -> Ahead {
        Ahead::new(since, HashMap::from([(key("a"), Some(record("a"))), (key("b"), None)]))
    }

    #[test]
    fn what_was_read_ahead_answers() {
        let ahead = read(Utc::now());
        for _ in 0..2 {
            assert_eq!(ahead.find(&key("a")), Some(Some(record("a"))));
            assert_eq!(ahead.find(&key("b")), Some(None), "that there is none is known, too");
            assert_eq!(ahead.find(&key("c")), None, "it was not read");
        }
        assert_eq!(Ahead::default().find(&key("a")), None);
    }

    #[test]
    fn what_may_be_old_answers_nothing() {
        let ahead = read(Utc::now());
        ahead.forget([&key("a")]);
        assert_eq!(ahead.find(&key("a")), None, "it was written");
        assert_eq!(ahead.find(&key("b")), Some(None));
        ahead.clear();
        assert_eq!(ahead.find(&key("b")), None, "a commit has failed");
        for since in [Utc::now() - LIFE * 2, Utc::now() + LIFE] {
            assert_eq!(read(since).find(&key("a")), None, "it is too old, or nobody can tell");
        }
    }
}
