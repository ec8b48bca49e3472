//! The lives of one execution: its server is killed while it runs.

use super::actions::pack;
use super::kills::policy;
use attune_tests::server::{Client, Site, processes, shell_action, until};
use serde_json::json;
use std::fs;

/// An action that says that it began, and waits to be let go.
async fn patient(client: &Client, site: &Site, attempts: u32) -> i64 {
    pack(client, "life").await;
    let folder = site.path().display();
    let code = format!(
        "echo began >> '{folder}/began'\nwhile [ ! -e '{folder}/gate' ]; do sleep 0.02; done"
    );
    shell_action(client, "life.long", &code, json!({})).await;
    policy(client, "life.long", json!({"threshold": 1, "max_attempts": attempts})).await;
    client.execute("life.long", json!({})).await
}

fn runs(site: &Site) -> usize {
    fs::read_to_string(site.path().join("began")).unwrap_or_default().lines().count()
}

async fn has_begun(site: &Site, times: usize) {
    until(&format!("run {times}"), async || (runs(site) == times).then_some(())).await;
}

#[tokio::test]
async fn what_a_killed_server_ran_is_ended_and_abandoned() {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    let id = patient(&client, &site, 1).await;
    has_begun(&site, 1).await;
    let waiting = client.execute("life.long", json!({})).await;
    server.kill().await;
    assert!(
        !processes::of_execution(&site.data(), id).is_empty(),
        "its process outlives the server"
    );

    let server = site.start().await;
    let client = server.client().await;
    let abandoned = client.reaches(id, "abandoned").await;
    assert_eq!(abandoned["result"]["succeeded"], false, "{abandoned}");
    assert_eq!(
        processes::of_execution(&site.data(), id),
        [],
        "it was ended before it was given up"
    );
    // Its slot goes to the one in line, which was waiting all the time.
    has_begun(&site, 2).await;
    fs::write(site.path().join("gate"), "").expect("a file can be written");
    client.reaches(waiting, "completed").await;
    assert_eq!(runs(&site), 2, "the abandoned one did not run again");
    server.stop().await;
}

#[tokio::test]
async fn a_policy_may_let_it_run_again() {
    let site = Site::new();
    let server = site.start().await;
    let client = server.client().await;
    let id = patient(&client, &site, 2).await;
    has_begun(&site, 1).await;
    let first = processes::of_execution(&site.data(), id);
    assert!(!first.is_empty(), "it has a process");
    server.kill().await;
    let server = site.start().await;
    has_begun(&site, 2).await;
    let second = processes::of_execution(&site.data(), id);
    let both = |old: &processes::Found| second.iter().any(|new| new.pid == old.pid);
    assert!(!first.iter().any(both), "the first run was ended before the second began");
    server.kill().await;

    // Two attempts are two: the third life gives it up.
    let server = site.start().await;
    let client = server.client().await;
    client.reaches(id, "abandoned").await;
    assert_eq!(runs(&site), 2);
    let other = client.execute("life.long", json!({})).await;
    has_begun(&site, 3).await;
    server.kill().await;
    let server = site.start().await;
    let client = server.client().await;
    has_begun(&site, 4).await;
    fs::write(site.path().join("gate"), "").expect("a file can be written");
    let completed = client.reaches(other, "completed").await;
    assert_eq!(completed["result"]["exit_code"], 0, "{completed}");
    server.stop().await;
}
