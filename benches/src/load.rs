//! The closed loop: some clients, each with a connection of its own, each sending its next request
//! as soon as the last one was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use crate::http::Request;
use crate::session::Session;

/// How many clients send at the same time, in every scenario that saturates the server.
pub const CLIENTS: usize = 16;

/// When a closed loop stops.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After that many requests.
    Count(usize),
    /// After that much time; requests under way are finished.
    Elapsed(Duration),
}

/// What a closed loop did.
#[derive(Debug)]
pub struct Done {
    /// Just before the first request.
    pub started: Instant,
    /// Just after the last answer.
    pub finished: Instant,
    /// The time each request took, in no order.
    pub latencies: Vec<Duration>,
}

impl Done {
    /// Answered requests per second.
    pub fn rate(&self) -> f64 {
        let seconds = self.finished.duration_since(self.started).as_secs_f64();
        self.latencies.len() as f64 / seconds
    }
}

/// Sends `request(0)`, `request(1)`, … from `clients` connections. The first answer without success
/// ends everything with an error.
pub async fn closed_loop(
    session: &Session,
    clients: usize,
    until: Until,
    request: impl Fn(usize) -> Request + Send + Sync + 'static,
) -> Result<Done> {
    let mut connections = Vec::with_capacity(clients);
    for _ in 0..clients {
        connections.push(session.connection().await?);
    }
    let next = Arc::new(AtomicUsize::new(0));
    let request = Arc::new(request);
    let mut tasks = JoinSet::new();
    let started = Instant::now();
    for mut connection in connections {
        let (next, request) = (Arc::clone(&next), Arc::clone(&request));
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let over = match until {
                    Until::Count(count) => number >= count,
                    Until::Elapsed(limit) => started.elapsed() >= limit,
                };
                if over {
                    return Ok(latencies);
                }
                let sent = Instant::now();
                let answer = connection.send(&request(number)).await?;
                if !answer.ok() {
                    let said = String::from_utf8_lossy(&answer.body);
                    bail!("request {number} was answered {}: {said}", answer.status);
                }
                latencies.push(sent.elapsed());
            }
        });
    }
    let mut latencies = Vec::new();
    while let Some(task) = tasks.join_next().await {
        latencies.append(&mut task??);
    }
    Ok(Done { started, finished: Instant::now(), latencies })
}
