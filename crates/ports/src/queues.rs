//! Messages between steps: at least once, in order within a group where the queue is ordered.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_domain::message::Message;
use attune_domain::runtime::Runtime;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The queues of the journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// Events to match.
    Match,
    /// Enforcements and requests to admit; ordered, group = action ref.
    Admit,
    /// Executions to run, one queue for each runtime.
    Run(Runtime),
    /// Ended executions; ordered, group = lane or parent.
    Complete,
    /// Lanes to look at.
    Wake,
}

impl Queue {
    /// Every queue.
    pub const ALL: [Self; 8] = [
        Self::Match,
        Self::Admit,
        Self::Run(Runtime::Native),
        Self::Run(Runtime::Shell),
        Self::Run(Runtime::Python),
        Self::Run(Runtime::Node),
        Self::Complete,
        Self::Wake,
    ];

    /// Whether messages of a group are delivered one after the other.
    #[must_use]
    pub const fn is_ordered(self) -> bool {
        matches!(self, Self::Admit | Self::Complete)
    }

    /// The name, as in settings and over the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Admit => "admit",
            Self::Run(Runtime::Native) => "run-native",
            Self::Run(Runtime::Shell) => "run-shell",
            Self::Run(Runtime::Python) => "run-python",
            Self::Run(Runtime::Node) => "run-node",
            Self::Complete => "complete",
            Self::Wake => "wake",
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No queue has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown queue '{0}'")]
pub struct UnknownQueue(pub String);

impl FromStr for Queue {
    type Err = UnknownQueue;
    fn from_str(text: &str) -> Result<Self, UnknownQueue> {
        Self::ALL
            .into_iter()
            .find(|queue| queue.as_str() == text)
            .ok_or_else(|| UnknownQueue(text.to_owned()))
    }
}

/// A message to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// What it says.
    pub message: Message,
    /// Group of an ordered queue; ignored by the others.
    pub group: String,
    /// A second message with this id is swallowed while the first is in the queue, and may be for five
    /// minutes after. Names the announcement (step, record, attempt, announcement number), so that a
    /// repair is never swallowed.
    pub deduplication: String,
    /// Hidden for so long; plain queues only, 15 minutes at most.
    pub delay: Duration,
}

impl Outgoing {
    /// A message without delay, as its `announcement`-th announcement.
    #[must_use]
    pub fn new(message: Message, group: impl Into<String>, announcement: u64) -> Self {
        let deduplication = format!("{}:{announcement}", message.step.subject());
        Self { message, group: group.into(), deduplication, delay: Duration::ZERO }
    }

    /// The same, hidden for a while.
    #[must_use]
    pub fn after(self, delay: Duration) -> Self {
        Self { delay: delay.min(MAX_DELAY), ..self }
    }
}

/// The longest delay of a message.
pub const MAX_DELAY: Duration = Duration::from_secs(15 * 60);

/// Names one delivery of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Receipt(pub String);

/// A message in somebody's hands.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// For acknowledging it.
    pub receipt: Receipt,
    /// What it says.
    pub message: Message,
    /// Its group.
    pub group: String,
    /// Which delivery of it this is, from 1.
    pub receives: u32,
}

/// A message that was delivered too often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Names it among the dead letters of its queue.
    pub id: String,
    /// Its text, whether or not it can be read as a message.
    pub body: serde_json::Value,
    /// Its group.
    pub group: String,
    /// How often it was delivered.
    pub receives: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was given up.
    pub died_at: Timestamp,
    /// What went wrong last, as far as known.
    pub reason: Option<String>,
}

/// Carries messages.
///
/// Delivery is at least once. A delivered message is hidden until it is acknowledged, given back, or its
/// visibility runs out; while one of an ordered group is in flight, no other of that group is delivered.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Sends messages, in order.
    ///
    /// # Errors
    /// [`Unavailable`] where not all could be sent; some may have been.
    async fn send(&self, queue: Queue, messages: Vec<Outgoing>) -> Result<(), Unavailable>;

    /// Up to `max` messages; waits up to `wait` for the first. Several of one ordered group may come in
    /// one batch, in order.
    ///
    /// # Errors
    /// [`Unavailable`] where the queue could not be read.
    async fn receive(
        &self,
        queue: Queue,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivery>, Unavailable>;

    /// Done with these.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be noted; they will come again.
    async fn acknowledge(&self, queue: Queue, receipts: Vec<Receipt>) -> Result<(), Unavailable>;

    /// Not done with this one: it comes again after `delay`, or goes to the dead letters where it was
    /// delivered too often.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be noted; it will come again.
    async fn give_back(
        &self,
        queue: Queue,
        receipt: Receipt,
        delay: Duration,
        reason: &str,
    ) -> Result<(), Unavailable>;

    /// How many messages wait or are in flight.
    ///
    /// # Errors
    /// [`Unavailable`] where the queue could not be read.
    async fn depth(&self, queue: Queue) -> Result<u64, Unavailable>;

    /// Dead letters of a queue, oldest first, `limit` at most, after the one named by `cursor`.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be read.
    async fn dead_letters(
        &self,
        queue: Queue,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, Unavailable>;

    /// Sends a dead letter again, or all of the queue; answers how many.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be sent.
    async fn redrive(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable>;

    /// Forgets a dead letter, or all of the queue; answers how many.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be removed.
    async fn purge(&self, queue: Queue, id: Option<&str>) -> Result<u64, Unavailable>;
}
