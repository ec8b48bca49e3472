//! Reads: by key, of a partition, of an index.

use super::item::{self, Item};
use super::merge::{Entry, Merge};
use super::range::Range;
use super::{Table, request, shard};
use crate::failure::unavailable;
use crate::table::{PARTITION, SORT, index_names};
use attune_ports::records::{Index, Page, Place};
use attune_ports::{Key, Query, Record, Unavailable};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use chrono::Utc;
use futures::future::try_join_all;
use std::collections::HashMap;
use std::time::Duration;

/// Keys in one request, at most.
const MAX_KEYS: usize = 100;

/// How often DynamoDB may leave everything of a request for later.
const ATTEMPTS: u32 = 8;

impl Table {
    /// One record, as of now.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        if !request::is_possible(key) {
            return Ok(None);
        }
        let client = self.clients.dynamodb().await;
        let request = client.get_item().table_name(&self.name).consistent_read(true);
        let found = request.set_key(Some(item::key(key))).send().await;
        let found = found.map_err(|error| unavailable("records", error))?;
        found.item().map_or(Ok(None), visible)
    }

    /// Those of several records that are there, each as of now.
    pub(super) async fn get_each(&self, keys: &[Key]) -> Result<HashMap<Key, Record>, Unavailable> {
        let mut asked: Vec<&Key> = keys.iter().filter(|key| request::is_possible(key)).collect();
        asked.sort();
        asked.dedup();
        if let [key] = asked.as_slice() {
            let found = self.get(key).await?;
            return Ok(found.map(|record| (record.key.clone(), record)).into_iter().collect());
        }
        let parts = try_join_all(asked.chunks(MAX_KEYS).map(|keys| self.get_batch(keys))).await?;
        Ok(parts.into_iter().flatten().map(|record| (record.key.clone(), record)).collect())
    }

    async fn get_batch(&self, keys: &[&Key]) -> Result<Vec<Record>, Unavailable> {
        let client = self.clients.dynamodb().await;
        let mut left: Vec<Item> = keys.iter().map(|key| item::key(key)).collect();
        let mut records = Vec::with_capacity(left.len());
        let mut attempt = 1;
        loop {
            let asked = left.len();
            let wanted = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(left));
            let wanted = wanted.build().map_err(|error| Unavailable::new("records", error))?;
            let sent = client.batch_get_item().request_items(&self.name, wanted).send().await;
            let found = sent.map_err(|error| unavailable("records", error))?;
            for item in
                found.responses().and_then(|tables| tables.get(&self.name)).into_iter().flatten()
            {
                records.extend(visible(item)?);
            }
            let mut unprocessed = found.unprocessed_keys.unwrap_or_default();
            left = unprocessed.remove(&self.name).map_or_else(Vec::new, |rest| rest.keys);
            if left.is_empty() {
                return Ok(records);
            }
            // An answer has an end: what did not fit is asked for again at once.
            if left.len() < asked {
                attempt = 1;
                continue;
            }
            if attempt == ATTEMPTS {
                return Err(Unavailable::new("records", "reading is throttled"));
            }
            let pause = rand::random_range(10..=20_u64 << attempt);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            attempt += 1;
        }
    }

    /// A range of a partition, consistent.
    pub(super) async fn query_partition(
        &self,
        name: &str,
        query: &Query,
    ) -> Result<Page, Unavailable> {
        let Some(range) = Range::of(query).filter(|_| query.limit > 0) else {
            return Ok(Page::default());
        };
        let mut found = Vec::new();
        let mut start = None;
        while found.len() <= query.limit {
            let request = self
                .range_request(&range, query.descending, (PARTITION, name), SORT)
                .await
                .consistent_read(true)
                .limit(range.ask(query.limit + 1 - found.len()))
                .set_exclusive_start_key(start);
            let read = request.send().await.map_err(|error| unavailable("records", error))?;
            for item in read.items() {
                found.extend(visible(item)?.filter(|record| range.holds(&record.key.sort)));
            }
            start = read.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(page(found.into_iter().map(|record| (record.key.sort.clone(), record)), query.limit))
    }

    /// A range of an index partition: its shards merged, and the records they name read by key. What has
    /// left its place since the index was written is left out.
    pub(super) async fn query_index(
        &self,
        index: Index,
        name: &str,
        query: &Query,
    ) -> Result<Page, Unavailable> {
        let Some(range) = Range::of(query).filter(|_| query.limit > 0) else {
            return Ok(Page::default());
        };
        let mut shards: Vec<Shard> = shard::partitions(index, name)
            .into_iter()
            .map(|partition| Shard { partition, start: None })
            .collect();
        let mut merge = Merge::new(shards.len(), query.descending);
        let mut found: Vec<(String, Record)> = Vec::new();
        while found.len() <= query.limit {
            let wanted = query.limit + 1 - found.len();
            let mut entries = Vec::with_capacity(wanted.min(1000));
            while entries.len() < wanted {
                if let Some(entry) = merge.next() {
                    entries.push(entry);
                    continue;
                }
                let dry = merge.dry();
                if dry.is_empty() {
                    break;
                }
                // Records spread evenly: a shard rarely has many more than its share.
                let share = (wanted * 2 / shards.len() + 4).min(wanted);
                let reads = dry
                    .iter()
                    .map(|n| self.read_shard(index, &range, query.descending, &shards[*n], share));
                let read = try_join_all(reads).await?;
                for (n, (entries, start)) in dry.into_iter().zip(read) {
                    merge.add(n, entries, start.is_none());
                    shards[n].start = start;
                }
            }
            if entries.is_empty() {
                break;
            }
            let keys: Vec<Key> = entries.iter().map(|entry| entry.key.clone()).collect();
            let mut records = self.get_each(&keys).await?;
            for Entry { sort, key } in entries {
                let here = |place: &Place| {
                    place.index == index && place.partition == name && place.sort == sort
                };
                // While an index follows, it may name a record twice.
                if records.get(&key).is_some_and(|record| record.places.iter().any(here)) {
                    found.extend(records.remove(&key).map(|record| (sort, record)));
                }
            }
        }
        Ok(page(found.into_iter(), query.limit))
    }

    async fn read_shard(
        &self,
        index: Index,
        range: &Range,
        descending: bool,
        shard: &Shard,
        wanted: usize,
    ) -> Result<(Vec<Entry>, Option<Item>), Unavailable> {
        let names = index_names(index);
        let partition = (names.partition, shard.partition.as_str());
        let request = self
            .range_request(range, descending, partition, names.sort)
            .await
            .index_name(names.index)
            .limit(range.ask(wanted))
            .set_exclusive_start_key(shard.start.clone());
        let read = request.send().await.map_err(|error| unavailable("records", error))?;
        let mut entries = Vec::with_capacity(read.items().len());
        for item in read.items() {
            let key = item::key_in(item).map_err(|error| Unavailable::new("records", error))?;
            if let Some(AttributeValue::S(stored)) = item.get(names.sort)
                && let Some(sort) = item::raw_sort(stored)
                && range.holds(sort)
            {
                entries.push(Entry { sort: sort.to_owned(), key });
            }
        }
        Ok((entries, read.last_evaluated_key))
    }

    /// A request for a range, of the table or of an index by the names of its keys.
    async fn range_request(
        &self,
        range: &Range,
        descending: bool,
        (partition, name): (&str, &str),
        sort: &str,
    ) -> QueryFluentBuilder {
        let client = self.clients.dynamodb().await;
        client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#p = :p AND #s BETWEEN :low AND :high")
            .expression_attribute_names("#p", partition)
            .expression_attribute_names("#s", sort)
            .expression_attribute_values(":p", AttributeValue::S(name.to_owned()))
            .expression_attribute_values(":low", AttributeValue::S(range.low()))
            .expression_attribute_values(":high", AttributeValue::S(range.high()))
            .scan_index_forward(!descending)
    }
}

/// One shard of an index partition, and where reading it goes on.
struct Shard {
    partition: String,
    start: Option<Item>,
}

/// The record in an item, unless it has expired.
fn visible(item: &Item) -> Result<Option<Record>, Unavailable> {
    let record = item::decode(item).map_err(|error| Unavailable::new("records", error))?;
    Ok(Some(record).filter(|record| !item::is_expired(record, Utc::now())))
}

/// The first `limit` of what was found, and where to go on where there was more.
fn page(found: impl Iterator<Item = (String, Record)>, limit: usize) -> Page {
    let mut found = found.peekable();
    let mut page = Page::default();
    let mut last = None;
    while page.records.len() < limit
        && let Some((sort, record)) = found.next()
    {
        page.records.push(record);
        last = Some(sort);
    }
    page.next = last.filter(|_| found.peek().is_some());
    page
}
