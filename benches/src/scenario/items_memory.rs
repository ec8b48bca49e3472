//! The memory of the server's process while and after a workflow goes through a list, few items or many.
//!
//! Caches and the change feed hold what was executed lately, whoever executed it: they are filled by plain executions
//! first, so that the rows say what items cost and not what caches hold.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::Size;
use super::webhook_noop::fire;
use crate::Measurement;
use crate::fixture::{self, Fixture, NOOP};
use crate::server::Server;
use crate::session::Session;

/// How long a server is left alone before its memory is read.
const REST: Duration = Duration::from_secs(1);
/// How many items run at the same time.
const WINDOW: usize = 50;

pub(super) async fn run(
    session: &mut Session,
    fixture: &Fixture,
    size: Size,
    server: &Server,
) -> Result<Vec<Measurement>> {
    let most = size.pick(1_000, 10_000);
    let (trigger, webhook) = fixture.webhook(session, "hook").await?;
    session.call(fixture.rule("rule", &trigger, NOOP, Value::Null)).await?;
    let each = fixture.workflow(session, "each", &definition(json!({}))).await?;
    let output = json!({ "count": "{{ task.each.total_count }}" });
    let reading = fixture.workflow(session, "reading", &definition(output)).await?;

    let mut rows = Vec::new();
    for turn in 1..=2 {
        server.forget_peak()?;
        fire(session, &webhook, most).await?;
        let name = format!("plain_{turn}");
        let work = format!("resident memory after {} plain executions", turn * most);
        rows.extend(memory(server, &name, work).await?);
    }
    let lists = [10, 100, 1_000, 10_000].into_iter().filter(|many| *many < most);
    let lists = lists.map(|many| (&each, many, format!("{many}"), "after a list of")).chain([
        (&each, most, format!("{most}"), "after a list of"),
        (&each, most, format!("{most}_again"), "after another of"),
        (&each, most, format!("{most}_thrice"), "after a third of"),
        (&reading, most, format!("{most}_read"), "after one whose results are read, of"),
        (&reading, most, format!("{most}_read_again"), "after another such of"),
    ]);
    for (workflow, many, name, which) in lists {
        server.forget_peak()?;
        let before = session.totals().await?;
        session.call(fixture::execute(workflow, &json!({ "many": many }))).await?;
        session.wait_completed(before, many as u64 + 1).await?;
        rows.extend(memory(server, &name, format!("… {which} {many} items")).await?);
    }
    Ok(rows)
}

fn definition(output: Value) -> Value {
    json!({
        "version": "1.0",
        "tasks": [{
            "name": "each", "action": NOOP, "input": {}, "concurrency": WINDOW,
            "with_items": "{{ range(parameters.many) }}",
        }],
        "output_map": output,
    })
}

async fn memory(server: &Server, name: &str, work: String) -> Result<[Measurement; 2]> {
    tokio::time::sleep(REST).await;
    let (now, peak) = (server.resident_mib()?, server.peak_mib()?);
    let measured = |what: &str, work, value| {
        Measurement::new(format!("items_memory.{what}_{name}"), work, value, "MiB")
    };
    Ok([measured("after", work, now), measured("peak", "… at most meanwhile".to_owned(), peak)])
}
