//! Matches events with the rules of their triggers, from the queue `match`.

use attune_function::batch;
use attune_journey::dispatch;
use attune_ports::Ports;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

/// Matches a batch of events.
pub async fn handle(ports: &Ports, event: SqsEvent) -> SqsBatchResponse {
    batch::deal(ports, event, async |deliveries| dispatch::matches(ports, deliveries).await).await
}
