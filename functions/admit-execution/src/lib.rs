//! Admits what rules and people ask for, from the ordered queue `admit`: a slot, a place in line, or a
//! refusal.

use attune_function::batch;
use attune_journey::dispatch;
use attune_ports::Ports;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

/// Admits a batch of enforcements and requests.
pub async fn handle(ports: &Ports, event: SqsEvent) -> SqsBatchResponse {
    batch::deal(ports, event, async |deliveries| dispatch::admissions(ports, deliveries).await)
        .await
}
