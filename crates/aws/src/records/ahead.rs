//! What was read before it was asked for.
//!
//! It answers until the next hint, until a commit fails or writes the record, and for a few seconds at most:
//! one step, in other words. Time is the clock's and not the process's, which stands still between two
//! invocations of a function.

use attune_domain::Timestamp;
use attune_ports::{Key, Record};
use chrono::{TimeDelta, Utc};
use parking_lot::Mutex;
use std::collections::HashMap;

/// The longest that anything read ahead answers.
const LIFE: TimeDelta = TimeDelta::seconds(5);

/// Records read ahead.
#[derive(Default)]
pub(super) struct Ahead(Mutex<Held>);

#[derive(Default)]
struct Held {
    hints: u64,
    begun: Timestamp,
    records: HashMap<Key, Place>,
}

enum Place {
    /// A reader is at it, of the hint with this number.
    Coming(u64),
    /// Read; `None`, there is no such record.
    Read(Option<Box<Record>>),
}

impl Ahead {
    /// Notes that these are being read, and forgets what earlier hints left. Answers the hint's number.
    pub(super) fn begin<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) -> u64 {
        let mut held = self.0.lock();
        held.hints += 1;
        held.begun = Utc::now();
        let hint = held.hints;
        held.records = keys.into_iter().map(|key| (key.clone(), Place::Coming(hint))).collect();
        hint
    }

    /// Notes what was read for a hint, unless the record was written or another hint came meanwhile.
    pub(super) fn fill(&self, hint: u64, key: &Key, record: Option<Record>) {
        let mut held = self.0.lock();
        if let Some(place) = held.records.get_mut(key)
            && matches!(place, Place::Coming(other) if *other == hint)
        {
            *place = Place::Read(record.map(Box::new));
        }
    }

    /// The record as it was read ahead, if it was.
    pub(super) fn find(&self, key: &Key) -> Option<Option<Record>> {
        let mut held = self.0.lock();
        let age = Utc::now() - held.begun;
        if age > LIFE || age < TimeDelta::zero() {
            held.records.clear();
        }
        match held.records.get(key)? {
            Place::Read(record) => Some(record.as_deref().cloned()),
            Place::Coming(_) => {
                // Whoever asks now reads for himself, and what is coming may be older than that.
                held.records.remove(key);
                None
            }
        }
    }

    /// Forgets everything, since something turned out to be old.
    pub(super) fn clear(&self) {
        self.0.lock().records.clear();
    }

    /// Forgets records that are written.
    pub(super) fn forget<'a>(&self, keys: impl IntoIterator<Item = &'a Key>) {
        let mut held = self.0.lock();
        for key in keys {
            held.records.remove(key);
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

    #[test]
    fn what_was_read_ahead_answers() {
        let ahead = Ahead::default();
        let (a, b) = (key("a"), key("b"));
        let hint = ahead.begin([&a, &b]);
        ahead.fill(hint, &a, Some(record("a")));
        ahead.fill(hint, &b, None);
        for _ in 0..2 {
            assert_eq!(ahead.find(&a), Some(Some(record("a"))));
            assert_eq!(ahead.find(&b), Some(None), "that there is none is known, too");
        }
        ahead.clear();
        assert_eq!(ahead.find(&a), None);
        let hint = ahead.begin([&a]);
        ahead.fill(hint, &a, Some(record("a")));
        ahead.0.lock().begun -= LIFE * 2;
        assert_eq!(ahead.find(&a), None, "it is too old");
    }

    #[test]
    fn what_may_be_old_answers_nothing() {
        let ahead = Ahead::default();
        let (a, b, c) = (key("a"), key("b"), key("c"));
        let hint = ahead.begin([&a, &b, &c]);
        ahead.forget([&a]);
        ahead.fill(hint, &a, Some(record("a")));
        assert_eq!(ahead.find(&a), None, "written while it was read");
        assert_eq!(ahead.find(&b), None, "not read yet");
        ahead.fill(hint, &b, Some(record("b")));
        assert_eq!(ahead.find(&b), None, "somebody read it for himself meanwhile");
        ahead.fill(hint, &c, Some(record("c")));
        ahead.begin([&a]);
        assert_eq!(ahead.find(&c), None, "a new hint forgets what the old one left");
        ahead.fill(hint, &a, Some(record("a")));
        assert_eq!(ahead.find(&a), None, "read for the old hint");
    }
}
