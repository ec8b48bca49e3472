//! Dead letters.
//!
//! A message that was delivered too often goes to its queue's queue of dead letters, where an alarm watches
//! over the depth. SQS lets nobody look at a message without taking it, nor remove one by its name. So who
//! looks for the first time moves what is there into records, which can be listed, sent again and removed
//! one by one. The record comes first: a crash in between moves the same letter again, onto itself.

use crate::Clients;
use crate::queues::{self, address, sending};
use attune_domain::Timestamp;
use attune_domain::message::Message;
use attune_ports::queues::DeadLetter;
use attune_ports::records::{Commit, Expect, Kind};
use attune_ports::{Key, Query, Queue, Record, Records, Unavailable};
use aws_sdk_sqs::types::{Message as Taken, QueueAttributeName};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Letters that one look brings at most: it must be over before API Gateway loses patience.
const MOST_MOVED: usize = 1000;
/// Letters read from records together.
const PAGE: usize = 100;
/// Messages of one request of SQS.
const BATCH: usize = 10;
/// Bytes of a text that are certain to fit a record, however they are escaped. Ours have a few hundred.
const LONGEST_TEXT: usize = 190 * 1024;

pub(crate) struct DeadLetters {
    clients: Arc<Clients>,
    prefix: String,
    records: Arc<dyn Records>,
}

/// A dead letter as it lies in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Letter {
    text: String,
    group: String,
    receives: u32,
    sent_at: Timestamp,
    /// When it was found, as SQS does not say when it was given up.
    died_at: Timestamp,
}

impl Letter {
    fn of(taken: &Taken, now: Timestamp) -> Self {
        let number = |name: &str| queues::attribute(taken, name)?.parse::<i64>().ok();
        let sent_at = number("SentTimestamp").and_then(Timestamp::from_timestamp_millis);
        // The delivery that brought it here counts, too; to its receivers it never came.
        let receives = number("ApproximateReceiveCount").unwrap_or(1) - 1;
        Self {
            text: taken.body().unwrap_or_default().to_owned(),
            group: queues::attribute(taken, "MessageGroupId").unwrap_or_default().to_owned(),
            receives: u32::try_from(receives).unwrap_or(0),
            sent_at: sent_at.unwrap_or(now),
            died_at: now,
        }
    }

    fn shown(self, id: String) -> DeadLetter {
        let unreadable = serde_json::from_str::<Message>(&self.text).err();
        DeadLetter {
            id,
            body: serde_json::from_str(&self.text).unwrap_or(Value::String(self.text)),
            group: self.group,
            receives: self.receives,
            sent_at: self.sent_at,
            died_at: self.died_at,
            reason: unreadable.map(|error| format!("it cannot be read as a message: {error}")),
        }
    }
}

/// What becomes of dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    SentAgain,
    Forgotten,
}

/// Where the dead letters of a queue lie.
fn partition(queue: Queue) -> String {
    format!("dead/{queue}")
}

/// Names a letter, so that names are in the order of sending. No `/`: it stands in paths of the API.
fn id(letter: &Letter, message_id: &str) -> String {
    format!("{:016}-{message_id}", letter.sent_at.timestamp_millis())
}

fn unavailable(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new("dead letters", error)
}

impl DeadLetters {
    pub(crate) fn new(clients: Arc<Clients>, prefix: String, records: Arc<dyn Records>) -> Self {
        Self { clients, prefix, records }
    }

    pub(crate) async fn list(
        &self,
        queue: Queue,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Unavailable> {
        self.bring(queue).await?;
        let query = Query::partition(partition(queue), limit).after(cursor.map(str::to_owned));
        let page = self.records.query(&query).await?;
        page.records
            .into_iter()
            .map(|record| {
                let letter: Letter = record.decode().map_err(unavailable)?;
                Ok(letter.shown(record.key.sort))
            })
            .collect()
    }

    pub(crate) async fn redrive(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.each(queue, id, Fate::SentAgain).await
    }

    pub(crate) async fn purge(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.each(queue, id, Fate::Forgotten).await
    }

    /// Deals with one letter or with all, oldest first; answers how many.
    async fn each(&self, queue: Queue, id: Option<&str>, fate: Fate) -> Result<u64, Unavailable> {
        if let Some(id) = id {
            // Who knows its name has seen it: it lies in a record.
            let found = self.records.get(&Key::new(partition(queue), id)).await?;
            let letters: Vec<Record> = found.into_iter().collect();
            self.deal(queue, &letters, fate).await?;
            return Ok(letters.len() as u64);
        }
        let mut done = 0;
        loop {
            let brought = self.bring(queue).await?;
            let mut after = None;
            loop {
                let query = Query::partition(partition(queue), PAGE).after(after);
                let page = self.records.query(&query).await?;
                for letters in page.records.chunks(BATCH) {
                    self.deal(queue, letters, fate).await?;
                }
                done += page.records.len() as u64;
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            if brought < MOST_MOVED {
                return Ok(done);
            }
        }
    }

    async fn deal(&self, queue: Queue, letters: &[Record], fate: Fate) -> Result<(), Unavailable> {
        if fate == Fate::SentAgain {
            self.send(queue, letters).await?;
        }
        self.forget(letters).await
    }

    async fn forget(&self, letters: &[Record]) -> Result<(), Unavailable> {
        if letters.is_empty() {
            return Ok(());
        }
        let commit = letters
            .iter()
            .fold(Commit::new(), |commit, letter| commit.delete(letter.key.clone(), Expect::Any));
        self.records.commit(commit).await.map_err(unavailable)
    }

    /// Sends letters again, as they are, under ids of their own: the first ones may be remembered still.
    async fn send(&self, queue: Queue, letters: &[Record]) -> Result<(), Unavailable> {
        let send_again = |record: &Record| {
            let letter: Letter = record.decode().map_err(unavailable)?;
            let order = queue.is_ordered().then(|| {
                let fresh = format!("redrive:{:032x}", rand::random::<u128>());
                (address::id(&letter.group).into_owned(), fresh)
            });
            Ok(sending::Letter { body: letter.text, order, delay: 0 })
        };
        let letters: Result<Vec<_>, Unavailable> = letters.iter().map(send_again).collect();
        let url = address::of(&self.prefix, queue);
        // If only some can be sent, these will be once more: every step knows what it has done.
        sending::send(self.clients.sqs().await, &url, &letters?).await
    }

    /// Moves letters from SQS into records, [`MOST_MOVED`] at most; answers how many.
    async fn bring(&self, queue: Queue) -> Result<usize, Unavailable> {
        let client = self.clients.sqs().await;
        let url = address::of_dead(&self.prefix, queue);
        let names = [QueueAttributeName::ApproximateNumberOfMessages];
        let expected = queues::count(client, &url, &names).await?;
        let expected = usize::try_from(expected).unwrap_or(MOST_MOVED).min(MOST_MOVED);
        let mut brought = 0;
        while brought < MOST_MOVED {
            // A request that does not wait asks only some of SQS's machines.
            let wait = i32::from(brought < expected);
            let taken = queues::take(client, &url, BATCH, wait).await?;
            if taken.is_empty() {
                break;
            }
            brought += taken.len();
            self.store(queue, &url, taken).await?;
        }
        Ok(brought)
    }

    async fn store(&self, queue: Queue, url: &str, taken: Vec<Taken>) -> Result<(), Unavailable> {
        let now = Utc::now();
        let mut receipts = Vec::with_capacity(taken.len());
        let mut commit = Commit::new();
        for message in taken {
            let name = message.message_id().unwrap_or_default();
            if message.body().unwrap_or_default().len() > LONGEST_TEXT {
                tracing::warn!(%queue, id = name, "a dead letter is too long to be shown; it stays");
                continue;
            }
            let letter = Letter::of(&message, now);
            let key = Key::new(partition(queue), id(&letter, name));
            commit = commit.put(Record::new(Kind::Marker, key, &letter));
            receipts.extend(message.receipt_handle);
        }
        if receipts.is_empty() {
            return Ok(());
        }
        self.records.commit(commit).await.map_err(unavailable)?;
        queues::remove(self.clients.sqs().await, url, receipts).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::types::MessageSystemAttributeName as Name;

    fn taken(body: &str) -> Taken {
        Taken::builder()
            .message_id("m-1")
            .body(body)
            .attributes(Name::ApproximateReceiveCount, "6")
            .attributes(Name::SentTimestamp, "1700000000123")
            .attributes(Name::MessageGroupId, "core.echo")
            .build()
    }

    #[test]
    fn a_letter_says_what_sqs_knows() {
        let now = Utc::now();
        let message = r#"{"v":1,"step":"execution.requested","execution":7}"#;
        let letter = Letter::of(&taken(message), now);
        let id = id(&letter, "m-1");
        assert_eq!(id, "0001700000000123-m-1");
        let shown = letter.shown(id);
        assert_eq!((shown.receives, shown.group.as_str()), (5, "core.echo"));
        assert_eq!(shown.sent_at.timestamp_millis(), 1_700_000_000_123);
        assert_eq!((shown.died_at, shown.reason), (now, None));
        assert_eq!(shown.body["execution"], 7);
    }

    #[test]
    fn what_cannot_be_read_is_shown_as_it_is() {
        for (text, body) in [
            ("not even JSON", Value::from("not even JSON")),
            (r#"{"moon": 1}"#, serde_json::json!({"moon": 1})),
        ] {
            let shown = Letter::of(&taken(text), Utc::now()).shown("1".into());
            assert_eq!(shown.body, body);
            let reason = shown.reason.unwrap();
            assert!(reason.starts_with("it cannot be read as a message: "), "{reason}");
        }
    }

    #[test]
    fn the_longest_text_fits_a_record() {
        let letter = Letter {
            text: "\"".repeat(LONGEST_TEXT),
            group: "x".repeat(128),
            receives: 1,
            sent_at: Utc::now(),
            died_at: Utc::now(),
        };
        let record = Record::new(Kind::Marker, Key::new("dead/match", "1"), &letter);
        assert!(record.body.len() <= attune_ports::records::MAX_RECORD_BYTES);
        assert!(record.body.len() * BATCH <= attune_ports::records::MAX_COMMIT_BYTES);
    }
}
