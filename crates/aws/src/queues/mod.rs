//! Queues on SQS.
//!
//! How long a delivered message stays hidden and after how many deliveries it is a dead letter are the
//! queue's own settings, made with it.

pub(crate) mod address;
mod delivery;
pub(crate) mod sending;

pub use delivery::{Unreadable, delivery};

use crate::dead_letters::DeadLetters;
use crate::{Clients, failure};
use async_trait::async_trait;
use attune_ports::queues::{DeadLetter, Receipt};
use attune_ports::{Delivery, Outgoing, Queue, Queues, Records, Unavailable};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use sending::Letter;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Seconds that one request may wait for messages.
const LONGEST_POLL: i32 = 20;
/// Seconds by which a message may be hidden again.
const LONGEST_HIDING: i32 = 12 * 60 * 60;

/// The queues of a stack. Dead letters that somebody has looked at lie in records.
pub struct SqsQueues {
    clients: Arc<Clients>,
    prefix: String,
    dead: DeadLetters,
}

impl SqsQueues {
    /// Queues whose URLs begin with `prefix`; see [`crate::Config::queues`].
    pub fn new(
        clients: Arc<Clients>,
        prefix: impl Into<String>,
        records: Arc<dyn Records>,
    ) -> Self {
        let prefix = prefix.into();
        let dead = DeadLetters::new(Arc::clone(&clients), prefix.clone(), records);
        Self { clients, prefix, dead }
    }

    fn url(&self, queue: Queue) -> String {
        address::of(&self.prefix, queue)
    }

    /// Lets an unreadable message come again at once: the queue counts, and sets it aside when it has come
    /// too often.
    async fn refuse(&self, queue: Queue, message: &Message, error: &Unreadable) {
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(%queue, id = message.message_id(), source, "{error}");
        let receipt = message.receipt_handle().unwrap_or_default();
        // If that fails, it comes again when its visibility has run out.
        let _ = hide(self.clients.sqs().await, &self.url(queue), receipt, 0).await;
    }
}

fn unavailable(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new("queues", error)
}

/// What is there, ten at most; waits up to `wait` seconds for the first.
pub(crate) async fn take(
    client: &Client,
    url: &str,
    max: usize,
    wait: i32,
) -> Result<Vec<Message>, Unavailable> {
    let request = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(i32::try_from(max.clamp(1, sending::MOST)).unwrap_or(1))
        .wait_time_seconds(wait)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
        .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId);
    let answer = request.send().await.map_err(|error| failure::unavailable("queues", error))?;
    Ok(answer.messages.unwrap_or_default())
}

/// A system attribute of a message that was received.
pub(crate) fn attribute<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.attributes()?.get(&MessageSystemAttributeName::from(name)).map(String::as_str)
}

/// Removes messages. A receipt that counts for nothing any more is passed over.
pub(crate) async fn remove(
    client: &Client,
    url: &str,
    receipts: impl IntoIterator<Item = String>,
) -> Result<(), Unavailable> {
    let receipts: Vec<String> = receipts.into_iter().collect();
    for batch in receipts.chunks(sending::MOST) {
        let entries: Result<Vec<_>, _> = (0..)
            .zip(batch)
            .map(|(n, receipt): (usize, _)| {
                let entry = DeleteMessageBatchRequestEntry::builder();
                entry.id(n.to_string()).receipt_handle(receipt).build()
            })
            .collect();
        let entries = entries.map_err(unavailable)?;
        let request = client.delete_message_batch().queue_url(url).set_entries(Some(entries));
        let answer = request.send().await.map_err(|error| failure::unavailable("queues", error))?;
        if let Some(failed) = answer.failed().iter().find(|failed| !failed.sender_fault()) {
            let why = failed.message().unwrap_or_default();
            return Err(unavailable(format!("{}: {why}", failed.code())));
        }
    }
    Ok(())
}

/// Hides a message for so many seconds from now. A receipt that counts for nothing any more is passed over.
async fn hide(client: &Client, url: &str, receipt: &str, seconds: i32) -> Result<(), Unavailable> {
    let request = client
        .change_message_visibility()
        .queue_url(url)
        .receipt_handle(receipt)
        .visibility_timeout(seconds);
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.code().is_some_and(is_of_the_past) => Ok(()),
        Err(error) => Err(failure::unavailable("queues", error)),
    }
}

/// Whether an error says that the message is in other hands, or gone.
fn is_of_the_past(code: &str) -> bool {
    let code = code.rsplit('.').next().unwrap_or(code);
    ["ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue"].contains(&code)
}

#[async_trait]
impl Queues for SqsQueues {
    async fn send(&self, queue: Queue, messages: Vec<Outgoing>) -> Result<(), Unavailable> {
        let letters: Result<Vec<_>, _> =
            messages.iter().map(|outgoing| Letter::new(queue, outgoing)).collect();
        sending::send(self.clients.sqs().await, &self.url(queue), &letters?).await
    }

    /// Waits whole seconds: any `wait` that is not zero is rounded up.
    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, Unavailable> {
        let deadline = Instant::now() + wait;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let poll = sending::whole_seconds(left, LONGEST_POLL);
            let taken = take(self.clients.sqs().await, &self.url(queue), max, poll).await?;
            let is_empty = taken.is_empty();
            let mut deliveries = Vec::with_capacity(taken.len());
            for message in taken {
                let (receipt, body) = (message.receipt_handle(), message.body());
                let attribute = |name: &str| attribute(&message, name);
                match delivery(receipt.unwrap_or_default(), body.unwrap_or_default(), attribute) {
                    Ok(delivery) => deliveries.push(delivery),
                    Err(error) => self.refuse(queue, &message, &error).await,
                }
            }
            if !deliveries.is_empty() || (is_empty && Instant::now() >= deadline) {
                return Ok(deliveries);
            }
        }
    }

    async fn acknowledge(&self, queue: Queue, receipts: Vec<Receipt>) -> Result<(), Unavailable> {
        let receipts = receipts.into_iter().map(|receipt| receipt.0);
        remove(self.clients.sqs().await, &self.url(queue), receipts).await
    }

    /// SQS keeps no reason: it is logged.
    async fn give_back(
        &self,
        queue: Queue,
        receipt: Receipt,
        delay: Duration,
        reason: &str,
    ) -> Result<(), Unavailable> {
        tracing::info!(%queue, reason, "a message was given back");
        let seconds = sending::whole_seconds(delay, LONGEST_HIDING);
        hide(self.clients.sqs().await, &self.url(queue), &receipt.0, seconds).await
    }

    /// As SQS counts: right when the queue has been quiet for a minute.
    async fn depth(&self, queue: Queue) -> Result<u64, Unavailable> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        count(self.clients.sqs().await, &self.url(queue), &names).await
    }

    /// Oldest sent first. Those that nobody has seen yet are first brought from SQS into records, as SQS lets
    /// nobody look without taking.
    async fn dead_letters(
        &self,
        queue: Queue,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Unavailable> {
        self.dead.list(queue, cursor, limit).await
    }

    async fn redrive(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.dead.redrive(queue, id).await
    }

    async fn purge(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        self.dead.purge(queue, id).await
    }
}

/// The sum of some of a queue's numbers.
pub(crate) async fn count(
    client: &Client,
    url: &str,
    names: &[QueueAttributeName],
) -> Result<u64, Unavailable> {
    let request =
        client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
    let answer = request.send().await.map_err(|error| failure::unavailable("queues", error))?;
    let numbers = answer.attributes.unwrap_or_default();
    Ok(names.iter().filter_map(|name| numbers.get(name)?.parse::<u64>().ok()).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_receipt_is_no_failure() {
        for code in [
            "ReceiptHandleIsInvalid",
            "MessageNotInflight",
            "AWS.SimpleQueueService.MessageNotInflight",
            "InvalidParameterValue",
        ] {
            assert!(is_of_the_past(code), "{code}");
        }
        for code in ["QueueDoesNotExist", "RequestThrottled", "AccessDenied"] {
            assert!(!is_of_the_past(code), "{code}");
        }
    }
}
