//! The tables in SQLite, and how rows become records and letters.

use super::letterbox::Letter;
use crate::Error;
use attune_domain::Timestamp;
use attune_ports::records::{Index, Kind, Page, Place, Query};
use attune_ports::{Key, Queue, Record};
use parking_lot::Mutex;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version of the tables, in `user_version`.
const FORMAT: i64 = 1;

const TABLES: &str = "
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    tally TEXT,
    expires_at INTEGER,
    due_partition TEXT, due_sort TEXT,
    list_partition TEXT, list_sort TEXT,
    of_partition TEXT, of_sort TEXT,
    by_partition TEXT, by_sort TEXT,
    UNIQUE (partition, sort)
);
CREATE INDEX records_due ON records (due_partition, due_sort) WHERE due_partition IS NOT NULL;
CREATE INDEX records_list ON records (list_partition, list_sort) WHERE list_partition IS NOT NULL;
CREATE INDEX records_of ON records (of_partition, of_sort) WHERE of_partition IS NOT NULL;
CREATE INDEX records_by ON records (by_partition, by_sort) WHERE by_partition IS NOT NULL;
CREATE INDEX records_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE letters (
    number INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    line TEXT NOT NULL,
    deduplication TEXT NOT NULL,
    body TEXT NOT NULL,
    receives INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    died_at INTEGER,
    reason TEXT
);
CREATE TABLE tallies (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
";

const COLUMNS: &str = "partition, sort, kind, version, body, tally, expires_at, \
    due_partition, due_sort, list_partition, list_sort, of_partition, of_sort, \
    by_partition, by_sort";

/// Opens the database for writing, making its tables where there are none.
pub(super) fn open(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA cache_size = -8192;
         PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 2000;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match found {
        0 => connection
            .execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;"))?,
        FORMAT => {}
        found => return Err(Error::Newer { found, known: FORMAT }),
    }
    Ok(connection)
}

/// Opens the database for reading.
pub(super) fn reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch("PRAGMA cache_size = -2048;")?;
    Ok(connection)
}

/// Connections for reading outside the lock, made when needed and kept.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::new(Vec::new()) }
    }

    /// Runs `read` on a connection.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let result = read(&connection);
        let mut idle = self.idle.lock();
        if idle.len() < 8 {
            idle.push(connection);
        }
        result
    }
}

pub(super) fn micros(at: Timestamp) -> i64 {
    at.timestamp_micros()
}

fn moment(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or_default()
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    row.get(column)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let kind = text(row, 2)?;
    let kind = Kind::ALL.into_iter().find(|k| k.as_str() == kind).unwrap_or(Kind::Marker);
    let mut places = Vec::new();
    for (n, index) in Index::ALL.into_iter().enumerate() {
        let column = 7 + 2 * n;
        if !matches!(row.get_ref(column)?, ValueRef::Null) {
            places.push(Place {
                index,
                partition: text(row, column)?,
                sort: text(row, column + 1)?,
            });
        }
    }
    Ok(Record {
        key: Key::new(text(row, 0)?, text(row, 1)?),
        kind,
        version: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
        body: row.get_ref(4)?.as_blob()?.to_vec().into(),
        places,
        tally: row.get(5)?,
        expires_at: row.get::<_, Option<i64>>(6)?.map(moment),
    })
}

pub(crate) fn get(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Record>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM records WHERE partition = ?1 AND sort = ?2"
        ))?
        .query_row(params![key.partition, key.sort], record)
        .optional()
}

/// The half-open range of sort keys that a query asks for.
pub(super) fn bounds(query: &Query) -> (String, String) {
    let after = |sort: &String| format!("{sort}\u{0}");
    let prefix_end = format!("{}\u{10FFFF}", query.prefix);
    let (low, high) = if query.descending {
        (query.until.clone(), query.after.clone())
    } else {
        (query.after.as_ref().map(after), query.until.as_ref().map(after))
    };
    let low = low.map_or_else(|| query.prefix.clone(), |low| low.max(query.prefix.clone()));
    let high = high.map_or_else(|| prefix_end.clone(), |high| high.min(prefix_end.clone()));
    // An empty range, not a reversed one.
    let high = high.max(low.clone());
    (low, high)
}

/// Reads a partition with `overlay` laid over it.
pub(super) fn merge(
    connection: &Connection,
    partition: &str,
    query: &Query,
    low: &str,
    high: &str,
    overlay: BTreeMap<String, Option<Arc<Record>>>,
    visible: impl Fn(&Record) -> bool,
) -> rusqlite::Result<Page> {
    let order = if query.descending { "DESC" } else { "ASC" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM records WHERE partition = ?1 AND sort >= ?2 AND sort < ?3 \
         ORDER BY sort {order}"
    ))?;
    let mut rows = statement.query(params![partition, low, high])?;
    let mut overlay: Box<dyn Iterator<Item = (String, Option<Arc<Record>>)>> = if query.descending {
        Box::new(overlay.into_iter().rev())
    } else {
        Box::new(overlay.into_iter())
    };
    let mut pending = overlay.next();
    let mut stored = rows.next()?.map(record).transpose()?;
    let mut found: Vec<Record> = Vec::new();
    while found.len() <= query.limit {
        let precedes = match (&pending, &stored) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((sort, _)), Some(row)) if *sort == row.key.sort => {
                // Memory is newer.
                stored = rows.next()?.map(record).transpose()?;
                true
            }
            (Some((sort, _)), Some(row)) => (*sort < row.key.sort) != query.descending,
        };
        let next = if precedes {
            let (_, next) = std::mem::replace(&mut pending, overlay.next()).unwrap_or_default();
            next.map(|shared| (*shared).clone())
        } else {
            std::mem::replace(&mut stored, rows.next()?.map(record).transpose()?)
        };
        found.extend(next.filter(&visible));
    }
    Ok(page(found, query.limit, |record| record.key.sort.clone()))
}

fn page(mut found: Vec<Record>, limit: usize, sort: impl Fn(&Record) -> String) -> Page {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map(sort) } else { None };
    Page { records: found, next }
}

const fn columns(index: Index) -> (&'static str, &'static str) {
    match index {
        Index::Due => ("due_partition", "due_sort"),
        Index::List => ("list_partition", "list_sort"),
        Index::Of => ("of_partition", "of_sort"),
        Index::By => ("by_partition", "by_sort"),
    }
}

/// Reads a range of an index as SQLite has it.
pub(crate) fn query_index(
    connection: &Connection,
    index: Index,
    partition: &str,
    query: &Query,
    now: Timestamp,
) -> rusqlite::Result<Page> {
    let (low, high) = bounds(query);
    let (of, by) = columns(index);
    let order = if query.descending { "DESC" } else { "ASC" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM records WHERE {of} = ?1 AND {by} >= ?2 AND {by} < ?3 \
         AND (expires_at IS NULL OR expires_at > ?4) ORDER BY {by} {order} LIMIT ?5"
    ))?;
    let limit = i64::try_from(query.limit.saturating_add(1)).unwrap_or(i64::MAX);
    let found = statement
        .query_map(params![partition, low, high, micros(now), limit], record)?
        .collect::<rusqlite::Result<Vec<Record>>>()?;
    Ok(page(found, query.limit, |record| {
        let place = record.places.iter().find(|place| place.index == index);
        place.map(|place| place.sort.clone()).unwrap_or_default()
    }))
}

pub(super) fn put(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    let mut places: [Option<(&str, &str)>; 4] = [None; 4];
    for place in &record.places {
        if let Some(at) = Index::ALL.iter().position(|index| *index == place.index) {
            places[at] = Some((&place.partition, &place.sort));
        }
    }
    let of = |n: usize| places[n].map(|(partition, _)| partition);
    let by = |n: usize| places[n].map(|(_, sort)| sort);
    connection
        .prepare_cached(
            "INSERT INTO records (partition, sort, kind, version, body, tally, expires_at, \
             due_partition, due_sort, list_partition, list_sort, of_partition, of_sort, \
             by_partition, by_sort) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             ON CONFLICT (partition, sort) DO UPDATE SET kind = ?3, version = ?4, body = ?5, \
             tally = ?6, expires_at = ?7, due_partition = ?8, due_sort = ?9, \
             list_partition = ?10, list_sort = ?11, of_partition = ?12, of_sort = ?13, \
             by_partition = ?14, by_sort = ?15",
        )?
        .execute(params![
            record.key.partition,
            record.key.sort,
            record.kind.as_str(),
            i64::try_from(record.version).unwrap_or(i64::MAX),
            &record.body[..],
            record.tally,
            record.expires_at.map(micros),
            of(0),
            by(0),
            of(1),
            by(1),
            of(2),
            by(2),
            of(3),
            by(3),
        ])?;
    Ok(())
}

pub(super) fn delete(connection: &Connection, key: &Key) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM records WHERE partition = ?1 AND sort = ?2")?
        .execute(params![key.partition, key.sort])?;
    Ok(())
}

/// Keys and tallies of records that have expired, oldest first.
pub(super) fn expired(
    connection: &Connection,
    now: Timestamp,
    limit: i64,
) -> rusqlite::Result<Vec<(Key, Option<String>)>> {
    connection
        .prepare_cached(
            "SELECT partition, sort, tally FROM records \
             WHERE expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
        )?
        .query_map(params![micros(now), limit], |row| {
            Ok((Key::new(text(row, 0)?, text(row, 1)?), row.get(2)?))
        })?
        .collect()
}

pub(super) fn put_letter(connection: &Connection, letter: &Letter) -> rusqlite::Result<()> {
    let body = match &letter.message {
        Ok(message) => serde_json::to_string(message),
        Err(unread) => serde_json::to_string(unread),
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO letters (number, queue, line, deduplication, body, receives, \
             sent_at, visible_at, died_at, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            letter.number,
            letter.queue.as_str(),
            letter.group,
            letter.deduplication,
            body.unwrap_or_default(),
            letter.receives,
            micros(letter.sent_at),
            micros(letter.visible_at),
            letter.died_at.map(micros),
            letter.reason,
        ])?;
    Ok(())
}

pub(super) fn delete_letter(connection: &Connection, number: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM letters WHERE number = ?1")?.execute([number])?;
    Ok(())
}

pub(super) fn put_tally(connection: &Connection, name: &str, count: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO tallies (name, count) VALUES (?1, ?2)")?
        .execute(params![name, count])?;
    Ok(())
}

pub(super) fn tallies(connection: &Connection) -> rusqlite::Result<BTreeMap<String, i64>> {
    connection
        .prepare("SELECT name, count FROM tallies")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Every message, in the order of sending.
pub(super) fn letters(connection: &Connection) -> rusqlite::Result<Vec<Letter>> {
    let mut statement = connection.prepare(
        "SELECT number, queue, line, deduplication, body, receives, sent_at, visible_at, died_at, \
         reason FROM letters ORDER BY number",
    )?;
    let mut rows = statement.query([])?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next()? {
        let Ok(queue) = text(row, 1)?.parse::<Queue>() else {
            // A queue of another version: the row stays for the version that knows it.
            continue;
        };
        let body = text(row, 4)?;
        let message = serde_json::from_str(&body)
            .map_err(|_| serde_json::from_str(&body).unwrap_or(serde_json::Value::String(body)));
        let unread = message.is_err().then(|| "not a message of this version".to_owned());
        let died_at = row.get::<_, Option<i64>>(8)?.map(moment);
        letters.push(Letter {
            number: row.get(0)?,
            queue,
            group: text(row, 2)?,
            deduplication: text(row, 3)?,
            died_at: died_at.or_else(|| unread.is_some().then(chrono::Utc::now)),
            message,
            receives: row.get(5)?,
            sent_at: moment(row.get(6)?),
            visible_at: moment(row.get(7)?),
            reason: row.get::<_, Option<String>>(9)?.or(unread),
            stored: true,
        });
    }
    Ok(letters)
}
