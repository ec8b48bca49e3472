//! Reads one page of a list, with or without a sieve.

use crate::Error;
use crate::paging::Slice;
use async_trait::async_trait;
use attune_journey::layout;
use attune_ports::records::{From, Index, Kind, Page, Query, Record};
use attune_ports::{Records, Unavailable};

/// Records read in one go while skipping or sifting.
const CHUNK: usize = 500;
/// Records looked at for one page, at most; where that is not enough, the cursor goes on from there.
pub const MOST_SIFTED: usize = 20_000;
/// Matches counted at most; a list with more has no total.
pub const MOST_COUNTED: u64 = 1_000;

/// One page of records.
#[derive(Debug, Default)]
pub struct Found {
    /// The records.
    pub records: Vec<Record>,
    /// Sort key that the next page goes on after; `None` where there is nothing more.
    pub next: Option<String>,
    /// How many there are in all, where that was counted.
    pub total: Option<u64>,
}

/// Decides which records of a list are meant.
#[async_trait]
pub trait Sieve: Send + Sync {
    /// Whether this one is.
    ///
    /// # Errors
    /// Where that cannot be found out.
    async fn keeps(&self, record: &Record) -> Result<bool, Error>;
}

/// Reads a page of all records of `query`, whose own limit and start do not matter.
///
/// # Errors
/// [`Error::Unavailable`] where records cannot be read.
pub async fn read(records: &dyn Records, query: Query, slice: &Slice) -> Result<Found, Error> {
    let size = slice.size as usize;
    let mut query = query.after(slice.after.clone());
    let mut left_out = slice.offset;
    while left_out > 0 {
        query.limit = usize::try_from(left_out).unwrap_or(usize::MAX).min(CHUNK);
        let page = records.query(&query).await?;
        left_out -= (page.records.len() as u64).min(left_out);
        match page.next {
            None => return Ok(Found::default()),
            next => query.after = next,
        }
    }
    let mut found = Found::default();
    loop {
        // One more than asked for tells whether there is a next page.
        query.limit = size + 1 - found.records.len();
        let page = records.query(&query).await?;
        found.records.extend(page.records);
        if found.records.len() > size {
            found.records.truncate(size);
            found.next = found.records.last().map(|last| position(last, &query.from));
            return Ok(found);
        }
        match page.next {
            None => return Ok(found),
            next => query.after = next,
        }
    }
}

/// Reads a page of those records of `query` that the sieve keeps; counts them too where the slice asks
/// for a total. Looks at [`MOST_SIFTED`] records at most.
///
/// # Errors
/// [`Error::Unavailable`] where records cannot be read, and the sieve's own.
pub async fn sift(
    records: &dyn Records,
    query: Query,
    slice: &Slice,
    sieve: &dyn Sieve,
) -> Result<Found, Error> {
    let size = slice.size as usize;
    // A count from a cursor on would be no total.
    let counting = slice.include_total == Some(true) && slice.after.is_none();
    let mut query = query.after(slice.after.clone());
    let mut found = Found::default();
    let (mut looked_at, mut matches) = (0, 0_u64);
    loop {
        query.limit = CHUNK.min(MOST_SIFTED - looked_at);
        let Page { records: chunk, next } = records.query(&query).await?;
        for record in chunk {
            looked_at += 1;
            if !sieve.keeps(&record).await? {
                continue;
            }
            matches += 1;
            if matches > slice.offset {
                if found.records.len() < size {
                    found.records.push(record);
                } else if found.next.is_none() {
                    found.next = found.records.last().map(|last| position(last, &query.from));
                }
            }
            if found.next.is_some() && (!counting || matches > MOST_COUNTED) {
                return Ok(found);
            }
        }
        match next {
            None => {
                found.total = counting.then_some(matches);
                return Ok(found);
            }
            Some(next) if looked_at >= MOST_SIFTED => {
                found.next = found.next.or(Some(next));
                return Ok(found);
            }
            next => query.after = next,
        }
    }
}

/// The records of a kind with ids from the least to the largest of `ids`, and few others; none where there
/// are no ids.
pub fn around(kind: Kind, ids: impl IntoIterator<Item = i64>) -> Query {
    let mut sorts = ids.into_iter().map(layout::sort_of).collect::<Vec<_>>();
    sorts.sort_unstable();
    let all = Query::index(Index::List, kind.as_str(), 0);
    match (sorts.first(), sorts.last()) {
        (Some(least), Some(largest)) => {
            let same = least.bytes().zip(largest.bytes()).take_while(|(a, b)| a == b).count();
            all.prefix(&least[..same])
        }
        // No sort key starts so.
        _ => all.prefix("-"),
    }
}

/// How many records are counted under names that start so.
///
/// # Errors
/// [`Unavailable`] where the store does not answer.
pub async fn total(records: &dyn Records, prefix: &str) -> Result<u64, Unavailable> {
    Ok(records.tally(prefix).await?.iter().map(|(_, count)| count).sum())
}

/// The sort key by which `from` orders this record.
fn position(record: &Record, from: &From) -> String {
    match from {
        From::Partition(_) => record.key.sort.clone(),
        From::Index(index, partition) => record
            .places
            .iter()
            .find(|place| place.index == *index && place.partition == *partition)
            .map_or_else(
                // Whatever an index returns without its places is listed by the id in its key.
                || {
                    let id = record.key.partition.rsplit('/').next().unwrap_or_default();
                    format!("{id:0>16}")
                },
                |place| place.sort.clone(),
            ),
    }
}
