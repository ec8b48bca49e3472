//! Pages of executions that were rendered already, for the list that dashboards ask for again and again.
//!
//! A page counts only while the feed stands where it stood before the page was read. A change is in the
//! feed before it is acknowledged ([`crate::App::feed`]), so nobody sees a page older than their own last
//! write; a deployment that cannot promise this
//! keeps none ([`crate::ApiConfig::cache_pages`]). What goes by time alone (retention) moves no feed; hence a page lives a second at most.

use attune_ports::FeedCursor;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Pages kept at most.
const MOST: usize = 256;
/// Life of a page.
const LIFE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Pages(Mutex<HashMap<String, Rendered>>);

struct Rendered {
    head: FeedCursor,
    at: Instant,
    text: Bytes,
}

impl Pages {
    /// The page for this query string, if nothing has happened since.
    pub(crate) fn get(&self, query: &str, head: FeedCursor) -> Option<Bytes> {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.get(query)?;
        (page.head == head && page.at.elapsed() < LIFE).then(|| page.text.clone())
    }

    /// Keeps a page that was read when the feed stood at `head` or later.
    pub(crate) fn put(&self, query: &str, head: FeedCursor, text: Bytes) {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MOST {
            pages.clear();
        }
        pages.insert(query.to_owned(), Rendered { head, at: Instant::now(), text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_counts_until_something_happens() {
        let pages = Pages::default();
        pages.put("page=1", FeedCursor(4), Bytes::from_static(b"x"));
        assert_eq!(pages.get("page=1", FeedCursor(4)).as_deref(), Some(b"x".as_slice()));
        assert!(pages.get("page=1", FeedCursor(5)).is_none());
        assert!(pages.get("page=2", FeedCursor(4)).is_none());
    }

    #[test]
    fn many_different_queries_do_not_fill_the_memory() {
        let pages = Pages::default();
        for n in 0..10_000 {
            pages.put(&format!("page={n}"), FeedCursor(1), Bytes::new());
        }
        assert!(pages.0.lock().unwrap().len() <= MOST);
    }
}
