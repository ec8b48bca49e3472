//! Actions that are processes: one shell started, heard and recorded per execution.

use anyhow::Result;
use serde_json::json;

use super::Size;
use crate::Measurement;
use crate::fixture::{self, Fixture};
use crate::load::{self, CLIENTS, Until};
use crate::session::Session;

pub(super) async fn run(
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
) -> Result<Vec<Measurement>> {
    let action = fixture.shell(session, "hi", "echo hi").await?;

    let count = size.pick(500, 4_000);
    let before = session.totals().await?;
    let load = load::closed_loop(session, CLIENTS, Until::Count(count), move |_| {
        fixture::execute(&action, &json!({}))
    })
    .await?;
    let last = session.wait_completed(before, count as u64).await?;
    let rate = count as f64 / last.duration_since(load.started).as_secs_f64();

    let work = format!("{count} shell actions `echo hi`, {CLIENTS} clients: completed");
    Ok(vec![Measurement::new("shell.completed", work, rate, "/s")])
}
