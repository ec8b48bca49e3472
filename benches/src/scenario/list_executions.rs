//! The page that every dashboard asks for.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::Size;
use super::webhook_noop::fire;
use crate::Measurement;
use crate::fixture::{Fixture, NOOP};
use crate::http::Request;
use crate::load::{self, CLIENTS, Until};
use crate::sample::percentile_ms;
use crate::session::Session;

pub(super) async fn run(
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
) -> Result<Vec<Measurement>> {
    const STOCK: usize = 2_000;
    let (trigger, webhook) = fixture.webhook(session, "hook").await?;
    session.call(fixture.rule("rule", &trigger, NOOP, Value::Null)).await?;
    fire(session, &webhook, STOCK).await?;

    let time = Duration::from_secs(size.pick(2, 5));
    let mut done = load::closed_loop(session, CLIENTS, Until::Elapsed(time), |_| {
        Request::get("/api/v1/executions?per_page=50")
    })
    .await?;
    let p95 = percentile_ms(&mut done.latencies, 95);
    Ok(vec![
        Measurement::new(
            "list_executions.requests",
            format!("GET /executions?per_page=50, {CLIENTS} clients"),
            done.rate(),
            "/s",
        ),
        Measurement::new("list_executions.p95", "… p95", p95, "ms"),
    ])
}
