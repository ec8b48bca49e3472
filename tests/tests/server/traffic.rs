//! Clients that keep sending whatever happens to the server, and remember only what it accepted.

use attune_tests::server::Client;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a client sends over and over, one after the other.
pub struct Request {
    pub path: String,
    pub body: Value,
    /// Which field of the answer's `data` names what was made.
    pub id: &'static str,
    /// The beat of the client: it sends at most so often, so that what waits stays within bounds.
    pub every: Duration,
    /// Whether it insists: it names its requests, and repeats one until it has an answer.
    pub insists: bool,
}

/// Clients at work.
pub struct Traffic {
    stop: watch::Sender<bool>,
    /// How much slower than its beat every client is.
    slowness: u32,
    /// Whether somebody else answers for a server that died.
    gateway: bool,
    clients: Vec<(&'static str, JoinHandle<Vec<i64>>)>,
}

impl Traffic {
    pub fn new() -> Self {
        let stop = watch::Sender::new(false);
        Self { stop, slowness: 1, gateway: false, clients: Vec::new() }
    }

    /// Traffic that goes through a gateway, so much slower: an answer with 500 or more is the gateway's, where
    /// no answer came from behind.
    pub fn through_gateway(slowness: u32) -> Self {
        Self { slowness, gateway: true, ..Self::new() }
    }

    /// Sets a client to work.
    pub fn add(&mut self, name: &'static str, client: &Client, request: Request) {
        let request = Request { every: request.every * self.slowness, ..request };
        let work = send(client.clone(), request, self.gateway, self.stop.subscribe());
        self.clients.push((name, tokio::spawn(work)));
    }

    /// Lets all clients come to an end; answers for each the ids that it was told, in its order.
    pub async fn stop(self) -> Vec<(&'static str, Vec<i64>)> {
        self.stop.send_replace(true);
        let mut accepted = Vec::new();
        for (name, client) in self.clients {
            accepted.push((name, client.await.expect("a client does not panic")));
        }
        accepted
    }
}

async fn send(
    client: Client,
    request: Request,
    gateway: bool,
    stop: watch::Receiver<bool>,
) -> Vec<i64> {
    let mut accepted = Vec::new();
    let mut beat = tokio::time::interval(request.every);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut key = 0;
    let mut unanswered = false;
    loop {
        beat.tick().await;
        // Whoever insists does not leave without an answer.
        if *stop.borrow() && !(request.insists && unanswered) {
            return accepted;
        }
        let mut sent = client.request(Method::POST, &request.path).json(&request.body);
        if request.insists {
            sent = sent.header("idempotency-key", format!("request-{key}"));
        }
        // No answer: it may or may not have happened, and nobody was promised anything.
        let answered = client.send(sent).await.ok();
        let Some(answer) = answered.filter(|answer| !gateway || answer.status < 500) else {
            unanswered = true;
            continue;
        };
        let id = answer.data()[request.id].as_i64().expect("an id is a number");
        accepted.push(id);
        unanswered = false;
        key += 1;
    }
}
