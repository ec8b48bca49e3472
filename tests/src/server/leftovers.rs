//! What a server leaves in its database when all work is done: nothing that wants more of it.

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use std::path::Path;

/// Everything in the database of a data folder that says that something is not done yet, as lines to be
/// shown. The server may run meanwhile.
///
/// # Panics
/// Where the database cannot be read.
#[must_use]
pub fn of(data: &Path) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let database = Connection::open_with_flags(data.join("attune.db"), flags)
        .expect("the database can be opened");
    let mut left = Vec::new();
    for (what, query) in [
        (
            "message",
            "SELECT queue || ' ' || line || ' ' || body || ', received ' || receives || ' times: ' \
             || COALESCE(reason, 'no complaint') FROM letters",
        ),
        (
            "slot",
            "SELECT partition FROM records WHERE kind = 'execution' \
             AND json_extract(CAST(body AS TEXT), '$.place.holds.slot') IS NOT NULL",
        ),
        ("ticket", "SELECT partition || ' ' || sort FROM records WHERE kind = 'ticket'"),
        ("due", "SELECT partition || ' ' || due_sort FROM records WHERE due_partition IS NOT NULL"),
    ] {
        left.extend(texts(&database, query).into_iter().map(|text| format!("{what}: {text}")));
    }
    let lanes = texts(&database, "SELECT CAST(body AS TEXT) FROM records WHERE kind = 'lane'");
    for lane in lanes {
        let lane: Value = serde_json::from_str(&lane).expect("a lane is JSON");
        if (&lane["running"], &lane["waiting"]) != (&0.into(), &0.into()) {
            left.push(format!("lane: {lane}"));
        }
    }
    left
}

fn texts(database: &Connection, query: &str) -> Vec<String> {
    let mut statement = database.prepare(query).expect("the tables are as they should be");
    let rows = statement.query_map((), |row| row.get(0)).expect("the tables can be read");
    rows.map(|row| row.expect("a row can be read")).collect()
}
