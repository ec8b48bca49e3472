//! The whole journey at full load: webhook, event, rule, enforcement, execution, completion.

use anyhow::Result;
use serde_json::{Value, json};

use super::Size;
use crate::Measurement;
use crate::fixture::{self, Fixture, NOOP};
use crate::load::{self, CLIENTS, Until};
use crate::sample::percentile_ms;
use crate::session::Session;

pub(super) async fn run(
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
) -> Result<Vec<Measurement>> {
    let (trigger, webhook) = fixture.webhook(session, "hook").await?;
    session.call(fixture.rule("rule", &trigger, NOOP, Value::Null)).await?;

    let count = size.pick(2_000, 20_000);
    let mut fired = fire(session, &webhook, count).await?;
    let p95 = percentile_ms(&mut fired.load.latencies, 95);
    Ok(vec![
        Measurement::new(
            "webhook_noop.completed",
            format!("{count} webhooks → rule → core.noop, {CLIENTS} clients: completed"),
            fired.completed_per_second,
            "/s",
        ),
        Measurement::new(
            "webhook_noop.accepted",
            "… of which the durable acceptance of the webhook alone",
            fired.load.rate(),
            "/s",
        ),
        Measurement::new("webhook_noop.p95", "… answer of the webhook, p95", p95, "ms"),
    ])
}

/// What came of firing a webhook.
pub(super) struct Fired {
    /// The requests.
    pub load: load::Done,
    /// From the first request to the last completion.
    pub completed_per_second: f64,
}

/// Fires `webhook` `count` times with all clients and waits until as many executions completed.
/// Each event has a payload of its own, since equal ones might be cheaper.
pub(super) async fn fire(session: &mut Session, webhook: &str, count: usize) -> Result<Fired> {
    let before = session.totals().await?;
    let webhook = webhook.to_owned();
    let load = load::closed_loop(session, CLIENTS, Until::Count(count), move |number| {
        fixture::event(&webhook, &json!({ "n": number, "source": "load" }))
    })
    .await?;
    let last = session.wait_completed(before, count as u64).await?;
    let seconds = last.duration_since(load.started).as_secs_f64();
    Ok(Fired { load, completed_per_second: count as f64 / seconds })
}
