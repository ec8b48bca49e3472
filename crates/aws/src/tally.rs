//! How many records are counted under each name, kept off the hot path: whoever follows the table's stream
//! adds up what a batch of it changed, and writes that once.
//!
//! The stream delivers batches at least once. So a batch is booked in a transaction with a mark that carries
//! the id of its first change, and the mark says how far it was booked: the same batch again, also with more at
//! its end, books only what is new. That is right as long as a repeated batch begins where it began; so a
//! consumer must neither halve its batches on errors nor report single records of a booked batch as failed.
//!
//! Nothing is kept for a shard, so shards may come and go. Sums are spread over a few items, which are added up
//! when they are read. Neither sums nor marks are records: they have no kind, and cause no booking themselves.

use crate::Clients;
use crate::failure::unavailable;
use crate::records::item::{Item, number};
use crate::table::{PARTITION, SORT, TALLY, TTL};
use attune_ports::Unavailable;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_sdk_dynamodbstreams::types as streams;
use chrono::Utc;
use sha2::{Digest, Sha256};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Partition of sums and marks. No record's partition begins so.
pub const TALLIES: &str = "#tally";

/// What sort keys of sums begin with.
const SUM: &str = "sum/";
/// Items that sums are spread over.
const SUMS: u8 = 8;
/// What names stand behind in a sum.
const COUNT: &str = "n/";
/// Attribute of a mark: how far the batch is booked.
const BOOKED: &str = "upto";
/// How long a mark is kept: as long as a stream keeps its records, and an hour.
const MARK_SECONDS: i64 = 25 * 3600;
/// How often booking is tried while others book.
const ATTEMPTS: u32 = 8;

/// One change of the table's stream, as far as counting goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The event's id in the stream: no other event has it.
    pub id: String,
    /// Its sequence number: digits, growing within a shard.
    pub sequence: String,
    /// What the record was counted under before: attribute [`TALLY`] of the old image.
    pub old: Option<String>,
    /// What it is counted under now: the same of the new image.
    pub new: Option<String>,
}

impl Change {
    /// The change that a record of the stream tells of; `None` where it lacks what every one has.
    #[must_use]
    pub fn of(record: &streams::Record) -> Option<Self> {
        let told = record.dynamodb()?;
        let tally = |image: Option<&HashMap<String, streams::AttributeValue>>| {
            image.and_then(|image| image.get(TALLY)?.as_s().ok().cloned())
        };
        Some(Self {
            id: record.event_id()?.to_owned(),
            sequence: told.sequence_number()?.to_owned(),
            old: tally(told.old_image()),
            new: tally(told.new_image()),
        })
    }
}

/// What changes add to each name. A name that gains as much as it loses is not among them.
#[must_use]
pub fn deltas(changes: &[Change]) -> BTreeMap<&str, i64> {
    let mut deltas = BTreeMap::new();
    for change in changes {
        for (name, by) in [(&change.old, -1), (&change.new, 1)] {
            if let Some(name) = name {
                *deltas.entry(name.as_str()).or_default() += by;
            }
        }
    }
    deltas.retain(|_, delta| *delta != 0);
    deltas
}

/// Books a batch: changes of one shard, in its order, as they were delivered together.
///
/// # Errors
/// [`Unavailable`] where DynamoDB does not answer; the same batch may then be booked again.
pub async fn book(clients: &Clients, table: &str, changes: &[Change]) -> Result<(), Unavailable> {
    let Some(first) = changes.first() else { return Ok(()) };
    let mut booked: Option<String> = None;
    let mut attempt = 1;
    loop {
        let rest = after(changes, booked.as_deref());
        let (deltas, Some(last)) = (deltas(rest), rest.last()) else { return Ok(()) };
        if deltas.is_empty() {
            return Ok(());
        }
        let writes = mark(table, &first.id, &last.sequence, booked.as_deref())
            .and_then(|mark| Ok([mark, sum(table, &first.id, &deltas)?]))
            .map_err(|error| Unavailable::new("tallies", error))?;
        let client = clients.dynamodb().await;
        let request = client.transact_write_items().set_transact_items(Some(writes.into()));
        let Err(error) = request.send().await else { return Ok(()) };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                cancelled.cancellation_reasons()
            }
            _ => &[],
        };
        let found = reasons.first().and_then(|mark| mark.item()?.get(BOOKED)?.as_s().ok());
        let is_met = reasons.iter().any(|reason| reason.code() == Some("TransactionConflict"));
        match found {
            Some(upto) if booked.as_ref() != Some(upto) => booked = Some(upto.clone()),
            _ if is_met && attempt < ATTEMPTS => {
                let pause = rand::random_range(5..=10_u64 << attempt);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                attempt += 1;
            }
            _ => return Err(unavailable("tallies", error)),
        }
    }
}

/// How many records are counted under each name that starts so, by name; names without any are left out.
///
/// # Errors
/// [`Unavailable`] where DynamoDB does not answer.
pub async fn read(
    clients: &Clients,
    table: &str,
    prefix: &str,
) -> Result<Vec<(String, u64)>, Unavailable> {
    let mut pages = clients
        .dynamodb()
        .await
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("#p = :p AND begins_with(#s, :s)")
        .expression_attribute_names("#p", PARTITION)
        .expression_attribute_names("#s", SORT)
        .expression_attribute_values(":p", AttributeValue::S(TALLIES.to_owned()))
        .expression_attribute_values(":s", AttributeValue::S(SUM.to_owned()))
        .into_paginator()
        .send();
    let mut totals: BTreeMap<String, i64> = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| unavailable("tallies", error))?;
        for (name, count) in page.items().iter().flat_map(counts) {
            if name.starts_with(prefix) {
                *totals.entry(name.to_owned()).or_default() += count;
            }
        }
    }
    let positive = |(name, count)| Some((name, u64::try_from(count).ok().filter(|n| *n > 0)?));
    Ok(totals.into_iter().filter_map(positive).collect())
}

/// Names and counts in a sum.
fn counts(item: &Item) -> impl Iterator<Item = (&str, i64)> {
    item.iter().filter_map(|(attribute, value)| {
        Some((attribute.strip_prefix(COUNT)?, value.as_n().ok()?.parse().ok()?))
    })
}

/// The changes after this sequence number.
fn after<'a>(changes: &'a [Change], booked: Option<&str>) -> &'a [Change] {
    let Some(booked) = booked else { return changes };
    let from = changes.partition_point(|change| compare(&change.sequence, booked).is_le());
    &changes[from..]
}

/// Sequence numbers have more digits than any integer.
fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn address(sort: String) -> Item {
    HashMap::from([
        (PARTITION.to_owned(), AttributeValue::S(TALLIES.to_owned())),
        (SORT.to_owned(), AttributeValue::S(sort)),
    ])
}

/// The mark that says up to where the batch is booked, where it said `booked` before.
fn mark(
    table: &str,
    first: &str,
    last: &str,
    booked: Option<&str>,
) -> Result<TransactWriteItem, BuildError> {
    let mut item = address(format!("batch/{first}"));
    item.insert(BOOKED.to_owned(), AttributeValue::S(last.to_owned()));
    item.insert(TTL.to_owned(), number(Utc::now().timestamp() + MARK_SECONDS));
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .expression_attribute_names("#upto", BOOKED);
    let put = match booked {
        None => put.condition_expression("attribute_not_exists(#upto)"),
        Some(booked) => put
            .condition_expression("#upto = :upto")
            .expression_attribute_values(":upto", AttributeValue::S(booked.to_owned())),
    };
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

/// The update that adds to one of the sums.
fn sum(
    table: &str,
    first: &str,
    deltas: &BTreeMap<&str, i64>,
) -> Result<TransactWriteItem, BuildError> {
    let slot = Sha256::digest(first)[0] % SUMS;
    let mut update =
        Update::builder().table_name(table).set_key(Some(address(format!("{SUM}{slot}"))));
    let mut added = Vec::with_capacity(deltas.len());
    for (n, (name, delta)) in deltas.iter().enumerate() {
        added.push(format!("#n{n} :n{n}"));
        update = update
            .expression_attribute_names(format!("#n{n}"), format!("{COUNT}{name}"))
            .expression_attribute_values(format!(":n{n}"), number(delta));
    }
    let update = update.update_expression(format!("ADD {}", added.join(", "))).build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(sequence: &str, old: Option<&str>, new: Option<&str>) -> Change {
        Change {
            id: format!("id-{sequence}"),
            sequence: sequence.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        }
    }

    #[test]
    fn a_batch_adds_up_to_what_it_changed() {
        let (run, done) = (Some("run"), Some("done"));
        for (case, changes, expected) in [
            ("made", vec![change("1", None, run), change("2", None, run)], &[("run", 2)][..]),
            ("moved", vec![change("1", run, done)], &[("done", 1), ("run", -1)]),
            ("removed", vec![change("1", run, None)], &[("run", -1)]),
            ("made and removed", vec![change("1", None, run), change("2", run, None)], &[]),
            ("changed, counted alike", vec![change("1", run, run)], &[]),
            ("not counted", vec![change("1", None, None)], &[]),
        ] {
            let deltas: Vec<_> = deltas(&changes).into_iter().collect();
            assert_eq!(deltas, expected, "{case}");
        }
    }

    #[test]
    fn what_is_booked_is_not_booked_again() {
        let changes = ["8", "9", "10", "101"].map(|sequence| change(sequence, None, None));
        for (booked, left) in
            [(None, 4), (Some("7"), 4), (Some("9"), 2), (Some("0010"), 1), (Some("101"), 0)]
        {
            assert_eq!(after(&changes, booked).len(), left, "{booked:?}");
        }
    }
}
