//! A load on one lane.

use crate::server::actions::pack;
use crate::server::kills::policy;
use attune_tests::cloud::Deployed;
use attune_tests::server::{Client, shell_action, until_within, webhook};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const WEBHOOKS: usize = 500;
const CLIENTS: usize = 10;
const LIMIT: usize = 3;
/// How long it may take: five hundred processes through an emulator.
const PATIENCE: Duration = Duration::from_secs(400);

/// Five hundred webhooks, three slots: every event runs once, never more than three at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_webhooks_go_through_three_slots() {
    let stack = Deployed::start().await;
    let client = stack.client().await;
    pack(&client, "load").await;
    let marks = stack.folder().join("marks");
    let code = format!("echo \"+$n\" >> '{0}'\nsleep 0.01\necho \"-$n\" >> '{0}'", marks.display());
    shell_action(&client, "load.mark", &code, json!({"n": {"type": "integer"}})).await;
    policy(&client, "load.mark", json!({"threshold": LIMIT})).await;
    let hook = webhook(&client, "load.called").await;
    let rule = json!({
        "ref": "load.on_call", "pack_ref": "load", "label": "On call", "trigger_ref": "load.called",
        "action_ref": "load.mark", "action_params": {"n": "{{ event.payload.n }}"},
    });
    let said = client.post("/api/v1/rules", rule).await;
    assert_eq!(said.status, 201, "{}", said.text);

    let mut clients = tokio::task::JoinSet::new();
    for own in 0..CLIENTS {
        let (stranger, hook) = (Client::stranger(stack.url()), hook.clone());
        clients.spawn(async move {
            for n in (own..WEBHOOKS).step_by(CLIENTS) {
                let said = stranger.post(&hook, json!({"payload": {"n": n}})).await;
                assert_eq!(said.status, 200, "{}", said.text);
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.expect("every webhook is accepted");
    }
    until_within(PATIENCE, "all have left their slot", async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let stats = client.get("/api/v1/actions/load.mark/queue-stats").await;
        let stats = if stats.is_good() { stats.data() } else { return None };
        let active = stats["active_count"].as_u64().expect("a number");
        assert!(active <= LIMIT as u64, "{stats}");
        (stats["total_completed"] == WEBHOOKS).then_some(())
    })
    .await;
    let text = fs::read_to_string(&marks).expect("the action left its marks");
    let (mut running, mut begun) = (0_usize, vec![0; WEBHOOKS]);
    for line in text.lines() {
        let n: usize = line[1..].parse().expect("a mark is a number");
        if line.starts_with('+') {
            running += 1;
            begun[n] += 1;
        } else {
            running -= 1;
        }
        assert!(running <= LIMIT, "{running} at once");
    }
    assert!(begun.iter().all(|times| *times == 1), "each event ran once: {begun:?}");
    let rows = client.rows("/api/v1/executions").await;
    let completed = rows.iter().filter(|row| row["status"] == "completed").count();
    assert_eq!((rows.len(), completed), (WEBHOOKS, WEBHOOKS));
    check_order(rows);
}

/// Executions are made in the order in which they are admitted, since their action is one group of a queue; ids
/// tell it. Slots are granted in that order, and who has one may be overtaken on the way to its start only by
/// those who have one, too.
fn check_order(mut rows: Vec<Value>) {
    rows.sort_by_key(|row| row["id"].as_i64().expect("an id"));
    let mut started: Vec<(DateTime<Utc>, usize)> = Vec::with_capacity(rows.len());
    for (admitted, row) in rows.iter().enumerate() {
        let at = row["started_at"].as_str().unwrap_or_else(|| panic!("it never began: {row}"));
        started.push((at.parse().expect("a moment"), admitted));
    }
    started.sort_unstable();
    for (turn, (_, admitted)) in started.into_iter().enumerate() {
        let off = turn.abs_diff(admitted);
        assert!(off < 2 * LIMIT, "number {admitted} began as number {turn}: {}", rows[admitted]);
    }
}
