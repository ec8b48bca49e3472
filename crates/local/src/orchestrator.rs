//! Steps of workflows, taken by this process.
//!
//! Nothing of it is stored: what a crash forgets stands in the due index, and is started again.

use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_ports::orchestrator::{Orchestrator, Then, ThreadStep};
use attune_ports::{Clock, Unavailable};
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The clock may be set meanwhile, so it is looked at again after so long.
const LOOK: Duration = Duration::from_secs(1);

/// Hands out steps when their time has come.
pub struct InProcess {
    clock: Arc<dyn Clock>,
    waiting: Mutex<BTreeSet<(Timestamp, ThreadStep)>>,
    changed: Notify,
}

impl InProcess {
    /// No steps, by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, waiting: Mutex::default(), changed: Notify::new() }
    }

    fn push(&self, at: Timestamp, step: ThreadStep) {
        self.waiting.lock().insert((at, step));
        self.changed.notify_one();
    }

    /// The first step that is due, or how long until there may be one.
    fn take(&self) -> Result<ThreadStep, Duration> {
        let now = self.clock.now();
        let mut waiting = self.waiting.lock();
        let Some(&(at, step)) = waiting.first() else { return Err(LOOK) };
        if at > now {
            return Err((at - now).to_std().unwrap_or_default().min(LOOK));
        }
        waiting.pop_first();
        if !waiting.is_empty() {
            // One call of `notify_one` may have stood for several steps.
            self.changed.notify_one();
        }
        Ok(step)
    }
}

#[async_trait]
impl Orchestrator for InProcess {
    async fn start(&self, step: ThreadStep) -> Result<(), Unavailable> {
        self.push(self.clock.now(), step);
        Ok(())
    }

    async fn tell(&self, _: &str, then: Then) -> Result<(), Unavailable> {
        match then {
            Then::Step { step } => self.push(self.clock.now(), step),
            Then::Wait { step, until } => self.push(until, step),
            Then::End => {}
        }
        Ok(())
    }

    async fn next(&self) -> ThreadStep {
        loop {
            match self.take() {
                Ok(step) => return step,
                Err(pause) => {
                    let changed = self.changed.notified();
                    let _ = tokio::time::timeout(pause, changed).await;
                }
            }
        }
    }
}
