//! The memory of the server's process, before and after work.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::Size;
use super::webhook_noop::fire;
use crate::Measurement;
use crate::fixture::{Fixture, NOOP};
use crate::server::Server;
use crate::session::Session;

/// How long a server is left alone before it counts as idle.
const REST: Duration = Duration::from_secs(1);

pub(super) async fn run(
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
    server: &Server,
) -> Result<Vec<Measurement>> {
    tokio::time::sleep(REST).await;
    let idle = server.resident_mib()?;

    let (trigger, webhook) = fixture.webhook(session, "hook").await?;
    session.call(fixture.rule("rule", &trigger, NOOP, Value::Null)).await?;
    let count = size.pick(2_000, 10_000);
    fire(session, &webhook, count).await?;
    tokio::time::sleep(REST).await;
    let worked = server.resident_mib()?;

    Ok(vec![
        Measurement::new("memory.idle", "resident memory, idle after the start", idle, "MiB"),
        Measurement::new("memory.worked", format!("… after {count} executions"), worked, "MiB"),
    ])
}
