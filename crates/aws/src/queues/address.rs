//! Names of queues and groups as SQS has them.

use attune_ports::Queue;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Characters of a message group's or a deduplication's id, at most.
const LONGEST_ID: usize = 128;

/// URL of a queue, whose stack's queues' URLs begin with `prefix`.
pub(crate) fn of(prefix: &str, queue: Queue) -> String {
    format!("{prefix}{queue}{}", suffix(queue))
}

/// URL of the queue's dead letters.
pub(crate) fn of_dead(prefix: &str, queue: Queue) -> String {
    format!("{prefix}{queue}-dead{}", suffix(queue))
}

const fn suffix(queue: Queue) -> &'static str {
    if queue.is_ordered() { ".fifo" } else { "" }
}

/// `text` as the id of a group or of a deduplication: as it is where SQS takes it, else its hash.
pub(crate) fn id(text: &str) -> Cow<'_, str> {
    let fits = (1..=LONGEST_ID).contains(&text.len());
    if fits && text.bytes().all(|b| b.is_ascii_graphic()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(hex::encode(Sha256::digest(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_domain::runtime::Runtime;

    #[test]
    fn ordered_queues_are_called_so() {
        let rows = [
            (Queue::Match, "u/s-match", "u/s-match-dead"),
            (Queue::Run(Runtime::Python), "u/s-run-python", "u/s-run-python-dead"),
            (Queue::Admit, "u/s-admit.fifo", "u/s-admit-dead.fifo"),
            (Queue::Complete, "u/s-complete.fifo", "u/s-complete-dead.fifo"),
        ];
        for (queue, live, dead) in rows {
            assert_eq!(of("u/s-", queue), live);
            assert_eq!(of_dead("u/s-", queue), dead);
        }
    }

    #[test]
    fn what_sqs_does_not_take_is_hashed() {
        let long = "x".repeat(LONGEST_ID);
        for plain in ["core.echo", "7:{\"host\":\"a\"}", "!~", &long] {
            assert_eq!(id(plain), plain);
        }
        let longer = "x".repeat(LONGEST_ID + 1);
        let odd = ["", "two words", "ä", "a\nb", &longer];
        for (n, text) in odd.iter().enumerate() {
            let id = id(text);
            assert_eq!(id.len(), 64, "{text:?}");
            assert!(odd[..n].iter().all(|other| super::id(other) != id), "{text:?} is told apart");
        }
    }
}
