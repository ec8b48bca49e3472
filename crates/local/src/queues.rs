//! Queues on the store: the messages lie in memory, in order, and in SQLite as far as they outlive a batch.

use crate::Config;
use crate::store::{Letter, Store};
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_ports::queues::{DeadLetter, Receipt};
use attune_ports::{Delivery, Outgoing, Queue, Queues, Unavailable};
use chrono::{TimeDelta, Utc};
use std::time::Duration;

pub(crate) struct LocalQueues {
    store: Store,
    max_receives: u32,
    visibility: Duration,
}

impl LocalQueues {
    pub(crate) fn new(store: Store, config: &Config) -> Self {
        Self { store, max_receives: config.max_receives, visibility: config.visibility }
    }

    /// Takes what is there now, or says when to look again and what to listen to.
    fn take(&self, queue: Queue, max: usize) -> Result<Vec<Delivery>, Wait> {
        let now = Utc::now();
        let mut state = self.store.state();
        if let Err(closed) = state.check_open() {
            return Err(Wait::Closed(closed));
        }
        let letterbox = state.letterbox(queue);
        letterbox.surface(now);
        let taken = letterbox.take(max, later(now, self.visibility));
        if taken.is_empty() {
            return Err(Wait::Until(letterbox.next_surface()));
        }
        let mut deliveries = Vec::with_capacity(taken.len());
        for letter in taken {
            match &letter.message {
                Ok(message) if letter.receives <= self.max_receives => {
                    deliveries.push(Delivery {
                        receipt: receipt(&letter),
                        message: message.clone(),
                        group: letter.group.clone(),
                        receives: letter.receives,
                    });
                    state.store_letter(letter);
                }
                _ => {
                    let reason = letter.reason.clone().unwrap_or_else(|| {
                        "delivered too often without an answer: its worker died each time".into()
                    });
                    let dead = state.letterbox(queue).give_back(
                        letter.number,
                        letter.receives,
                        now,
                        now,
                        true,
                        &reason,
                    );
                    if let Some(dead) = dead {
                        state.store_letter(dead);
                    }
                }
            }
        }
        drop(state);
        self.store.changed();
        Ok(deliveries)
    }
}

enum Wait {
    Until(Option<Timestamp>),
    Closed(Unavailable),
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now + TimeDelta::from_std(by).unwrap_or(TimeDelta::days(1))
}

fn receipt(letter: &Letter) -> Receipt {
    Receipt(format!("{}.{}", letter.number, letter.receives))
}

fn parse(receipt: &Receipt) -> Option<(i64, u32)> {
    let (number, receives) = receipt.0.split_once('.')?;
    Some((number.parse().ok()?, receives.parse().ok()?))
}

#[async_trait]
impl Queues for LocalQueues {
    async fn send(&self, queue: Queue, messages: Vec<Outgoing>) -> Result<(), Unavailable> {
        self.store.admit().await?;
        let now = Utc::now();
        let mut state = self.store.state();
        state.check_open()?;
        for outgoing in messages {
            if state.letterbox(queue).has(&outgoing.deduplication) {
                continue;
            }
            let letter = Letter {
                queue,
                number: state.draw_letter_number(),
                group: outgoing.group,
                deduplication: outgoing.deduplication,
                message: Ok(outgoing.message),
                receives: 0,
                sent_at: now,
                visible_at: later(now, outgoing.delay),
                died_at: None,
                reason: None,
                stored: false,
            };
            state.letterbox(queue).insert(letter.clone(), now);
            state.store_letter(letter);
        }
        drop(state);
        self.store.changed();
        Ok(())
    }

    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, Unavailable> {
        let deadline = tokio::time::Instant::now() + wait;
        loop {
            let news = std::sync::Arc::clone(&self.store.state().letterbox(queue).news);
            let surfaces = match self.take(queue, max) {
                Ok(deliveries) if !deliveries.is_empty() => return Ok(deliveries),
                Ok(_) => continue,
                Err(Wait::Closed(error)) => return Err(error),
                Err(Wait::Until(at)) => at,
            };
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return Ok(vec![]);
            }
            // A moment that has passed since we looked is no reason to wait.
            let surfaces = surfaces.map_or(left, |at| {
                (at - Utc::now()).to_std().unwrap_or_default().max(Duration::from_millis(1))
            });
            // Either way the next round looks again.
            let _ = tokio::time::timeout(left.min(surfaces), news.notified()).await;
        }
    }

    async fn acknowledge(&self, queue: Queue, receipts: Vec<Receipt>) -> Result<(), Unavailable> {
        let mut state = self.store.state();
        state.check_open()?;
        for (number, receives) in receipts.iter().filter_map(parse) {
            if let Some(letter) = state.letterbox(queue).finish(number, receives) {
                state.drop_letter(&letter);
            }
        }
        drop(state);
        self.store.changed();
        Ok(())
    }

    async fn give_back(
        &self,
        queue: Queue,
        receipt: Receipt,
        delay: Duration,
        reason: &str,
    ) -> Result<(), Unavailable> {
        let now = Utc::now();
        let mut state = self.store.state();
        state.check_open()?;
        if let Some((number, receives)) = parse(&receipt) {
            let died = receives >= self.max_receives;
            let at = later(now, delay);
            let back = state.letterbox(queue).give_back(number, receives, at, now, died, reason);
            if let Some(letter) = back {
                if died {
                    tracing::warn!(%queue, number, reason, "a message went to the dead letters");
                }
                state.store_letter(letter);
            }
        }
        drop(state);
        self.store.changed();
        Ok(())
    }

    async fn depth(&self, queue: Queue) -> Result<u64, Unavailable> {
        Ok(self.store.state().letterbox(queue).depth() as u64)
    }

    async fn dead_letters(
        &self,
        queue: Queue,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Unavailable> {
        let mut state = self.store.state();
        let after = cursor.and_then(|cursor| cursor.parse().ok());
        let dead = state.letterbox(queue).dead_letters(after, limit);
        Ok(dead
            .into_iter()
            .map(|letter| DeadLetter {
                id: letter.number.to_string(),
                body: match &letter.message {
                    Ok(message) => serde_json::to_value(message).unwrap_or_default(),
                    Err(unread) => unread.clone(),
                },
                group: letter.group.clone(),
                receives: letter.receives,
                sent_at: letter.sent_at,
                died_at: letter.died_at.unwrap_or(letter.sent_at),
                reason: letter.reason.clone(),
            })
            .collect())
    }

    async fn redrive(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        let Some(which) = number_of(id) else { return Ok(0) };
        let now = Utc::now();
        let mut state = self.store.state();
        state.check_open()?;
        let risen = state.letterbox(queue).exhume(which);
        let many = risen.len() as u64;
        for mut letter in risen {
            state.drop_letter(&letter);
            letter.number = state.draw_letter_number();
            letter.receives = 0;
            letter.visible_at = now;
            letter.died_at = letter.message.is_err().then_some(now);
            letter.stored = false;
            state.letterbox(queue).insert(letter.clone(), now);
            state.store_letter(letter);
        }
        drop(state);
        self.store.changed();
        Ok(many)
    }

    async fn purge(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable> {
        let Some(which) = number_of(id) else { return Ok(0) };
        let mut state = self.store.state();
        state.check_open()?;
        let gone = state.letterbox(queue).exhume(which);
        for letter in &gone {
            state.drop_letter(letter);
        }
        drop(state);
        self.store.changed();
        Ok(gone.len() as u64)
    }
}

/// `Some(None)`: all. `None`: a name that no dead letter has.
fn number_of(id: Option<&str>) -> Option<Option<i64>> {
    match id {
        None => Some(None),
        Some(id) => id.parse().ok().map(Some),
    }
}
