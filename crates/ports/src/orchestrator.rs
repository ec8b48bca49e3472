//! Who has the steps of a workflow's threads taken, one after the other, and waits between them.
//!
//! A thread is a chain of steps. Taking one is the journey's business; its answer says what comes next: another step
//! at once, another at a moment, nothing until somebody tells ([`Orchestrator::tell`]), or the end. Waiting must cost
//! nothing.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::Timestamp;
use attune_domain::id::ExecutionId;
use serde::{Deserialize, Serialize};

/// A step that a thread of a run is to take. Taking it twice is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ThreadStep {
    /// The execution whose run it is.
    pub run: ExecutionId,
    /// Which of its threads.
    pub thread: u32,
    /// Which of the orchestrator's executions of it.
    pub hop: u32,
    /// Which step, from 0.
    pub sequence: u64,
}

/// What comes after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "next", rename_all = "lowercase")]
pub enum Then {
    /// Another step, at once.
    Step {
        /// Which.
        step: ThreadStep,
    },
    /// Another step, at a moment.
    Wait {
        /// Which.
        step: ThreadStep,
        /// When.
        until: Timestamp,
    },
    /// Nothing: the thread is over, or goes on elsewhere.
    End,
}

/// Has steps taken.
#[async_trait]
pub trait Orchestrator: Send + Sync {
    /// Begins an execution of a thread with this step. There is one for each run, thread and hop: beginning it twice
    /// is harmless, and changes nothing.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be begun.
    async fn start(&self, step: ThreadStep) -> Result<(), Unavailable>;

    /// Tells an execution that waits with this token what comes next. One that does not wait any more is passed over:
    /// it was told before, or is gone.
    ///
    /// # Errors
    /// [`Unavailable`] where it could not be told.
    async fn tell(&self, token: &str, then: Then) -> Result<(), Unavailable>;

    /// The next step that this process is to take, once there is one. Where others take the steps there never is.
    async fn next(&self) -> ThreadStep {
        std::future::pending().await
    }
}
