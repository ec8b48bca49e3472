//! Following executions by server-sent events.

use attune_tests::server::{Client, Deployment, PATIENCE};
use reqwest::{Method, Response, header};
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/api/v1/executions/stream";
/// Between two executions of those that there is always another one of.
const BEAT: Duration = Duration::from_millis(200);

/// An event: its id, and the change that it tells.
type Told = (String, Value);

/// Opens the stream, where the server says that it is.
async fn open(client: &Client, url: &str, after: Option<&str>) -> Response {
    let ask = async |client: &Client, path: &str| {
        let mut request = client.request(Method::GET, path);
        if let Some(id) = after {
            request = request.header("last-event-id", id);
        }
        request.send().await.expect("the server answers")
    };
    let answer = ask(client, PATH).await;
    if answer.status() != 307 {
        return answer;
    }
    let place = answer.headers()[header::LOCATION].to_str().expect("an address is text");
    assert!(place.ends_with(PATH) && !place.starts_with(url), "{place}");
    // Somebody else's address would not get the token; this one is the deployment's.
    let token = client.token().expect("it is logged in");
    ask(&Client::stranger(place.trim_end_matches(PATH)).with_token(token), PATH).await
}

/// Reads a stream until `enough` has been told, or it is over.
async fn read(mut stream: Response, enough: impl Fn(&[Told]) -> bool) -> Vec<Told> {
    assert_eq!(stream.status(), 200);
    assert_eq!(stream.headers()[header::CONTENT_TYPE], "text/event-stream");
    let (mut text, mut told) = (String::new(), Vec::new());
    while !enough(&told) {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("it goes on");
        let Some(chunk) = chunk.expect("the connection holds") else { break };
        text.push_str(std::str::from_utf8(&chunk).expect("events are text"));
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                told.push((id.to_owned(), serde_json::from_str(data).expect("a change is JSON")));
            }
        }
    }
    told
}

/// The changes of one execution that was seen from its start to its end.
fn life(told: &[Told]) -> Option<Vec<Told>> {
    let of = |id: &Value| told.iter().filter(|(_, change)| change["id"] == *id).cloned().collect();
    let born = told.iter().filter(|(_, change)| change["old_status"].is_null());
    let mut lives = born.map(|(_, change)| -> Vec<Told> { of(&change["id"]) });
    lives.find(|life| life.last().is_some_and(|(_, change)| change["status"] == "completed"))
}

async fn a_stream_tells_every_change_and_goes_on_where_it_was<D: Deployment>() {
    let deployment = D::fresh().await;
    let client = deployment.client().await;
    // Whoever follows hears what happens from then on: something always does.
    let busy = tokio::spawn({
        let client = client.clone();
        async move {
            loop {
                client.execute("core.noop", json!({})).await;
                tokio::time::sleep(BEAT).await;
            }
        }
    });
    let stream = open(&client, deployment.url(), None).await;
    let told = read(stream, |told| life(told).is_some()).await;
    busy.abort();
    let life = life(&told).unwrap_or_else(|| panic!("nothing from start to end: {told:?}"));
    for (id, change) in &life {
        assert_eq!(change["action_ref"], "core.noop", "{id}: {change}");
        assert_eq!(change["entity_type"], "execution", "{id}: {change}");
    }
    for pair in life.windows(2) {
        assert_eq!(pair[1].1["old_status"], pair[0].1["status"], "nothing is left out: {life:?}");
    }
    let (position, born) = &life[0];
    let stream = open(&client, deployment.url(), Some(position)).await;
    let ended = |told: &[Told]| {
        told.iter().any(|(_, change)| change["id"] == born["id"] && change["status"] == "completed")
    };
    let again = read(stream, ended).await;
    let of_it: Vec<Told> =
        again.into_iter().filter(|(_, change)| change["id"] == born["id"]).collect();
    assert_eq!(of_it, life[1..], "what came after that position");

    let stranger = Client::stranger(deployment.url());
    assert_eq!(open(&stranger.with_token("nonsense"), deployment.url(), None).await.status(), 401);
    deployment.stop().await;
}

attune_tests::over_http_on_both! { a_stream_tells_every_change_and_goes_on_where_it_was }
