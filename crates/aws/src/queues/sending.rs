//! Sending in batches, and again what SQS did not take.

use super::{address, delivery};
use attune_ports::{Outgoing, Queue, Unavailable};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;
use std::time::Duration;

/// Messages of one request, at most.
pub(crate) const MOST: usize = 10;
/// Bytes of the bodies of one request, at most: half of what a queue's batch may hold, as attributes count, too.
const MOST_BYTES: usize = 128 * 1024;
/// How often a message is sent before sending fails.
const ATTEMPTS: u32 = 5;
/// Pause before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// Seconds by which SQS hides a message at most.
const LONGEST_DELAY: i32 = 900;

/// A message as SQS takes it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Letter {
    pub(crate) body: String,
    /// Group and deduplication id, where the queue is ordered.
    pub(crate) order: Option<(String, String)>,
    /// Hidden for so many seconds.
    pub(crate) delay: i32,
}

impl Letter {
    pub(crate) fn new(queue: Queue, outgoing: &Outgoing) -> Result<Self, Unavailable> {
        Ok(Self {
            body: delivery::body(&outgoing.message).map_err(refused)?,
            order: queue.is_ordered().then(|| {
                let id = |text: &str| address::id(text).into_owned();
                (id(&outgoing.group), id(&outgoing.deduplication))
            }),
            // A queue that is ordered takes no delay of a single message, and the port promises none there.
            delay: if queue.is_ordered() {
                0
            } else {
                whole_seconds(outgoing.delay, LONGEST_DELAY)
            },
        })
    }

    fn entry(&self, id: usize) -> Result<Entry, BuildError> {
        let (group, deduplication) = self.order.clone().unzip();
        Entry::builder()
            .id(id.to_string())
            .message_body(&self.body)
            .set_message_group_id(group)
            .set_message_deduplication_id(deduplication)
            .set_delay_seconds((self.delay > 0).then_some(self.delay))
            .build()
    }
}

/// Whole seconds that are not shorter than `duration`, `most` at most.
pub(crate) fn whole_seconds(duration: Duration, most: i32) -> i32 {
    let up = u64::from(duration.subsec_nanos() > 0);
    i32::try_from(duration.as_secs().saturating_add(up)).unwrap_or(most).min(most)
}

fn refused(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new("queues", error)
}

/// Sends all, in order, as few requests as can be.
pub(crate) async fn send(
    client: &Client,
    url: &str,
    letters: &[Letter],
) -> Result<(), Unavailable> {
    for batch in batches(letters) {
        match batch {
            [only] => send_one(client, url, only).await?,
            several => send_several(client, url, several).await?,
        }
    }
    Ok(())
}

/// Splits into what one request may hold.
fn batches(letters: &[Letter]) -> Vec<&[Letter]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, letter) in letters.iter().enumerate() {
        if at > start && (at - start == MOST || bytes + letter.body.len() > MOST_BYTES) {
            batches.push(&letters[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += letter.body.len();
    }
    if start < letters.len() {
        batches.push(&letters[start..]);
    }
    batches
}

async fn send_one(client: &Client, url: &str, letter: &Letter) -> Result<(), Unavailable> {
    let (group, deduplication) = letter.order.clone().unzip();
    let sent = client
        .send_message()
        .queue_url(url)
        .message_body(&letter.body)
        .set_message_group_id(group)
        .set_message_deduplication_id(deduplication)
        .set_delay_seconds((letter.delay > 0).then_some(letter.delay));
    sent.send().await.map(drop).map_err(|error| crate::failure::unavailable("queues", error))
}

/// Sends one batch, and again those of it that SQS did not take. In a group, those after one that failed are
/// sent again with it: SQS swallows what it has already.
async fn send_several(client: &Client, url: &str, letters: &[Letter]) -> Result<(), Unavailable> {
    let mut left: Vec<&Letter> = letters.iter().collect();
    let mut pause = PAUSE;
    for attempt in 1.. {
        let entries: Result<_, _> = left.iter().enumerate().map(|(n, l)| l.entry(n)).collect();
        let entries = entries.map_err(refused)?;
        let request = client.send_message_batch().queue_url(url).set_entries(Some(entries));
        let answer =
            request.send().await.map_err(|error| crate::failure::unavailable("queues", error))?;
        let Some(first) = answer.failed().first() else { return Ok(()) };
        let hopeless = answer.failed().iter().find(|failure| failure.sender_fault());
        if hopeless.is_some() || attempt == ATTEMPTS {
            let failure = hopeless.unwrap_or(first);
            let why = failure.message().unwrap_or_default();
            return Err(refused(format!("{}: {why}", failure.code())));
        }
        let failed: Vec<usize> =
            answer.failed().iter().filter_map(|failure| failure.id().parse().ok()).collect();
        left = again(&left, &failed);
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    Ok(())
}

/// What to send again: the failed ones, and those that follow one of them in its group.
fn again<'a>(sent: &[&'a Letter], failed: &[usize]) -> Vec<&'a Letter> {
    let group = |letter: &'a Letter| letter.order.as_ref().map(|(group, _)| group.as_str());
    let follows = |n: usize| {
        let mine = group(sent[n]);
        mine.is_some() && failed.iter().any(|&f| f < n && group(sent[f]) == mine)
    };
    let chosen = (0..sent.len()).filter(|n| failed.contains(n) || follows(*n));
    chosen.map(|n| sent[n]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use attune_domain::id::ExecutionId;
    use attune_domain::message::Step;

    fn letter(body: &str, group: Option<&str>) -> Letter {
        let order = group.map(|group| (group.to_owned(), body.to_owned()));
        Letter { body: body.to_owned(), order, delay: 0 }
    }

    #[test]
    fn seconds_are_never_too_few() {
        let rows =
            [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2), (900_000, 900), (u64::MAX, 900)];
        for (millis, seconds) in rows {
            let duration = Duration::from_millis(millis);
            assert_eq!(whole_seconds(duration, LONGEST_DELAY), seconds, "{millis} ms");
        }
    }

    #[test]
    fn delays_are_for_plain_queues() {
        let step = Step::ExecutionRequested { execution: ExecutionId::new(1) };
        let outgoing = Outgoing::new(step.into(), "g", 3).after(Duration::from_millis(1500));
        let plain = Letter::new(Queue::Wake, &outgoing).unwrap();
        assert_eq!((plain.delay, plain.order), (2, None));
        let ordered = Letter::new(Queue::Admit, &outgoing).unwrap();
        assert_eq!(ordered.delay, 0);
        assert_eq!(ordered.order, Some(("g".into(), "execution.requested:1:3".into())));
    }

    #[test]
    fn batches_hold_what_a_request_may() {
        let small: Vec<_> = (0..25).map(|n| letter(&n.to_string(), None)).collect();
        let large: Vec<_> = (0..3).map(|_| letter(&"x".repeat(MOST_BYTES / 2), None)).collect();
        let huge = vec![letter("a", None), letter(&"x".repeat(2 * MOST_BYTES), None)];
        let sizes = |all: &[Letter]| batches(all).iter().map(|b| b.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&small), [10, 10, 5]);
        assert_eq!(sizes(&large), [2, 1]);
        assert_eq!(sizes(&huge), [1, 1]);
        assert_eq!(batches(&small).concat(), small);
    }

    #[test]
    fn what_failed_is_sent_again_with_what_follows_it() {
        let rows: [(&str, &[usize], &str); 5] = [
            ("a1 b1 a2 b2", &[0], "a1 a2"),
            ("a1 b1 a2 b2", &[3], "b2"),
            ("a1 b1 a2 b2", &[1, 2], "b1 a2 b2"),
            ("-1 -2 -3", &[1], "-2"),
            ("a1 a2", &[7], ""),
        ];
        for (sent, failed, expected) in rows {
            let letters: Vec<_> = sent
                .split(' ')
                .map(|name| letter(name, Some(&name[..1]).filter(|group| *group != "-")))
                .collect();
            let all: Vec<_> = letters.iter().collect();
            let left: Vec<_> = again(&all, failed).iter().map(|l| l.body.as_str()).collect();
            assert_eq!(left.join(" "), expected, "{sent} {failed:?}");
        }
    }
}
