//! What came of the tests of packs: the latest few of each, for as long as the pack is there.

use crate::definition::Stored;
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{layout, packs, read};
use attune_domain::Timestamp;
use attune_domain::catalogue::Pack;
use attune_domain::id::PackId;
use attune_ports::Ports;
use attune_ports::records::{Kind, Query, Record};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many are kept of a pack.
pub const KEPT: usize = 20;

/// Tests of a pack that were run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestRun {
    /// Its wire id.
    pub id: i64,
    /// Which pack.
    pub pack: PackId,
    /// The pack's version then.
    pub version: String,
    /// When it began.
    pub began: Timestamp,
    /// What it was run for, in a word: `register`, `upload` or `manual`.
    pub reason: String,
    /// What came of it, as its API shows it; to be well below the size of a record.
    pub result: Value,
    /// When it was stored.
    pub created: Timestamp,
}

/// Keeps what came of a pack's tests, in place of the oldest.
///
/// # Errors
/// [`Error::NotFound`] where the pack is gone, [`Error::Invalid`] where the result is too large.
pub async fn keep(
    ports: &Ports,
    pack: &Pack,
    began: Timestamp,
    reason: &str,
    result: Value,
) -> Result<TestRun, Error> {
    let run = TestRun {
        id: ports.ids.next(),
        pack: pack.id,
        version: pack.version.clone(),
        began,
        reason: reason.to_owned(),
        result,
        created: ports.clock.now(),
    };
    settled(ports, || keep_once(ports, pack.reference.as_str(), &run)).await?;
    Ok(run)
}

async fn keep_once(ports: &Ports, pack: &str, run: &TestRun) -> Result<(), Failure> {
    let before: Stored<Pack> = read::stored_or_missing(ports, pack).await?;
    let mut draft = Draft::new();
    draft.put(Record::new(Kind::Marker, layout::pack_test(pack, run.id), run));
    for old in records(ports, pack).await?.into_iter().skip(KEPT - 1) {
        draft.delete(old.key);
    }
    packs::insist(&mut draft, &before);
    draft.commit(ports).await
}

/// What came of a pack's tests, the latest first.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Unreadable`].
pub async fn history(ports: &Ports, pack: &str) -> Result<Vec<TestRun>, Error> {
    let records = records(ports, pack).await?;
    Ok(records.iter().map(Record::decode).collect::<Result<_, _>>()?)
}

/// Forgets what came of a pack's tests.
pub(crate) async fn forget(ports: &Ports, pack: &str) -> Result<(), Error> {
    settled(ports, || async {
        let mut draft = Draft::new();
        for old in records(ports, pack).await? {
            draft.delete(old.key);
        }
        draft.commit(ports).await
    })
    .await
}

async fn records(ports: &Ports, pack: &str) -> Result<Vec<Record>, Error> {
    // Two that are kept at the same time may leave one too many; the next takes it away.
    let mut query = Query::partition(layout::pack_tests(pack), 2 * KEPT).descending();
    let mut records = Vec::new();
    loop {
        let page = ports.records.query(&query).await?;
        records.extend(page.records);
        match page.next {
            None => return Ok(records),
            next => query.after = next,
        }
    }
}
