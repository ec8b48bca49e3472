//! What an action prints: read piece by piece while it runs, and whole afterwards.

use super::actions::pack;
use attune_tests::server::{Client, Deployment, Site, shell_action, until};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use tokio::task::JoinHandle;

/// Lines of the long output: more than is kept with an execution, and more than a result holds inline.
const LINES: usize = 12_000;
/// Bytes of a part.
const PART: u64 = 20_000;

/// A part of a log.
async fn part(client: &Client, id: i64, stream: &str, offset: u64) -> Value {
    let path = format!("/api/v1/executions/{id}/logs/{stream}?offset={offset}&limit={PART}");
    let request = client.request(reqwest::Method::GET, &path).header("accept", "application/json");
    client.send(request).await.expect("the server answers").data()
}

/// Everything from the start, part by part.
async fn whole(client: &Client, id: i64, stream: &str) -> String {
    let (mut text, mut offset) = (String::new(), 0);
    loop {
        let part = part(client, id, stream, offset).await;
        text.push_str(part["content"].as_str().expect("a part is text"));
        offset = part["next_offset"].as_u64().expect("an offset");
        assert_eq!(offset, text.len() as u64);
        if part["complete"] == true {
            return text;
        }
    }
}

/// Runs `attune execution <arguments> <id>` meanwhile.
fn by_the_command_line<D: Deployment, const N: usize>(
    deployment: &D,
    client: &Client,
    arguments: [&'static str; N],
    id: i64,
) -> JoinHandle<String> {
    let token = client.token().expect("it is logged in").to_owned();
    let (url, id) = (deployment.url().to_owned(), id.to_string());
    tokio::spawn(async move {
        let arguments = [&["execution"], &arguments[..], &[id.as_str()]].concat();
        Site::new().commanded(&url, &token, &arguments).await
    })
}

async fn offsets_grow_while_an_action_prints_and_all_of_it_is_kept<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    pack(&client, "talk").await;
    let gate = |name: &str| deployment.folder().join(name);
    let code = format!(
        "echo first; echo aside >&2\n\
         while [ ! -e '{}' ]; do sleep 0.02; done\necho second\n\
         while [ ! -e '{}' ]; do sleep 0.02; done\nseq 1 {LINES}\n",
        gate("one").display(),
        gate("two").display(),
    );
    shell_action(&client, "talk.much", &code, json!({})).await;
    let id = client.execute("talk.much", json!({})).await;
    client.reaches(id, "running").await;
    let followed =
        by_the_command_line(&deployment, &client, ["logs", "--follow", "--stream=stdout"], id);
    let watched = by_the_command_line(&deployment, &client, ["watch", "--output", "json"], id);
    let mut offset = 0;
    for (text, opens) in [("first\n", "one"), ("second\n", "two")] {
        let next = until(text, async || {
            let part = part(&client, id, "stdout", offset).await;
            assert_eq!(part["offset"], offset, "{part}");
            assert_eq!(part["complete"], false, "{part}");
            (part["content"] == text).then(|| part["next_offset"].as_u64().expect("an offset"))
        })
        .await;
        assert_eq!(next, offset + text.len() as u64);
        offset = next;
        fs::write(gate(opens), "").expect("a file can be written");
    }
    let execution = client.reaches(id, "completed").await;
    let mut expected = "first\nsecond\n".to_owned();
    for n in 1..=LINES {
        writeln!(expected, "{n}").expect("there is room in memory");
    }
    assert!(whole(&client, id, "stdout").await == expected, "all of it is kept, in order");
    assert_eq!(whole(&client, id, "stderr").await, "aside\n");
    let plain = client.get(&format!("/api/v1/executions/{id}/logs/stdout")).await;
    assert!(plain.text == expected, "in one piece, too");
    assert!(execution["result"]["stdout"] == expected.as_str(), "a result may be long");
    assert!(followed.await.expect("it ends") == expected, "who followed has all of it");
    let watched = watched.await.expect("it ends");
    assert!(watched.contains("completed"), "{watched}");
    deployment.stop().await;
}

attune_tests::over_http_on_both! { offsets_grow_while_an_action_prints_and_all_of_it_is_kept }
