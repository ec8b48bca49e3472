//! Batches of SQS messages: read, hand to the step, and answer which are to come again.

use attune_aws::queues;
use attune_domain::message::Step;
use attune_journey::dispatch::Failed;
use attune_ports::{Delivery, Ports, Queue};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use std::collections::HashMap;
use std::time::Duration;
use tracing::{Instrument, Span, field};

/// Deals with a batch of one queue: `step` gets what can be read, in order, and says what failed. The answer
/// names the messages that are to come again, so that the others are done with.
///
/// A message that cannot be read fails, until its queue counts it among the dead letters. Where the queue
/// is ordered, the later ones of its group fail with it. What failed is given back to its queue at once:
/// else it would stay hidden for the queue's visibility, which allows for the slowest run.
pub async fn deal(
    ports: &Ports,
    event: SqsEvent,
    step: impl AsyncFnOnce(Vec<Delivery>) -> Vec<Failed>,
) -> SqsBatchResponse {
    let Batch { deliveries, mut unread, ids, queue } = Batch::read(event);
    let failed = if deliveries.is_empty() {
        Vec::new()
    } else {
        let span = span(&deliveries);
        step(deliveries).instrument(span).await
    };
    let mut response = SqsBatchResponse::default();
    unread.extend(failed.into_iter().map(|failed| (failed.pause(), failed)));
    for (_, failed) in &unread {
        let id = ids.get(&failed.receipt.0).map(String::as_str).unwrap_or_default();
        tracing::warn!(
            id,
            receives = failed.receives,
            reason = failed.reason,
            "a message comes again"
        );
        response.add_failure(id);
    }
    if let Some(queue) = queue {
        join_all(unread.into_iter().map(|(pause, failed)| async move {
            let given = ports.queues.give_back(queue, failed.receipt, pause, &failed.reason).await;
            if let Err(error) = given {
                tracing::warn!(%queue, %error, "a message comes again only after its visibility");
            }
        }))
        .await;
    }
    response
}

/// A batch as the step sees it.
struct Batch {
    /// What can be read and does not wait for what cannot.
    deliveries: Vec<Delivery>,
    /// The others, and how soon they should come again.
    unread: Vec<(Duration, Failed)>,
    /// Message ids by receipt.
    ids: HashMap<String, String>,
    /// Where they come from.
    queue: Option<Queue>,
}

impl Batch {
    fn read(event: SqsEvent) -> Self {
        let mut batch = Self {
            deliveries: Vec::with_capacity(event.records.len()),
            unread: Vec::new(),
            ids: HashMap::new(),
            queue: event.records.first().and_then(queue_of),
        };
        let ordered = batch.queue.is_some_and(Queue::is_ordered);
        let mut blocked = Vec::new();
        for message in &event.records {
            let receipt = message.receipt_handle.clone().unwrap_or_default();
            let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
            let body = message.body.as_deref().unwrap_or_default();
            let read = queues::delivery(&receipt, body, attribute);
            batch.ids.insert(receipt.clone(), message.message_id.clone().unwrap_or_default());
            let group = attribute("MessageGroupId").unwrap_or_default();
            let (pause, reason) = match read {
                Ok(delivery) if !(ordered && blocked.contains(&group)) => {
                    batch.deliveries.push(delivery);
                    continue;
                }
                Ok(delivery) => {
                    let failed = Failed::new(&delivery, "one before it in its group failed");
                    batch.unread.push((failed.pause(), failed));
                    continue;
                }
                // It never will be read: the sooner it is a dead letter, the better.
                Err(error) => (Duration::ZERO, error.to_string()),
            };
            blocked.push(group);
            let receives = attribute("ApproximateReceiveCount").and_then(|n| n.parse().ok());
            let failed = Failed {
                receipt: attune_ports::queues::Receipt(receipt),
                receives: receives.unwrap_or(1),
                reason,
            };
            batch.unread.push((pause, failed));
        }
        batch
    }
}

/// The queue by the end of its ARN, `…:<stack>-admit.fifo`.
fn queue_of(message: &SqsMessage) -> Option<Queue> {
    let arn = message.event_source_arn.as_deref()?;
    let name = arn.strip_suffix(".fifo").unwrap_or(arn);
    Queue::ALL
        .into_iter()
        .find(|queue| name.strip_suffix(queue.as_str()).is_some_and(|stack| stack.ends_with('-')))
}

/// What is logged about a batch names the records that its messages are about.
fn span(deliveries: &[Delivery]) -> Span {
    let span = tracing::info_span!(
        "messages",
        event = field::Empty,
        enforcement = field::Empty,
        execution = field::Empty,
        lane = field::Empty,
        inquiry = field::Empty
    );
    let mut named: [(&str, Vec<String>); 5] =
        ["event", "enforcement", "execution", "lane", "inquiry"].map(|name| (name, Vec::new()));
    for delivery in deliveries {
        let [event, enforcement, execution, lane, inquiry] = named.each_mut().map(|(_, ids)| ids);
        match &delivery.message.step {
            Step::EventCreated { event: id } => event.push(id.to_string()),
            Step::EnforcementCreated { enforcement: id, event: cause } => {
                enforcement.push(id.to_string());
                event.push(cause.to_string());
            }
            Step::ExecutionRequested { execution: id }
            | Step::ExecutionScheduled { execution: id, .. }
            | Step::ExecutionCompleted { execution: id } => execution.push(id.to_string()),
            Step::LaneWake { lane: key } => lane.push(key.to_string()),
            Step::InquiryDue { inquiry: id } => inquiry.push(id.to_string()),
        }
    }
    for (name, ids) in named.iter().filter(|(_, ids)| !ids.is_empty()) {
        span.record(*name, ids.join(","));
    }
    span
}
