//! Webhooks: anybody who knows a trigger's key may post an event.

use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::{Path, body_of};
use crate::routes::table::{Table, routes};
use crate::wire::webhook::{WebhookReceiverRequest, WebhookReceiverResponse};
use crate::{Context, Error};
use attune_catalogue::layout;
use attune_domain::catalogue::Trigger;
use attune_domain::reference::ComponentRef;
use attune_journey::ingest;
use attune_ports::Ports;
use attune_ports::records::Kind;
use axum::extract::{Request, State};
use axum::http::header;
use serde_json::{Map, Value};
use std::sync::Arc;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(receive_webhook))
}

/// Receive a webhook: the body's `payload` becomes an event of the trigger whose key the path holds.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook_key}", tag = "webhooks",
    params(("webhook_key" = String, Path)),
    request_body = WebhookReceiverRequest,
    responses(
        (status = 200, body = ApiResponse<WebhookReceiverResponse>),
        (status = 400, body = ErrorResponse, description = "No JSON, or no `payload`"),
        (status = 404, body = ErrorResponse, description = "No trigger has this key")
    )
)]
async fn receive_webhook(
    State(context): State<Context>,
    Path(key): Path<String>,
    request: Request,
) -> Result<ApiResponse<WebhookReceiverResponse>, Error> {
    let source_ip = ["x-forwarded-for", "x-real-ip"]
        .into_iter()
        .find_map(|name| request.headers().get(name)?.to_str().ok().map(str::to_owned));
    let user_agent = text_of(request.headers().get(header::USER_AGENT));
    refuse_other_types(&request)?;
    let body = body_of(request, &context).await?;
    // Whatever is wrong with the body is 400 here.
    let received: WebhookReceiverRequest = serde_json::from_slice(&body)
        .map_err(|e| Error::BadRequest(format!("Invalid body: {e}")))?;

    let trigger = trigger_of(&context.ports, &key).await?;
    let received_at = context.ports.clock.now();
    let mut config = Map::new();
    config.insert("source".into(), "webhook".into());
    config.insert("webhook_key".into(), key.into());
    config.insert("received_at".into(), received_at.to_rfc3339().into());
    let optional = [
        ("headers", received.headers),
        ("source_ip", source_ip.or(received.source_ip).map(Value::from)),
        ("user_agent", user_agent.or(received.user_agent).map(Value::from)),
    ];
    for (name, value) in optional {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            config.insert(name.into(), value);
        }
    }
    let new = ingest::NewEvent {
        trigger_ref: trigger.reference.clone(),
        trigger: Some(trigger.id),
        payload: Some(received.payload).filter(|payload| !payload.is_null()),
        config: Some(Value::Object(config)),
        source: None,
        source_ref: Some("webhook".into()),
        rule: None,
        cause: None,
    };
    let event = ingest::event(&context.ports, new).await?;
    Ok(ApiResponse::of(WebhookReceiverResponse {
        event_id: event.id.get(),
        trigger_ref: event.trigger_ref.to_string(),
        received_at,
        message: "Webhook received successfully",
    }))
}

fn text_of(value: Option<&axum::http::HeaderValue>) -> Option<String> {
    value?.to_str().ok().map(str::to_owned)
}

fn refuse_other_types(request: &Request) -> Result<(), Error> {
    let json = text_of(request.headers().get(header::CONTENT_TYPE)).is_some_and(|of| {
        let of = of.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        of == "application/json" || (of.starts_with("application/") && of.ends_with("+json"))
    });
    if json {
        return Ok(());
    }
    let text = "Expected request with `Content-Type: application/json`";
    Err(Error::UnsupportedMediaType(text.into()))
}

/// The trigger that this key opens. It is read anew each time, so that a key dies at once; only its
/// parsed form is remembered.
async fn trigger_of(ports: &Ports, key: &str) -> Result<Arc<Trigger>, Error> {
    let unknown = || Error::NotFound("Webhook key not found".into());
    let place_of = |reference: &ComponentRef| layout::definition(Kind::Trigger, reference);
    let mark_place = layout::webhook(key);
    // What it led to the last time is read along.
    let ahead = match ports.memo.last::<ComponentRef>(key) {
        Some(reference) => ports.records.ahead(&[mark_place.clone(), place_of(&reference)]).await,
        None => None,
    };
    let records = ahead.as_ref().unwrap_or(&ports.records);
    let mark = records.get(&mark_place).await?.ok_or_else(unknown)?;
    let reference: ComponentRef = mark.decode()?;
    ports.memo.put(key, mark.body.clone(), Arc::new(reference.clone()));
    let place = place_of(&reference);
    let record = records.get(&place).await?.ok_or_else(unknown)?;
    let trigger = match ports.memo.get::<Trigger>(reference.as_str(), &record.body) {
        Some(trigger) => trigger,
        None => {
            let trigger = Arc::new(record.decode::<Trigger>()?);
            ports.memo.put(reference.as_str(), record.body.clone(), Arc::clone(&trigger));
            trigger
        }
    };
    if trigger.webhook.as_ref().is_some_and(|webhook| webhook.key == key) {
        Ok(trigger)
    } else {
        Err(unknown())
    }
}
