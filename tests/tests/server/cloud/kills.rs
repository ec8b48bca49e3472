//! `kill -9` of functions: nothing accepted is lost, nothing runs twice, nothing is left behind.

use crate::server::kills::{ACTIONS, check, check_events, define, send_everything};
use crate::server::traffic::Traffic;
use crate::server::verdict::History;
use attune_tests::cloud::Deployed;
use attune_tests::server::{Client, is_over};
use rand::RngExt;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The functions that an event goes through, the ways in, and what counts.
const FUNCTIONS: [&str; 10] = [
    "api",
    "ingest-event",
    "match-rules",
    "admit-execution",
    "run-action",
    "complete-execution",
    "wake-lane",
    "advance-workflow",
    "notify",
    "sweep",
];
/// How often something is killed.
const KILLS: usize = 40;
/// Pause between two kills, in milliseconds.
const PAUSE: std::ops::RangeInclusive<u64> = 100..=600;
/// How much slower clients are than those of a server on this machine.
const SLOWNESS: u32 = 8;
/// How long all that was accepted may take at the end: steps are announced again after a minute at the earliest,
/// and who died has its claim for half of one.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two sweeps and looks.
const LOOK: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_killed_at_random_moments() {
    let stack = Deployed::start().await;
    let client = stack.client().await;
    let hook = define(&client, stack.folder()).await;
    let traffic = send_everything(&client, &hook, Traffic::through_gateway(SLOWNESS));
    let mut killed = [0; FUNCTIONS.len()];
    let mut runners = 0;
    while killed.iter().sum::<usize>() < KILLS || killed[..6].contains(&0) {
        let pause = Duration::from_millis(rand::rng().random_range(PAUSE));
        tokio::time::sleep(pause).await;
        let which = rand::rng().random_range(0..FUNCTIONS.len());
        let count = stack.kill(FUNCTIONS[which]);
        killed[which] += count;
        runners += if FUNCTIONS[which] == "run-action" { count } else { 0 };
    }
    let accepted = traffic.stop().await;
    // Were it disabled, its enforcements that are not decided yet would rightly lead to nothing.
    let rarely = json!({"trigger_params": {"interval": 24, "unit": "hours"}});
    let slowed = client.put("/api/v1/rules/crash.tick", rarely).await;
    assert!(slowed.is_good(), "{}", slowed.text);
    all_is_done(&client, &stack).await;

    let events = client.rows("/api/v1/events").await;
    let executions = client.rows("/api/v1/executions").await;
    let enforcements = client.rows("/api/v1/enforcements").await;
    let unfinished: Vec<&Value> = executions.iter().filter(|row| !is_over(row)).collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
    let history = History::of(&executions, &enforcements);
    check(stack.folder(), &history, &accepted, runners);
    check_events(&history, &events, &accepted, runners);
    for (action, limit, ..) in ACTIONS {
        let stats = client.get(&format!("/api/v1/actions/{action}/queue-stats")).await.data();
        let now = (&stats["queue_length"], &stats["active_count"], &stats["max_concurrent"]);
        assert_eq!(now, (&json!(0), &json!(0), &json!(limit)), "{action}");
    }
}

/// Waits until the stack has nothing left to do, and shows what is left where that takes too long.
async fn all_is_done(client: &Client, stack: &Deployed) {
    let since = Instant::now();
    loop {
        stack.sweep().await;
        let mut left = stack.left().await;
        let stats = client.get("/api/v1/executions/stats").await.data();
        if (&stats["pending"], &stats["running"]) != (&json!(0), &json!(0)) {
            left.push(format!("executions: {stats}"));
        }
        if left.is_empty() {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{} things are left: {left:#?}", left.len());
        tokio::time::sleep(LOOK).await;
    }
}
