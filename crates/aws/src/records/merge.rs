//! Several sorted lists, each read bit by bit, as one.

use attune_ports::Key;
use std::collections::VecDeque;

/// What an index says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where the record stands in the index.
    pub(super) sort: String,
    /// Which record.
    pub(super) key: Key,
}

/// Lists that are merged.
pub(super) struct Merge {
    lists: Vec<List>,
    descending: bool,
}

struct List {
    ready: VecDeque<Entry>,
    /// Nothing comes after what is ready.
    is_whole: bool,
}

impl Merge {
    /// So many lists, of which nothing is read yet.
    pub(super) fn new(lists: usize, descending: bool) -> Self {
        let lists = (0..lists).map(|_| List { ready: VecDeque::new(), is_whole: false }).collect();
        Self { lists, descending }
    }

    /// The lists that must be read further before anything can be said.
    pub(super) fn dry(&self) -> Vec<usize> {
        let dry = |list: &List| list.ready.is_empty() && !list.is_whole;
        (0..self.lists.len()).filter(|n| dry(&self.lists[*n])).collect()
    }

    /// Adds what was read of a list.
    pub(super) fn add(&mut self, list: usize, entries: Vec<Entry>, is_whole: bool) {
        self.lists[list].ready.extend(entries);
        self.lists[list].is_whole = is_whole;
    }

    /// The next of all; `None` at the end, and while a list is dry.
    pub(super) fn next(&mut self) -> Option<Entry> {
        if !self.dry().is_empty() {
            return None;
        }
        let heads = self.lists.iter_mut().filter(|list| !list.ready.is_empty());
        let first = if self.descending {
            heads.max_by(|a, b| a.ready[0].sort.cmp(&b.ready[0].sort))
        } else {
            heads.min_by(|a, b| a.ready[0].sort.cmp(&b.ready[0].sort))
        };
        first.and_then(|list| list.ready.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(sorts: &[&str]) -> Vec<Entry> {
        sorts
            .iter()
            .map(|sort| Entry { sort: (*sort).to_owned(), key: Key::new("p", *sort) })
            .collect()
    }

    fn drain(merge: &mut Merge) -> Vec<String> {
        std::iter::from_fn(|| merge.next()).map(|entry| entry.sort).collect()
    }

    #[test]
    fn lists_are_merged_in_order_as_far_as_they_are_read() {
        let mut merge = Merge::new(3, false);
        assert_eq!(merge.dry(), [0, 1, 2]);
        merge.add(0, entries(&["1", "4"]), false);
        merge.add(1, entries(&["2", "3", "6"]), true);
        merge.add(2, vec![], true);
        assert_eq!(drain(&mut merge), ["1", "2", "3", "4"]);
        assert_eq!(merge.dry(), [0], "what comes next in it may be before 6");
        merge.add(0, entries(&["5"]), true);
        assert_eq!(drain(&mut merge), ["5", "6"]);
        assert!(merge.dry().is_empty());
    }

    #[test]
    fn largest_first_works_alike() {
        let mut merge = Merge::new(2, true);
        merge.add(0, entries(&["9", "5"]), true);
        merge.add(1, entries(&["7"]), true);
        assert_eq!(drain(&mut merge), ["9", "7", "5"]);
    }
}
