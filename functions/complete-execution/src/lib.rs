//! Frees the slots of executions that ended and hands them on, from the ordered queue `complete`.

use attune_function::batch;
use attune_journey::dispatch;
use attune_ports::Ports;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

/// Deals with a batch of ended executions.
pub async fn handle(ports: &Ports, event: SqsEvent) -> SqsBatchResponse {
    batch::deal(ports, event, async |deliveries| dispatch::completions(ports, deliveries).await)
        .await
}
