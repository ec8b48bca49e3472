//! Stores events of timers and of the cloud: from EventBridge Scheduler, EventBridge, and the queue of ticks.
//!
//! | who calls | with |
//! |---|---|
//! | a timer's own schedule | `{"timer": {"schedule": …, "scheduled_at": …}}` |
//! | the schedule of the minute's plan | `{"plan": {}}` |
//! | a one-time schedule of a quiet timer | `{"link": {"name": …, "generation": …, "at": …}}` |
//! | the queue of ticks | `{"Records": […]}`, each body `{"tick": …}` |
//! | an EventBridge rule of a trigger | `{"cloud_event": {"trigger_ref": …, "event": {…}}}` |
//!
//! Every event has an identity, so that what is delivered twice is stored once. What cannot be read is told in the
//! log and refused: the service that called then tries again, and sets it aside in the end.

use attune_aws::EventBridgeSchedules;
use attune_aws::cloud_events::Delivered;
use attune_aws::schedules::Input;
use attune_journey::ingest;
use attune_ports::{Ports, Tick, Unavailable};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use serde_json::{Map, Value};

/// Why an event was not stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody sends this.
    #[error("the input cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The journey could not store it.
    #[error("the event could not be stored")]
    Ingest(#[from] ingest::Error),
    /// Something did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Does what an invocation asks for. The answer matters to the queue of ticks alone: it names the messages that are to
/// come again.
///
/// # Errors
/// See [`Error`]; the invocation is to be repeated, which does no harm.
pub async fn handle(
    ports: &Ports,
    schedules: &EventBridgeSchedules,
    payload: Value,
) -> Result<Value, Error> {
    if payload.get("Records").is_some() {
        let event = serde_json::from_value(payload).map_err(Error::Unreadable)?;
        let response = batch(ports, schedules, event).await;
        return serde_json::to_value(response).map_err(Error::Unreadable);
    }
    one(ports, schedules, payload).await.inspect_err(tell)?;
    Ok(Value::Object(Map::new()))
}

async fn one(
    ports: &Ports,
    schedules: &EventBridgeSchedules,
    mut payload: Value,
) -> Result<(), Error> {
    if let Some(delivered) = payload.get_mut("cloud_event") {
        let Delivered { trigger_ref, event } =
            serde_json::from_value(delivered.take()).map_err(Error::Unreadable)?;
        if ingest::cloud_event(ports, &trigger_ref, event).await?.is_none() {
            tracing::info!(%trigger_ref, "no trigger wants this event of the cloud");
        }
        return Ok(());
    }
    let input: Input = serde_json::from_value(payload).map_err(Error::Unreadable)?;
    let own = matches!(input, Input::Timer { .. });
    let Some(tick) = schedules.take(input).await? else { return Ok(()) };
    if ingest::tick(ports, &tick).await?.is_none() {
        let Tick { name, generation, .. } = &tick;
        tracing::info!(timer = name, generation, "nobody wants this tick");
        if own {
            schedules.unwanted(&tick).await?;
        }
    }
    Ok(())
}

/// Stores the events of a batch of ticks, side by side.
async fn batch(
    ports: &Ports,
    schedules: &EventBridgeSchedules,
    event: SqsEvent,
) -> SqsBatchResponse {
    let each = event.records.into_iter().map(async |message: SqsMessage| {
        let id = message.message_id.unwrap_or_default();
        let read = serde_json::from_str(message.body.as_deref().unwrap_or_default());
        let done = match read {
            Ok(payload) => one(ports, schedules, payload).await,
            Err(error) => Err(Error::Unreadable(error)),
        };
        (id, done.inspect_err(tell).is_ok())
    });
    let mut response = SqsBatchResponse::default();
    for (id, done) in join_all(each).await {
        if !done {
            response.add_failure(id);
        }
    }
    response
}

fn tell(error: &Error) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "an event was not stored; it comes again");
}
