//! What is known: records under a partition and a sort key, changed in all-or-nothing commits.
//!
//! The shape is DynamoDB's on purpose, and every implementation enforces its limits: so what works on one
//! machine works in the cloud.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::Timestamp;
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;

/// Writes in one commit, at most.
pub const MAX_WRITES: usize = 100;
/// Bytes in one commit, at most.
pub const MAX_COMMIT_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of one record's body, at most.
pub const MAX_RECORD_BYTES: usize = 400 * 1024;

/// Address of a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Records of one partition can be read together, consistently, in the order of `sort`.
    pub partition: String,
    /// Place in the partition; may be empty.
    pub sort: String,
}

impl Key {
    /// An address.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: sort.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.sort)
    }
}

/// What kind of thing a record describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A pack.
    Pack,
    /// An action.
    Action,
    /// A workflow's definition.
    Workflow,
    /// A trigger.
    Trigger,
    /// A sensor.
    Sensor,
    /// A rule.
    Rule,
    /// A policy.
    Policy,
    /// A permission set.
    PermissionSet,
    /// A key of the keystore.
    Key,
    /// An identity.
    Identity,
    /// An event.
    Event,
    /// An enforcement.
    Enforcement,
    /// An execution.
    Execution,
    /// A question to people.
    Inquiry,
    /// A run of a workflow.
    Run,
    /// Items of a workflow's task, and what became of them.
    Items,
    /// A lane.
    Lane,
    /// A ticket in a lane.
    Ticket,
    /// A timer's schedule.
    Schedule,
    /// A mark that something with this identity exists, a counter of a generation, a lookup by another name.
    Marker,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Pack,
        Self::Action,
        Self::Workflow,
        Self::Trigger,
        Self::Sensor,
        Self::Rule,
        Self::Policy,
        Self::PermissionSet,
        Self::Key,
        Self::Identity,
        Self::Event,
        Self::Enforcement,
        Self::Execution,
        Self::Inquiry,
        Self::Run,
        Self::Items,
        Self::Lane,
        Self::Ticket,
        Self::Schedule,
        Self::Marker,
    ];

    /// Whether the feed tells of its changes. Bookkeeping is nobody's news, and what stands in the records of items
    /// and runs would make a feed that remembers changes hold a lot of memory.
    #[must_use]
    pub const fn is_told(self) -> bool {
        !matches!(
            self,
            Self::Marker | Self::Lane | Self::Ticket | Self::Schedule | Self::Run | Self::Items
        )
    }

    /// A short stable name, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pack => "pack",
            Self::Action => "action",
            Self::Workflow => "workflow",
            Self::Trigger => "trigger",
            Self::Sensor => "sensor",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::PermissionSet => "permission_set",
            Self::Key => "key",
            Self::Identity => "identity",
            Self::Event => "event",
            Self::Enforcement => "enforcement",
            Self::Execution => "execution",
            Self::Inquiry => "inquiry",
            Self::Run => "run",
            Self::Items => "items",
            Self::Lane => "lane",
            Self::Ticket => "ticket",
            Self::Schedule => "schedule",
            Self::Marker => "marker",
        }
    }
}

/// A way to find records other than by key. Sparse: a record stands in those it names a place for.
///
/// Indexes are eventually consistent: re-read a record before acting on what one said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Index {
    /// What is overdue, by moment: the outbox.
    Due,
    /// All records of a kind, by id.
    List,
    /// Records that belong to another: enforcements of an event, children of an execution.
    Of,
    /// Records by one more property: executions of an action, events of a trigger.
    By,
}

impl Index {
    /// Every index.
    pub const ALL: [Self; 4] = [Self::Due, Self::List, Self::Of, Self::By];
}

/// A record's place in one index. `sort` must be unique within `partition`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which index.
    pub index: Index,
    /// What is read together. An implementation may spread it over shards and merge.
    pub partition: String,
    /// The order within.
    pub sort: String,
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it is.
    pub key: Key,
    /// What it describes.
    pub kind: Kind,
    /// Counts its commits, from 1; 0 in a record not stored yet.
    pub version: u64,
    /// JSON.
    pub body: Bytes,
    /// Where indexes find it; at most one place in each.
    pub places: Vec<Place>,
    /// Counted under this name; see [`Records::tally`].
    pub tally: Option<String>,
    /// Not there any more from that moment on.
    pub expires_at: Option<Timestamp>,
}

/// A record's body is not what its kind says.
#[derive(Debug, thiserror::Error)]
#[error("the record {key} cannot be read")]
pub struct Unreadable {
    /// Which record.
    pub key: Key,
    /// Why.
    pub source: serde_json::Error,
}

impl Record {
    /// A new record.
    ///
    /// # Panics
    /// Where `body` cannot be written as JSON, which the domain's types always can.
    pub fn new<T: Serialize>(kind: Kind, key: Key, body: &T) -> Self {
        let body = serde_json::to_vec(body).expect("domain types serialise to JSON");
        Self {
            key,
            kind,
            version: 0,
            body: body.into(),
            places: vec![],
            tally: None,
            expires_at: None,
        }
    }

    /// The same, found at this place.
    #[must_use]
    pub fn at(
        mut self,
        index: Index,
        partition: impl Into<String>,
        sort: impl Into<String>,
    ) -> Self {
        self.places.push(Place { index, partition: partition.into(), sort: sort.into() });
        self
    }

    /// The same, counted under this name.
    #[must_use]
    pub fn counted(mut self, tally: impl Into<String>) -> Self {
        self.tally = Some(tally.into());
        self
    }

    /// The same, gone after that moment.
    #[must_use]
    pub fn until(mut self, expires_at: Option<Timestamp>) -> Self {
        self.expires_at = expires_at;
        self
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`Unreadable`] where it is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        serde_json::from_slice(&self.body)
            .map_err(|source| Unreadable { key: self.key.clone(), source })
    }
}

/// What must be true of a record for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is none (an expired one counts as none).
    Absent,
    /// It has this version.
    Version(u64),
    /// Nothing.
    Any,
}

/// One write of a commit.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Store a record.
    Put {
        /// The record; its version is set by the store.
        record: Record,
        /// On this condition.
        expect: Expect,
    },
    /// Remove a record.
    Delete {
        /// Which.
        key: Key,
        /// On this condition.
        expect: Expect,
    },
    /// Change nothing, but insist.
    Check {
        /// Which record.
        key: Key,
        /// On this condition.
        expect: Expect,
    },
}

impl Write {
    /// The record that the write is about.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put { record, .. } => &record.key,
            Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }
}

/// Writes that happen together or not at all. Each record at most once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// The writes.
    pub writes: Vec<Write>,
}

impl Commit {
    /// An empty commit.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds: store a record that must not be there yet.
    #[must_use]
    pub fn create(mut self, record: Record) -> Self {
        self.writes.push(Write::Put { record, expect: Expect::Absent });
        self
    }

    /// Adds: replace the record of this version.
    #[must_use]
    pub fn replace(mut self, record: Record, version: u64) -> Self {
        let expect = if version == 0 { Expect::Absent } else { Expect::Version(version) };
        self.writes.push(Write::Put { record, expect });
        self
    }

    /// Adds: store a record, whatever is there.
    #[must_use]
    pub fn put(mut self, record: Record) -> Self {
        self.writes.push(Write::Put { record, expect: Expect::Any });
        self
    }

    /// Adds: remove a record, on a condition.
    #[must_use]
    pub fn delete(mut self, key: Key, expect: Expect) -> Self {
        self.writes.push(Write::Delete { key, expect });
        self
    }

    /// Adds: insist on a record's state.
    #[must_use]
    pub fn check(mut self, key: Key, expect: Expect) -> Self {
        self.writes.push(Write::Check { key, expect });
        self
    }

    /// Checks the limits that every implementation enforces.
    ///
    /// # Errors
    /// [`Error::TooLarge`] or [`Error::Repeated`].
    pub fn check_limits(&self) -> Result<(), Error> {
        if self.writes.len() > MAX_WRITES {
            return Err(Error::TooLarge(format!("{} writes", self.writes.len())));
        }
        let mut total = 0;
        for (n, write) in self.writes.iter().enumerate() {
            if let Write::Put { record, .. } = write {
                if record.body.len() > MAX_RECORD_BYTES {
                    return Err(Error::TooLarge(format!(
                        "{} bytes in {}",
                        record.body.len(),
                        record.key
                    )));
                }
                total += record.body.len();
            }
            if self.writes[..n].iter().any(|other| other.key() == write.key()) {
                return Err(Error::Repeated(write.key().clone()));
            }
        }
        if total > MAX_COMMIT_BYTES {
            return Err(Error::TooLarge(format!("{total} bytes")));
        }
        Ok(())
    }
}

/// Why a commit did not happen. Nothing of it did.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else was faster: load and decide again.
    #[error("the record {0} has changed since it was read")]
    Stale(Key),
    /// Over a limit.
    #[error("the commit is too large: {0}")]
    TooLarge(String),
    /// One record twice in one commit.
    #[error("the record {0} stands twice in one commit")]
    Repeated(Key),
    /// The store does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What to read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// A partition of the records themselves: consistent.
    Partition(String),
    /// A partition of an index: eventually consistent.
    Index(Index, String),
}

/// A range of records in the order of their sort keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What to read.
    pub from: From,
    /// Only sort keys that start so.
    pub prefix: String,
    /// Only sort keys after (ascending) or before (descending) this one.
    pub after: Option<String>,
    /// Only sort keys up to and including this one (ascending) or down to it (descending).
    pub until: Option<String>,
    /// Largest first.
    pub descending: bool,
    /// This many at most.
    pub limit: usize,
}

impl Query {
    /// A partition's records, ascending.
    pub fn partition(name: impl Into<String>, limit: usize) -> Self {
        Self::of(From::Partition(name.into()), limit)
    }

    /// An index partition's records, ascending.
    pub fn index(index: Index, name: impl Into<String>, limit: usize) -> Self {
        Self::of(From::Index(index, name.into()), limit)
    }

    fn of(from: From, limit: usize) -> Self {
        Self { from, prefix: String::new(), after: None, until: None, descending: false, limit }
    }

    /// The same, largest first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// The same, with sort keys that start so.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The same, going on after this sort key.
    #[must_use]
    pub fn after(mut self, sort: Option<String>) -> Self {
        self.after = sort;
        self
    }

    /// The same, no further than this sort key.
    #[must_use]
    pub fn until(mut self, sort: impl Into<String>) -> Self {
        self.until = Some(sort.into());
        self
    }
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The records, in order.
    pub records: Vec<Record>,
    /// Sort key to go on after, where there may be more.
    pub next: Option<String>,
}

/// Keeps records.
#[async_trait]
pub trait Records: Send + Sync {
    /// Reads one record: the newest committed state.
    ///
    /// # Errors
    /// [`Unavailable`] where the store does not answer.
    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable>;

    /// Reads several, each as [`Records::get`] would; in the order asked for.
    ///
    /// # Errors
    /// [`Unavailable`] where the store does not answer.
    async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, Unavailable>;

    /// Reads together, now, what a step is about to read one by one. Answers the same records for that step
    /// alone: they answer [`Records::get`] from what was read until one of their own commits fails or writes
    /// the record, and for five seconds at most. So what a step reads is never older than its message,
    /// whatever other steps read ahead, and a decision that has to be made again is made on fresh records.
    ///
    /// `None` where nothing was read: the step goes on with these. So it is in a store for which a read is no
    /// request.
    async fn ahead(&self, keys: &[Key]) -> Option<Arc<dyn Records>> {
        let _ = keys;
        None
    }

    /// Reads a range.
    ///
    /// # Errors
    /// [`Unavailable`] where the store does not answer.
    async fn query(&self, query: &Query) -> Result<Page, Unavailable>;

    /// Makes all writes or none. What was committed is seen by the next read; it is durable once
    /// [`Records::settle`] has returned, and what survives a crash is always a prefix of the commits.
    ///
    /// # Errors
    /// See [`Error`]; in each case nothing was written.
    async fn commit(&self, commit: Commit) -> Result<(), Error>;

    /// Returns when everything committed and sent before would survive a crash. To be called before
    /// anything leaves the process: an answer, a process's start.
    ///
    /// # Errors
    /// [`Unavailable`] where the store does not answer.
    async fn settle(&self) -> Result<(), Unavailable>;

    /// How many records are counted under each name that starts so. Counted off the hot path: exact as soon as
    /// everything committed has been counted, which is soon after it has settled.
    ///
    /// # Errors
    /// [`Unavailable`] where the store does not answer.
    async fn tally(&self, prefix: &str) -> Result<Vec<(String, u64)>, Unavailable>;
}
