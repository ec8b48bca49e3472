//! A record of the stream as a change.

use crate::records::item::{self, Item};
use crate::table::KIND;
use attune_domain::Timestamp;
use attune_ports::records::Kind;
use attune_ports::{Change, FeedCursor};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::types::{AttributeValue as Told, Record};
use std::collections::HashMap;

/// The change, without its cursor; `None` where it is nobody's news: bookkeeping, or no record at all.
pub(super) fn of(record: &Record) -> Result<Option<Change>, item::Error> {
    let Some(told) = record.dynamodb() else { return Ok(None) };
    let (old, new) = (told.old_image().map(image), told.new_image().map(image));
    let Some(any) = new.as_ref().or(old.as_ref()) else { return Ok(None) };
    // Sums of tallies stand in the same table, and have no kind.
    let Some(AttributeValue::S(kind)) = any.get(KIND) else { return Ok(None) };
    let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind);
    let Some(kind) = kind.filter(|kind| kind.is_told()) else { return Ok(None) };
    let at = told.approximate_creation_date_time();
    Ok(Some(Change {
        cursor: FeedCursor::default(),
        kind,
        key: item::key_in(any)?,
        old: old.as_ref().map(item::body_in).transpose()?,
        new: new.as_ref().map(item::body_in).transpose()?,
        at: at
            .and_then(|at| Timestamp::from_timestamp(at.secs(), at.subsec_nanos()))
            .unwrap_or_default(),
    }))
}

/// An image in the words of the table: records consist of texts, numbers and bytes.
fn image(told: &HashMap<String, Told>) -> Item {
    told.iter()
        .filter_map(|(name, value)| {
            let value = match value {
                Told::S(text) => AttributeValue::S(text.clone()),
                Told::N(digits) => AttributeValue::N(digits.clone()),
                Told::B(bytes) => AttributeValue::B(Blob::new(bytes.as_ref())),
                _ => return None,
            };
            Some((name.clone(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_ports::Key;
    use aws_sdk_dynamodbstreams::types::StreamRecord;
    use serde_json::json;

    fn told(old: Option<&attune_ports::Record>, new: Option<&attune_ports::Record>) -> Record {
        let image = |record: &attune_ports::Record| -> HashMap<String, Told> {
            item::encode(record, 1)
                .into_iter()
                .map(|(name, value)| {
                    let value = match value {
                        AttributeValue::S(text) => Told::S(text),
                        AttributeValue::N(digits) => Told::N(digits),
                        AttributeValue::B(bytes) => {
                            Told::B(aws_sdk_dynamodbstreams::primitives::Blob::new(bytes))
                        }
                        other => panic!("no record holds {other:?}"),
                    };
                    (name, value)
                })
                .collect()
        };
        let record = StreamRecord::builder()
            .set_old_image(old.map(image))
            .set_new_image(new.map(image))
            .build();
        Record::builder().dynamodb(record).build()
    }

    fn record(kind: Kind, body: &str) -> attune_ports::Record {
        attune_ports::Record::new(kind, Key::new("p", "s"), &json!(body))
    }

    #[test]
    fn a_change_tells_both_bodies() {
        let (old, new) = (record(Kind::Execution, "a"), record(Kind::Execution, &"b".repeat(900)));
        let change = of(&told(Some(&old), Some(&new))).unwrap().unwrap();
        assert_eq!(change.key, Key::new("p", "s"));
        assert_eq!((change.old, change.new), (Some(old.body.clone()), Some(new.body)));
        let removed = of(&told(Some(&old), None)).unwrap().unwrap();
        assert_eq!((removed.old, removed.new), (Some(old.body), None));
    }

    #[test]
    fn bookkeeping_is_nobodys_news() {
        for kind in Kind::ALL {
            let change = of(&told(None, Some(&record(kind, "a")))).unwrap();
            assert_eq!(change.is_some(), kind.is_told(), "{kind:?}");
        }
        let sum = StreamRecord::builder().new_image("n/event", Told::N("1".to_owned())).build();
        assert!(of(&Record::builder().dynamodb(sum).build()).unwrap().is_none());
    }
}
