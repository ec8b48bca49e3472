//! A commit's writes as DynamoDB takes them.

use super::condition::{self, Expression};
use super::item::{self, Item, MAX_ITEM_BYTES};
use super::range::MAX_SORT_BYTES;
use super::shard;
use crate::table::{
    BODY, DEFLATED, EXPIRES, KIND, NONCE, PARTITION, SORT, TALLY, TTL, VERSION, index_names,
};
use attune_domain::Timestamp;
use attune_ports::records::{Error, Expect, Index, MAX_COMMIT_BYTES, Write};
use attune_ports::{Key, Record};

/// Bytes of a partition key that DynamoDB takes.
const MAX_PARTITION_BYTES: usize = 2048;

/// One write, ready to be sent.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    /// Which record.
    pub(super) key: Key,
    /// What happens to it.
    pub(super) action: Action,
    /// Where.
    pub(super) condition: Option<Expression>,
}

/// What happens to an item.
#[derive(Debug, PartialEq)]
pub(super) enum Action {
    /// It is replaced whole.
    Put(Item),
    /// It gets this content, and counts one version on from whatever it had.
    Overwrite(Item),
    /// It is removed.
    Delete,
    /// Nothing; the condition must hold.
    Check,
}

/// The writes of a commit, without those that neither change nor demand anything.
///
/// # Errors
/// [`Error::TooLarge`] where DynamoDB would refuse the size of an item, of a key or of the whole.
pub(super) fn of(writes: &[Write], now: Timestamp) -> Result<Vec<Request>, Error> {
    let mut total = 0;
    let mut requests = Vec::with_capacity(writes.len());
    for write in writes {
        let key = write.key().clone();
        check_key(&key)?;
        let (action, expect) = match write {
            Write::Check { expect: Expect::Any, .. } => continue,
            Write::Check { expect, .. } => (Action::Check, *expect),
            Write::Delete { expect, .. } => (Action::Delete, *expect),
            Write::Put { record, expect } => {
                check_places(record)?;
                let action = match expect {
                    Expect::Any => Action::Overwrite(item::encode(record, 0)),
                    Expect::Absent => Action::Put(item::encode(record, 1)),
                    Expect::Version(version) => Action::Put(item::encode(record, version + 1)),
                };
                (action, *expect)
            }
        };
        if let Action::Put(item) | Action::Overwrite(item) = &action {
            // A version and a nonce come on top.
            let size = item::size(item) + 32;
            if size > MAX_ITEM_BYTES {
                return Err(Error::TooLarge(format!("{size} bytes of an item in {key}")));
            }
            total += size;
        }
        requests.push(Request { key, action, condition: condition::of(expect, now) });
    }
    if total > MAX_COMMIT_BYTES {
        return Err(Error::TooLarge(format!("{total} bytes of items")));
    }
    Ok(requests)
}

/// The update that gives an item this content, removes what is not in it, and adds one to its version.
pub(super) fn overwrite(item: Item) -> Expression {
    let mut update = Expression::default();
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    let mut item = item;
    let own = [KIND, BODY, DEFLATED, TALLY, EXPIRES, TTL, NONCE];
    let placed = Index::ALL.map(index_names).into_iter();
    let placed = placed.flat_map(|names| [names.partition, names.sort]);
    for attribute in own.into_iter().chain(placed) {
        let name = update.name(attribute);
        match item.remove(attribute) {
            Some(value) => {
                let value = update.value(attribute, value);
                set.push(format!("{name} = {value}"));
            }
            None => removed.push(name),
        }
    }
    let version = update.name(VERSION);
    let one = update.value("one", item::number(1));
    update.text =
        format!("SET {} REMOVE {} ADD {version} {one}", set.join(", "), removed.join(", "));
    update
}

/// Whether DynamoDB takes a record's address.
pub(super) fn is_possible(key: &Key) -> bool {
    !key.partition.is_empty()
        && key.partition.len() <= MAX_PARTITION_BYTES
        && is_possible_sort(&key.sort)
}

fn is_possible_sort(sort: &str) -> bool {
    item::sort(sort).len() <= MAX_SORT_BYTES
}

fn check_key(key: &Key) -> Result<(), Error> {
    if is_possible(key) {
        return Ok(());
    }
    let (partition, sort) = (key.partition.len(), key.sort.len());
    Err(Error::TooLarge(format!("a key of {partition} and {sort} bytes")))
}

fn check_places(record: &Record) -> Result<(), Error> {
    for place in &record.places {
        let partition = shard::partition_of(place, &record.key);
        if partition.len() > MAX_PARTITION_BYTES || !is_possible_sort(&place.sort) {
            return Err(Error::TooLarge(format!("a place of {} in an index", record.key)));
        }
    }
    Ok(())
}

/// An item without its address, as an update takes it.
pub(super) fn content(mut item: Item) -> Item {
    for name in [PARTITION, SORT, VERSION] {
        item.remove(name);
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_ports::records::{Commit, Kind, MAX_RECORD_BYTES};
    use rand::Rng;
    use serde_json::json;

    fn now() -> Timestamp {
        Timestamp::from_timestamp_millis(1).unwrap()
    }

    fn record(sort: &str) -> Record {
        Record::new(Kind::Event, Key::new("p", sort), &json!(1))
    }

    #[test]
    fn expectations_become_conditions() {
        let commit = Commit::new()
            .create(record("a"))
            .replace(record("b"), 4)
            .put(record("c"))
            .delete(Key::new("p", "d"), Expect::Any)
            .delete(Key::new("p", "e"), Expect::Version(2))
            .check(Key::new("p", "f"), Expect::Absent)
            .check(Key::new("p", "g"), Expect::Any);
        let requests = of(&commit.writes, now()).unwrap();
        let told: Vec<_> = requests
            .iter()
            .map(|request| {
                let action = match &request.action {
                    Action::Put(item) => format!("put {:?}", item[VERSION]),
                    Action::Overwrite(_) => "overwrite".to_owned(),
                    Action::Delete => "delete".to_owned(),
                    Action::Check => "check".to_owned(),
                };
                (request.key.sort.as_str(), action, request.condition.is_some())
            })
            .collect();
        let expected = [
            ("a", "put N(\"1\")", true),
            ("b", "put N(\"5\")", true),
            ("c", "overwrite", false),
            ("d", "delete", false),
            ("e", "delete", true),
            ("f", "check", true),
        ];
        assert_eq!(told, expected.map(|(key, action, is)| (key, action.to_owned(), is)));
    }

    #[test]
    fn overwriting_touches_every_attribute_once() {
        let mut item = item::encode(&record("a").at(Index::List, "event", "1").counted("event"), 0);
        item.insert(NONCE.to_owned(), item::number(1));
        let update = overwrite(content(item));
        let (set, rest) = update.text.split_once(" REMOVE ").unwrap();
        let (removed, added) = rest.split_once(" ADD ").unwrap();
        assert_eq!(set.matches(" = ").count(), 6, "{set}");
        assert_eq!(removed.split(", ").count(), 15 - 6, "{removed}");
        assert_eq!(added, "#v :one");
        assert_eq!(update.names.len(), 16);
        assert_eq!(update.values.len(), 7);
    }

    #[test]
    fn what_dynamodb_would_refuse_is_too_large() {
        let mut noise = vec![0; MAX_RECORD_BYTES];
        rand::rng().fill_bytes(&mut noise);
        let mut incompressible = record("a");
        incompressible.body = noise.into();
        let long = "x".repeat(3000);
        for commit in [
            Commit::new().put(incompressible),
            Commit::new().put(record(&long)),
            Commit::new().put(Record::new(Kind::Event, Key::new("", "a"), &json!(1))),
            Commit::new().put(record("a").at(Index::Due, "due", &*long)),
            Commit::new().put(record("a").at(Index::Of, &*long, "1")),
            Commit::new().delete(Key::new(long.clone(), ""), Expect::Any),
        ] {
            let refused = of(&commit.writes, now());
            assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
        }
    }
}
