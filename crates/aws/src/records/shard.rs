//! Index partitions in shards, so that what is written most does not all go to one partition of DynamoDB.
//!
//! How many there are follows from the index and nothing else: whoever writes and whoever reads agree without
//! asking. Shards of a name are `name#0`, `name#1` and so on.

use attune_ports::Key;
use attune_ports::records::{Index, Place};
use sha2::{Digest, Sha256};

/// Shards of an index partition. What belongs to one record is rarely much: it is not spread.
const fn count(index: Index) -> u8 {
    match index {
        Index::Due | Index::List | Index::By => 8,
        Index::Of => 1,
    }
}

/// The partition attribute of a record at a place.
pub(super) fn partition_of(place: &Place, key: &Key) -> String {
    match count(place.index) {
        1 => place.partition.clone(),
        count => format!("{}#{}", place.partition, of(key) % count),
    }
}

/// The name of the partition that an attribute belongs to.
pub(super) fn partition_in(index: Index, attribute: &str) -> &str {
    match count(index) {
        1 => attribute,
        _ => attribute.rsplit_once('#').map_or(attribute, |(name, _)| name),
    }
}

/// The partition attributes of all shards.
pub(super) fn partitions(index: Index, name: &str) -> Vec<String> {
    match count(index) {
        1 => vec![name.to_owned()],
        count => (0..count).map(|shard| format!("{name}#{shard}")).collect(),
    }
}

/// The same for ever: what is stored under it has to be found.
fn of(key: &Key) -> u8 {
    let digest = Sha256::new()
        .chain_update(&key.partition)
        .chain_update([0])
        .chain_update(&key.sort)
        .finalize();
    digest[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(index: Index) -> Place {
        Place { index, partition: "event".to_owned(), sort: "1".to_owned() }
    }

    #[test]
    fn a_record_stands_in_one_of_the_shards_that_are_read() {
        for index in Index::ALL {
            for n in 0..100 {
                let stored = partition_of(&place(index), &Key::new(format!("event/{n}"), ""));
                assert!(partitions(index, "event").contains(&stored), "{index:?}: {stored}");
                assert_eq!(partition_in(index, &stored), "event");
            }
        }
    }

    #[test]
    fn records_spread_over_all_shards() {
        let mut seen: Vec<String> = (0..200)
            .map(|n| partition_of(&place(Index::List), &Key::new(format!("event/{n}"), "")))
            .collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 8);
    }

    #[test]
    fn shards_do_not_change_between_versions_of_the_code() {
        let stored = partition_of(&place(Index::Due), &Key::new("execution/42", ""));
        assert_eq!(stored, "event#4");
    }
}
