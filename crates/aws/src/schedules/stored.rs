//! Schedules as records.
//!
//! | what | partition | sort |
//! |---|---|---|
//! | a schedule and its [`Course`] | `schedule` | its name |
//! | how far a schedule is planned that every minute looks at | `schedule/minute` | its name |
//!
//! The second partition holds just those, so that a minute's plan reads nothing else.

use super::plan::Progress;
use attune_domain::Timestamp;
use attune_ports::records::{Commit, Expect, Key, Kind};
use attune_ports::{Query, Record, Records, Schedule, Unavailable};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Names this port in errors.
pub(super) const WHAT: &str = "schedules";

const SCHEDULES: &str = "schedule";
const RIDERS: &str = "schedule/minute";
/// Records in one page of a list.
const PAGE: usize = 500;

/// A schedule, and what makes it tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) schedule: Schedule,
    pub(super) course: Course,
}

/// What makes a schedule tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub(super) enum Course {
    /// A schedule of its own.
    Own,
    /// The plan of every minute; [`Rider`] says how far.
    Minute,
    /// A one-time schedule that will look at it.
    Link { at: Timestamp, progress: Progress },
    /// Nothing more.
    Over,
}

/// A schedule that the plan of every minute looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rider {
    pub(super) schedule: Schedule,
    pub(super) progress: Progress,
}

/// What was read, with the version to insist on.
pub(super) struct Versioned<T> {
    pub(super) value: T,
    pub(super) version: u64,
}

pub(super) fn failed(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new(WHAT, error)
}

fn stored_key(name: &str) -> Key {
    Key::new(SCHEDULES, name)
}

fn rider_key(name: &str) -> Key {
    Key::new(RIDERS, name)
}

async fn read<T: DeserializeOwned>(
    records: &dyn Records,
    key: &Key,
) -> Result<Option<Versioned<T>>, Unavailable> {
    let Some(record) = records.get(key).await? else { return Ok(None) };
    let value = record.decode().map_err(|error| failed(format!("{error}: {}", error.source)))?;
    Ok(Some(Versioned { value, version: record.version }))
}

/// A schedule by its name.
pub(super) async fn load(
    records: &dyn Records,
    name: &str,
) -> Result<Option<Versioned<Stored>>, Unavailable> {
    read(records, &stored_key(name)).await
}

/// How far a schedule is planned, where every minute looks at it.
pub(super) async fn rider(
    records: &dyn Records,
    name: &str,
) -> Result<Option<Versioned<Rider>>, Unavailable> {
    read(records, &rider_key(name)).await
}

async fn all<T: DeserializeOwned>(
    records: &dyn Records,
    partition: &str,
) -> Result<Vec<Versioned<T>>, Unavailable> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let query = Query::partition(partition, PAGE).after(after);
        let page = records.query(&query).await?;
        for record in page.records {
            match record.decode() {
                Ok(value) => found.push(Versioned { value, version: record.version }),
                // Left out of the list it counts as missing, and is set anew from its definition.
                Err(error) => tracing::error!(%error, "a schedule is left out"),
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// All schedules.
pub(super) async fn schedules(
    records: &dyn Records,
) -> Result<Vec<Versioned<Stored>>, Unavailable> {
    all(records, SCHEDULES).await
}

/// All schedules that every minute looks at.
pub(super) async fn riders(records: &dyn Records) -> Result<Vec<Versioned<Rider>>, Unavailable> {
    all(records, RIDERS).await
}

/// Adds: store a schedule in place of `version` (0, of none), with how far it is planned where every minute
/// looks at it.
pub(super) fn put(commit: Commit, stored: &Stored, progress: Progress, version: u64) -> Commit {
    let name = &*stored.schedule.name;
    let record = Record::new(Kind::Schedule, stored_key(name), stored);
    let commit = commit.replace(record, version);
    if stored.course != Course::Minute {
        return commit.delete(rider_key(name), Expect::Any);
    }
    let rider = Rider { schedule: stored.schedule.clone(), progress };
    commit.put(Record::new(Kind::Schedule, rider_key(name), &rider))
}

/// Adds: note how far a schedule is planned that every minute looks at.
pub(super) fn advance(commit: Commit, rider: &Rider, version: u64) -> Commit {
    let key = rider_key(&rider.schedule.name);
    commit.replace(Record::new(Kind::Schedule, key, rider), version)
}

/// Adds: remove a schedule.
pub(super) fn delete(commit: Commit, name: &str, version: u64) -> Commit {
    commit.delete(stored_key(name), Expect::Version(version)).delete(rider_key(name), Expect::Any)
}
