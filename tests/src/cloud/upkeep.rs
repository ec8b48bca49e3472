//! What `notify` and `ingest-event` do in a stack that has functions.

use crate::contract::TakeTick;
use attune_aws::feed::{Start, Stream};
use attune_aws::schedules::Input;
use attune_aws::{Clients, EventBridgeSchedules, tally};
use attune_ports::{Schedules, Unavailable};
use aws_sdk_sqs::types::Message;
use futures::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// Pause between two looks at the stream.
const LOOK: Duration = Duration::from_millis(100);

/// Counts what the table's stream tells, for ever.
pub(super) async fn count(clients: Arc<Clients>, table: String) {
    let mut stream = Stream::open(Arc::clone(&clients), &table, Start::Oldest)
        .await
        .expect("the stream of a table that is there can be read");
    loop {
        for batch in stream.next().await.expect("a young stream has no gaps") {
            let changes: Vec<_> = batch.iter().filter_map(tally::Change::of).collect();
            tally::book(&clients, &table, &changes).await.expect("changes can be booked");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Takes in what Scheduler calls and what waits for its second.
pub(super) struct Ingest {
    pub(super) clients: Arc<Clients>,
    pub(super) schedules: Arc<EventBridgeSchedules>,
    pub(super) take: TakeTick,
}

impl Ingest {
    /// Works on these queues for ever.
    pub(super) async fn work(self, queues: [String; 2]) {
        join_all(queues.iter().map(|queue| self.follow(queue))).await;
    }

    async fn follow(&self, queue: &str) {
        let sqs = self.clients.sqs().await;
        loop {
            let request = sqs.receive_message().queue_url(queue).wait_time_seconds(1);
            let found = request.max_number_of_messages(10).send().await.expect("a queue answers");
            for message in found.messages.unwrap_or_default() {
                let receipt = message.receipt_handle.clone().unwrap_or_default();
                if self.one(&message).await.is_ok() {
                    let delete = sqs.delete_message().queue_url(queue).receipt_handle(receipt);
                    delete.send().await.expect("a message can be removed");
                } else {
                    let again = sqs.change_message_visibility().queue_url(queue);
                    let again = again.receipt_handle(receipt).visibility_timeout(0);
                    again.send().await.expect("a message can be given back");
                }
            }
        }
    }

    async fn one(&self, message: &Message) -> Result<(), Unavailable> {
        let body = message.body().expect("a message has a body");
        let input: Input = serde_json::from_str(body).expect("Scheduler sends what it was told to");
        let Some(tick) = self.schedules.take(input).await? else { return Ok(()) };
        // Ingest looks at the carrier: it drops what is of an earlier setting.
        let known = self.schedules.list().await?;
        if known.contains(&(tick.name.clone(), tick.generation)) {
            (self.take)(&tick)
        } else {
            Ok(())
        }
    }
}
