//! Looks at lanes that time or a change of policy may have opened, from the queue `wake`.

use attune_function::batch;
use attune_journey::dispatch;
use attune_ports::Ports;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};

/// Looks at a batch of lanes.
pub async fn handle(ports: &Ports, event: SqsEvent) -> SqsBatchResponse {
    batch::deal(ports, event, async |deliveries| dispatch::wakes(ports, deliveries).await).await
}
