//! Messages that no step can deal with: seen, sent again and forgotten.

use super::refusals::check;
use attune_ports::Queue;
use attune_tests::server::{Client, Deployment, Site, until};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/dead-letters";

/// The dead letters of a queue, once there are so many.
async fn dead(client: &Client, queue: &str, count: usize) -> Vec<Value> {
    until(&format!("{count} dead letters in {queue}"), async || {
        let mut rows = client.rows(PATH).await;
        rows.retain(|row| row["queue"] == queue);
        (rows.len() == count).then_some(rows)
    })
    .await
}

fn id_of(letter: &Value) -> &str {
    letter["id"].as_str().expect("an id is text")
}

async fn dead_letters_are_listed_sent_again_and_forgotten<D: Deployment>() {
    let mut deployment = D::fresh().await;
    // The same message twice would be one of a queue that is ordered.
    for (queue, text) in [
        (Queue::Match, "{\"moon\": 1}"),
        (Queue::Match, "{\"moon\": 2}"),
        (Queue::Admit, "no message at all"),
    ] {
        deployment.plant(queue, text).await;
    }
    let client = deployment.client().await;
    let matching = dead(&client, "match", 2).await;
    let mut moons: Vec<_> = matching.iter().map(|letter| letter["body"]["moon"].as_i64()).collect();
    moons.sort_unstable();
    assert_eq!(moons, [Some(1), Some(2)], "{matching:?}");
    let admitting = dead(&client, "admit", 1).await;
    assert_eq!(admitting[0]["body"], "no message at all");
    let only = client.get(&format!("{PATH}?queue=admit")).await.data();
    assert_eq!(only.as_array().map(Vec::len), Some(1), "{only}");
    let first = format!("{PATH}/match/{}", id_of(&matching[0]));
    let shown = client.get(&first).await.data();
    assert_eq!(shown, matching[0]);
    assert!(shown["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{shown}");

    // It cannot be read the next time either, and is another dead letter then.
    let again = json!({"id": id_of(&matching[0])});
    let redriven = client.post(&format!("{PATH}/match/redrive"), again.clone()).await;
    assert_eq!(redriven.data(), json!({"redriven": 1}));
    let back = dead(&client, "match", 2).await;
    let fresh = back.iter().find(|letter| matching.iter().all(|old| old["id"] != letter["id"]));
    let fresh = fresh.unwrap_or_else(|| panic!("none is another: {back:?}"));
    assert_eq!(fresh["body"], matching[0]["body"]);
    let redriven = client.post(&format!("{PATH}/match/redrive"), again).await;
    check("one that is gone", &redriven, 404, "NOT_FOUND", id_of(&matching[0]));

    let delete = async |path: &str| {
        let request = client.request(Method::DELETE, path);
        client.send(request).await.expect("the server answers")
    };
    let second = format!("{PATH}/match/{}", id_of(&matching[1]));
    assert_eq!(delete(&second).await.status, 200);
    check("one that is gone", &delete(&second).await, 404, "NOT_FOUND", id_of(&matching[1]));
    check("one that is gone", &client.get(&second).await, 404, "NOT_FOUND", "");
    check("no queue", &delete(&format!("{PATH}/moon")).await, 404, "NOT_FOUND", "moon");
    by_the_command_line(deployment.url(), &client, id_of(fresh)).await;
    assert_eq!(client.rows(PATH).await, Vec::<Value>::new());
    deployment.stop().await;
}

/// Shows the one dead letter of `match`, forgets it, and deals with all of `admit`.
async fn by_the_command_line(url: &str, client: &Client, id: &str) {
    let site = Site::new();
    let token = client.token().expect("it is logged in");
    let run = async |arguments: &[&str]| site.commanded(url, token, arguments).await;
    let listed = run(&["dead-letter", "list", "--queue", "match"]).await;
    assert!(listed.contains(id), "{listed}");
    let shown = run(&["dead-letter", "show", "match", id, "--output", "json"]).await;
    let shown: Value = serde_json::from_str(&shown).expect("JSON was asked for");
    assert_eq!(shown["id"], id, "{shown}");
    run(&["dead-letter", "purge", "match", id]).await;
    let before = dead(client, "admit", 1).await;
    let redriven = run(&["dead-letter", "redrive", "admit", "--output", "json"]).await;
    let redriven: Value = serde_json::from_str(&redriven).expect("JSON was asked for");
    assert_eq!(redriven["redriven"], 1, "{redriven}");
    let after = dead(client, "admit", 1).await;
    assert_ne!(after[0]["id"], before[0]["id"]);
    run(&["dead-letter", "purge", "admit", "--yes"]).await;
}

attune_tests::over_http_on_both! { dead_letters_are_listed_sent_again_and_forgotten }
