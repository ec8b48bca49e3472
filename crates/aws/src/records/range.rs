//! The bounds of a query.

use super::item;
use attune_ports::Query;

/// Bytes of a sort key that DynamoDB takes.
pub(super) const MAX_SORT_BYTES: usize = 1024;

/// After all sort keys with some prefix.
const LAST: char = '\u{10FFFF}';

/// What a query reads: one range of sort keys, both ends included, except one.
///
/// DynamoDB takes one condition on the sort key, and `BETWEEN` knows no end that is left out. Ascending, the
/// key right after an excluded one can be named; descending, the one right before cannot, so it is read and
/// dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Range {
    low: String,
    high: String,
    without: Option<String>,
}

impl Range {
    /// The range of a query; `None` where nothing can be in it.
    pub(super) fn of(query: &Query) -> Option<Self> {
        let prefix_end = format!("{}{LAST}", query.prefix);
        let (low, high, without) = if query.descending {
            (query.until.clone(), query.after.clone(), query.after.clone())
        } else {
            (query.after.as_ref().map(|after| format!("{after}\0")), query.until.clone(), None)
        };
        let low = low.map_or_else(|| query.prefix.clone(), |low| low.max(query.prefix.clone()));
        let high = high.map_or_else(|| prefix_end.clone(), |high| high.min(prefix_end.clone()));
        (low <= high).then_some(Self { low, high, without })
    }

    /// The lowest sort key to ask for, as stored.
    pub(super) fn low(&self) -> String {
        item::sort(cut(&self.low))
    }

    /// The highest sort key to ask for, as stored.
    pub(super) fn high(&self) -> String {
        let whole = cut(&self.high);
        // A bound that no key can reach is cut to one that leaves no key out.
        let rest = if whole.len() < self.high.len() { String::from(LAST) } else { String::new() };
        item::sort(&format!("{whole}{rest}"))
    }

    /// Whether a sort key is in the range.
    pub(super) fn holds(&self, sort: &str) -> bool {
        self.low.as_str() <= sort
            && sort <= self.high.as_str()
            && self.without.as_deref() != Some(sort)
    }

    /// How many keys to ask for so that `wanted` of them are in the range.
    pub(super) fn ask(&self, wanted: usize) -> i32 {
        let asked = wanted.saturating_add(usize::from(self.without.is_some()));
        // More does not fit into an answer anyway.
        i32::try_from(asked.min(10_000)).unwrap_or(10_000)
    }
}

/// As much of a bound as DynamoDB takes, with room for a mark before it and one character after.
fn cut(bound: &str) -> &str {
    &bound[..bound.floor_char_boundary(MAX_SORT_BYTES - 8)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Query {
        Query::partition("p", 10)
    }

    fn after(query: Query, sort: &str) -> Query {
        query.after(Some(sort.to_owned()))
    }

    #[test]
    fn bounds_are_those_of_the_query() {
        let down = || all().descending();
        for (case, query, low, high, outside) in [
            ("all", all(), "=", "=\u{10FFFF}", None),
            ("a prefix", all().prefix("a/"), "=a/", "=a/\u{10FFFF}", None),
            ("after", after(all(), "b"), "=b\0", "=\u{10FFFF}", None),
            ("until", all().until("b"), "=", "=b", None),
            ("down from", after(down(), "b"), "=", "=b", Some("b")),
            ("down to", down().until("b"), "=b", "=\u{10FFFF}", None),
            ("a prefix after", after(all().prefix("a/"), "a/1"), "=a/1\0", "=a/\u{10FFFF}", None),
            (
                "after, outside a prefix",
                after(all().prefix("b/"), "a"),
                "=b/",
                "=b/\u{10FFFF}",
                None,
            ),
            (
                "down from within a prefix",
                after(down().prefix("a/"), "a/2"),
                "=a/",
                "=a/2",
                Some("a/2"),
            ),
        ] {
            let range = Range::of(&query).unwrap();
            assert_eq!((range.low().as_str(), range.high().as_str()), (low, high), "{case}");
            assert!(outside.is_none_or(|sort| !range.holds(sort)), "{case}");
        }
    }

    #[test]
    fn an_empty_range_is_known_beforehand() {
        for query in [
            after(all(), "c").until("a"),
            after(all(), "c").until("c"),
            after(all(), "c").prefix("b"),
            after(all().descending(), "a").until("c"),
        ] {
            assert_eq!(Range::of(&query), None, "{query:?}");
        }
    }

    #[test]
    fn a_bound_longer_than_any_key_leaves_out_none() {
        let long = "é".repeat(2000);
        let longest = "é".repeat(500);
        for (query, held) in [
            (after(all(), &long), false),
            (all().until(&*long), true),
            (after(all().descending(), &long), true),
            (all().prefix(&*long), false),
        ] {
            let range = Range::of(&query).unwrap();
            assert!(range.low().len() <= MAX_SORT_BYTES && range.high().len() <= MAX_SORT_BYTES);
            assert_eq!(range.holds(&longest), held, "{:?}", query.descending);
            if held {
                let stored = item::sort(&longest);
                assert!(range.low() <= stored && stored <= range.high());
            }
        }
    }
}
