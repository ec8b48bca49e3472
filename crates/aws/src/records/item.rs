//! A record as an item of the table, and back.

use super::shard;
use crate::table::{
    BODY, DEFLATED, EXPIRES, KIND, PARTITION, SORT, TALLY, TTL, VERSION, index_names,
};
use attune_domain::Timestamp;
use attune_ports::records::{Index, Kind, MAX_RECORD_BYTES, Place};
use attune_ports::{Key, Record};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::collections::HashMap;
use std::io::Read;

/// An item: attributes by name.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Bytes of an item, at most.
pub(super) const MAX_ITEM_BYTES: usize = 400 * 1024;

/// Bodies above this many bytes are deflated. A write is charged by the begun kilobyte, and keys, places and
/// names take some of the first.
const WORTH_DEFLATING: usize = 700;

/// Before every sort key, because DynamoDB takes no empty one.
const SORT_MARK: &str = "=";

/// An item that is none of ours.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// An attribute is missing or of another type.
    #[error("an item of the table has no proper attribute {0}")]
    Attribute(&'static str),
    /// A kind that this version does not know.
    #[error("an item of the table is of the unknown kind {0:?}")]
    Kind(String),
    /// The body does not inflate.
    #[error("the body of an item of the table cannot be inflated")]
    Inflate(#[source] std::io::Error),
}

/// A sort key as stored.
pub(super) fn sort(raw: &str) -> String {
    format!("{SORT_MARK}{raw}")
}

/// A stored sort key as records name it.
pub(super) fn raw_sort(stored: &str) -> Option<&str> {
    stored.strip_prefix(SORT_MARK)
}

/// The attributes that address a record.
pub(super) fn key(key: &Key) -> Item {
    HashMap::from([
        (PARTITION.to_owned(), AttributeValue::S(key.partition.clone())),
        (SORT.to_owned(), AttributeValue::S(sort(&key.sort))),
    ])
}

/// The address in an item.
pub(crate) fn key_in(item: &Item) -> Result<Key, Error> {
    let sort = raw_sort(text(item, SORT)?).ok_or(Error::Attribute(SORT))?;
    Ok(Key::new(text(item, PARTITION)?, sort))
}

/// A record's item at this version.
pub(crate) fn encode(record: &Record, version: u64) -> Item {
    let mut item = key(&record.key);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put(VERSION, number(version));
    put(KIND, AttributeValue::S(record.kind.as_str().to_owned()));
    match body(&record.body) {
        Body::Plain(text) => put(BODY, AttributeValue::S(text)),
        Body::Deflated(bytes) => put(DEFLATED, AttributeValue::B(Blob::new(bytes))),
    };
    if let Some(tally) = &record.tally {
        put(TALLY, AttributeValue::S(tally.clone()));
    }
    if let Some(at) = record.expires_at {
        let millis = at.timestamp_millis();
        put(EXPIRES, number(millis));
        put(TTL, number(millis.div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0)));
    }
    for place in &record.places {
        let names = index_names(place.index);
        let partition = shard::partition_of(place, &record.key);
        put(names.partition, AttributeValue::S(partition));
        put(names.sort, AttributeValue::S(sort(&place.sort)));
    }
    item
}

/// The record in an item.
pub(crate) fn decode(item: &Item) -> Result<Record, Error> {
    let kind = text(item, KIND)?;
    let kind = Kind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| Error::Kind(kind.to_owned()))?;
    let version = match item.get(VERSION) {
        Some(AttributeValue::N(digits)) => digits.parse().ok(),
        _ => None,
    };
    let mut places = Vec::new();
    for index in Index::ALL {
        let names = index_names(index);
        if item.contains_key(names.partition) {
            let partition = shard::partition_in(index, text(item, names.partition)?).to_owned();
            let sort = raw_sort(text(item, names.sort)?).ok_or(Error::Attribute(names.sort))?;
            places.push(Place { index, partition, sort: sort.to_owned() });
        }
    }
    Ok(Record {
        key: key_in(item)?,
        kind,
        version: version.ok_or(Error::Attribute(VERSION))?,
        body: body_in(item)?,
        places,
        tally: item.get(TALLY).map(|_| text(item, TALLY).map(str::to_owned)).transpose()?,
        expires_at: expiry(item)?,
    })
}

/// The body in an item.
pub(crate) fn body_in(item: &Item) -> Result<Bytes, Error> {
    match (item.get(BODY), item.get(DEFLATED)) {
        (Some(AttributeValue::S(text)), None) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        (None, Some(AttributeValue::B(deflated))) => {
            let mut body = Vec::with_capacity(deflated.as_ref().len() * 4);
            // What is longer than a record may be, no record was made of.
            DeflateDecoder::new(deflated.as_ref())
                .take(MAX_RECORD_BYTES as u64 + 1)
                .read_to_end(&mut body)
                .map_err(Error::Inflate)?;
            Ok(body.into())
        }
        _ => Err(Error::Attribute(BODY)),
    }
}

/// Whether a record counts as absent.
pub(super) fn is_expired(record: &Record, now: Timestamp) -> bool {
    record.expires_at.is_some_and(|at| at.timestamp_millis() <= now.timestamp_millis())
}

/// Bytes of an item as DynamoDB counts them, rounded up a little.
pub(super) fn size(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::N(digits) => digits.len() / 2 + 2,
        _ => 1,
    };
    item.iter().map(|(name, held)| name.len() + value(held)).sum()
}

/// A number as DynamoDB takes it.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn expiry(item: &Item) -> Result<Option<Timestamp>, Error> {
    match item.get(EXPIRES) {
        None => Ok(None),
        Some(AttributeValue::N(digits)) => digits
            .parse()
            .ok()
            .and_then(Timestamp::from_timestamp_millis)
            .map(Some)
            .ok_or(Error::Attribute(EXPIRES)),
        Some(_) => Err(Error::Attribute(EXPIRES)),
    }
}

fn text<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, Error> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(Error::Attribute(name)),
    }
}

enum Body {
    Plain(String),
    Deflated(Vec<u8>),
}

fn body(bytes: &[u8]) -> Body {
    let plain = std::str::from_utf8(bytes).ok();
    if let Some(text) = plain
        && text.len() <= WORTH_DEFLATING
    {
        return Body::Plain(text.to_owned());
    }
    let mut deflated = Vec::with_capacity(bytes.len() / 2);
    // A slice can be read to its end.
    let is_done = DeflateEncoder::new(bytes, Compression::fast()).read_to_end(&mut deflated);
    match plain {
        Some(text) if is_done.is_err() || deflated.len() >= text.len() => {
            Body::Plain(text.to_owned())
        }
        _ => Body::Deflated(deflated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, Utc};
    use serde_json::json;

    #[test]
    fn a_record_comes_back_as_it_was_stored() {
        let bare = |body: &serde_json::Value| Record::new(Kind::Event, Key::new("p", "s"), body);
        let millis = Utc::now().timestamp_millis();
        let at = Timestamp::from_timestamp_millis(millis);
        let noise: String = (0..4000).map(|_| char::from(33 + rand::random::<u8>() % 90)).collect();
        for (case, record) in [
            ("small", bare(&json!({"a": 1}))),
            ("an empty sort key", Record::new(Kind::PermissionSet, Key::new("p", ""), &json!(1))),
            ("large, deflated", bare(&json!("abc".repeat(20_000)))),
            ("large, hardly compressible", bare(&json!(noise))),
            ("counted, expiring", bare(&json!(null)).counted("execution/running").until(at)),
            (
                "placed everywhere",
                bare(&json!(null))
                    .at(Index::Due, "due", "1/p#q")
                    .at(Index::List, "event#odd", "")
                    .at(Index::Of, "parent#1", "2")
                    .at(Index::By, "trigger/core.tick", "3"),
            ),
        ] {
            let item = encode(&record, 7);
            assert!(size(&item) < MAX_ITEM_BYTES, "{case}");
            let decoded = decode(&item).unwrap();
            assert_eq!(decoded, Record { version: 7, ..record }, "{case}");
        }
    }

    #[test]
    fn ttl_never_comes_before_the_expiry() {
        let ttl = |millis| {
            let record = Record::new(Kind::Event, Key::new("p", ""), &json!(1))
                .until(Timestamp::from_timestamp_millis(millis));
            encode(&record, 1)[TTL].clone()
        };
        for (millis, seconds) in [(0, "0"), (1, "1"), (1000, "1"), (1001, "2")] {
            assert_eq!(ttl(millis), AttributeValue::N(seconds.to_owned()));
        }
    }

    #[test]
    fn large_bodies_are_deflated_where_that_helps() {
        let stored = |bytes: usize| {
            encode(&Record::new(Kind::Event, Key::new("p", ""), &json!("x".repeat(bytes))), 1)
        };
        assert!(stored(600).contains_key(BODY));
        assert!(stored(800).contains_key(DEFLATED));
        assert!(size(&stored(MAX_RECORD_BYTES - 2)) < 2000);
    }

    #[test]
    fn what_is_no_record_is_told_apart() {
        let record = Record::new(Kind::Event, Key::new("p", ""), &json!(1));
        for name in [PARTITION, SORT, KIND, VERSION, BODY] {
            let mut item = encode(&record, 1);
            item.remove(name);
            assert!(matches!(decode(&item), Err(Error::Attribute(named)) if named == name));
        }
        let mut item = encode(&record, 1);
        item.insert(KIND.to_owned(), AttributeValue::S("comet".to_owned()));
        assert!(matches!(decode(&item), Err(Error::Kind(_))));
    }

    #[test]
    fn an_expired_record_is_one_whose_moment_has_come() {
        let now = Timestamp::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
        for (after, expired) in [(-1, true), (0, true), (1, false)] {
            let at = now + TimeDelta::milliseconds(after);
            let record = Record::new(Kind::Event, Key::new("p", ""), &json!(1)).until(Some(at));
            assert_eq!(is_expired(&record, now), expired, "{after}");
        }
    }
}
