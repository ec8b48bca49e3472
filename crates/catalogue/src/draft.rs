//! Commits in the making: what one change of the catalogue writes, and how it is tried again.

use crate::definition::{Definition, Stored};
use crate::error::{Error, Failure};
use crate::layout;
use attune_ports::Ports;
use attune_ports::records::{Commit, Expect, Key, Kind, MAX_WRITES, Record, Write};
use std::time::Duration;

/// Tries of one change before it is given up as [`Error::Contended`].
const ATTEMPTS: u32 = 12;

/// The writes of one change. Takes each record once: what is written is not merely insisted on as well.
#[derive(Default)]
pub(crate) struct Draft {
    commit: Commit,
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A definition that must not be there yet, and the mark of its id.
    pub(crate) fn create<T: Definition>(&mut self, value: &T) {
        let marker = layout::by_id(T::KIND, value.id());
        self.write(Write::Put { record: value.record(), expect: Expect::Absent });
        self.write(Write::Put {
            record: Record::new(Kind::Marker, marker, &value.reference()),
            expect: Expect::Absent,
        });
    }

    /// A definition in place of the one that was read.
    pub(crate) fn replace<T: Definition>(&mut self, value: &T, version: u64) {
        self.write(Write::Put { record: value.record(), expect: Expect::Version(version) });
    }

    /// Creates or replaces.
    pub(crate) fn store<T: Definition>(&mut self, before: Option<&Stored<T>>, after: &T) {
        match before {
            None => self.create(after),
            Some(before) => self.replace(after, before.version),
        }
    }

    /// Removes a definition and the mark of its id.
    pub(crate) fn remove<T: Definition>(&mut self, before: &Stored<T>) {
        self.write(Write::Delete {
            key: layout::definition(T::KIND, before.value.reference()),
            expect: Expect::Version(before.version),
        });
        self.delete(layout::by_id(T::KIND, before.value.id()));
    }

    /// Stores a small record, whatever is there.
    pub(crate) fn put(&mut self, record: Record) {
        self.write(Write::Put { record, expect: Expect::Any });
    }

    /// Stores a small record that must not be there yet.
    pub(crate) fn claim(&mut self, record: Record) {
        self.write(Write::Put { record, expect: Expect::Absent });
    }

    /// Removes a small record, whatever is there.
    pub(crate) fn delete(&mut self, key: Key) {
        self.write(Write::Delete { key, expect: Expect::Any });
    }

    /// Gives a generation a new value, so that whoever remembers what it stands for reads again.
    pub(crate) fn renew(&mut self, generation: Key, fresh: i64) {
        if !self.holds(&generation) {
            self.put(Record::new(Kind::Marker, generation, &fresh));
        }
    }

    /// Insists that what was read by `reference` is as it was: that version, or still nothing.
    pub(crate) fn insist<T: Definition>(&mut self, reference: &str, read: Option<&Stored<T>>) {
        let key = layout::definition(T::KIND, reference);
        if !self.holds(&key) {
            let expect = read.map_or(Expect::Absent, |read| Expect::Version(read.version));
            self.write(Write::Check { key, expect });
        }
    }

    fn holds(&self, key: &Key) -> bool {
        self.commit.writes.iter().any(|write| write.key() == key)
    }

    fn write(&mut self, write: Write) {
        // A write takes the place of an earlier demand on the same record: it carries its own.
        self.commit.writes.retain(|other| other.key() != write.key());
        self.commit.writes.push(write);
    }

    /// Whether another `writes` still fit.
    pub(crate) fn fits(&self, writes: usize) -> bool {
        self.commit.writes.len() + writes <= MAX_WRITES
    }

    pub(crate) async fn commit(self, ports: &Ports) -> Result<(), Failure> {
        if self.commit.writes.is_empty() {
            return Ok(());
        }
        ports.records.commit(self.commit).await.map_err(Failure::of_commit)
    }
}

/// Loads, decides and commits anew for as long as others are faster, with a little jitter.
pub(crate) async fn settled<T, F>(ports: &Ports, mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Failure>>,
{
    for tried in 0..ATTEMPTS {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Stale) => {
                let spread = ports.ids.random(1).first().copied().unwrap_or(0);
                let millis = u64::from(spread) * u64::from(tried + 1) / 64;
                tokio::time::sleep(Duration::from_millis(millis)).await;
            }
        }
    }
    Err(Error::Contended)
}
