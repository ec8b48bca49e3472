//! The changes that a process remembers.

use attune_ports::{Change, FeedCursor, Lagged};
use std::collections::VecDeque;
use std::sync::Arc;

/// Changes kept, at most.
const MAX_CHANGES: usize = 5_000;
/// Bytes of bodies kept, at most.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// The newest changes under cursors of this process's own.
///
/// It is *live* while every change since the last gap is, or was, in it. What came while it was not is
/// unknown, so becoming live moves the head: cursors from before are then too old.
pub(super) struct Log {
    changes: VecDeque<Arc<Change>>,
    bytes: usize,
    head: u64,
    /// Cursors below have missed something.
    oldest: u64,
    is_live: bool,
}

impl Log {
    /// An empty log that begins after this cursor.
    pub(super) const fn new(base: u64) -> Self {
        Self { changes: VecDeque::new(), bytes: 0, head: base, oldest: base, is_live: false }
    }

    /// From now on nothing is missed.
    pub(super) fn go_live(&mut self) {
        self.changes.clear();
        self.bytes = 0;
        self.head += 1;
        self.oldest = self.head;
        self.is_live = true;
    }

    /// From now on something may be missed.
    pub(super) const fn interrupt(&mut self) {
        self.is_live = false;
    }

    pub(super) const fn is_live(&self) -> bool {
        self.is_live
    }

    pub(super) const fn head(&self) -> FeedCursor {
        FeedCursor(self.head)
    }

    /// Adds a change at the head; its cursor is given here.
    pub(super) fn push(&mut self, change: Change) {
        self.head += 1;
        self.bytes += weight(&change);
        self.changes.push_back(Arc::new(Change { cursor: FeedCursor(self.head), ..change }));
        while self.changes.len() > MAX_CHANGES || self.bytes > MAX_BYTES {
            let Some(oldest) = self.changes.pop_front() else { break };
            self.bytes -= weight(&oldest);
            self.oldest = oldest.cursor.0;
        }
    }

    /// What came after a cursor. Nothing, where that is still to be seen.
    pub(super) fn after(&self, cursor: FeedCursor) -> Result<Vec<Arc<Change>>, Lagged> {
        if cursor.0 < self.oldest || cursor.0 > self.head {
            // As long as it is not live, a refusal would lead to a cursor that is refused as well.
            return if self.is_live { Err(Lagged) } else { Ok(vec![]) };
        }
        let from = self.changes.partition_point(|change| change.cursor <= cursor);
        Ok(self.changes.iter().skip(from).cloned().collect())
    }
}

fn weight(change: &Change) -> usize {
    [&change.old, &change.new].into_iter().flatten().map(bytes::Bytes::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_ports::Key;
    use attune_ports::records::Kind;

    fn change(bytes: usize) -> Change {
        Change {
            cursor: FeedCursor(0),
            kind: Kind::Event,
            key: Key::new("p", ""),
            old: None,
            new: Some(vec![b'x'; bytes].into()),
            at: chrono::Utc::now(),
        }
    }

    #[test]
    fn what_came_before_it_was_live_is_lagged() {
        let mut log = Log::new(100);
        let early = log.head();
        assert_eq!(log.after(early).unwrap().len(), 0, "not known yet");
        log.go_live();
        assert_eq!(log.after(early).unwrap_err(), Lagged);
        let head = log.head();
        log.push(change(1));
        log.push(change(1));
        let told = log.after(head).unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!(log.after(told[0].cursor).unwrap().len(), 1);
        assert_eq!(log.after(log.head()).unwrap().len(), 0);
        assert_eq!(log.after(FeedCursor(7)).unwrap_err(), Lagged, "another process's");
        assert_eq!(log.after(FeedCursor(log.head().0 + 1)).unwrap_err(), Lagged, "likewise");
    }

    #[test]
    fn an_interruption_lets_nobody_pass_unaware() {
        let mut log = Log::new(0);
        log.go_live();
        let start = log.head();
        log.push(change(1));
        log.interrupt();
        assert_eq!(log.after(start).unwrap().len(), 1, "what is known is told");
        let head = log.head();
        assert_eq!(log.after(head).unwrap().len(), 0);
        log.go_live();
        assert_eq!(log.after(head).unwrap_err(), Lagged);
    }

    #[test]
    fn it_forgets_by_number_and_by_size() {
        for (bytes, pushed) in [(1, MAX_CHANGES + 10), (MAX_BYTES / 4, 14)] {
            let mut log = Log::new(0);
            log.go_live();
            let start = log.head();
            for _ in 0..pushed {
                log.push(change(bytes));
            }
            assert_eq!(log.after(start).unwrap_err(), Lagged);
            let tenth = FeedCursor(start.0 + 10);
            assert_eq!(log.after(tenth).unwrap().len(), pushed - 10);
        }
    }
}
