//! Workflows: the steps that runs of them take, over the ports.
//!
//! A workflow is executed like an action, and admitted like one; then it has a run in place of a process.
//! [`advance()`] takes one step of one of its threads: it loads the run ([`load`]), asks the planner what is next, commits
//! that together with the children that are to be made ([`children`]), and answers what the thread waits for. When
//! children have ended, `settle` takes note of it for `complete` and has the thread told. [`control`] is what
//! people do to runs.
//!
//! One record holds a run, so its steps exclude each other, and a step that came twice finds that it was taken.
//! Items of a task lie in parts in records of their own ([`items`]).

mod advance;
pub(crate) mod children;
pub mod control;
mod ending;
pub(crate) mod forget;
mod items;
pub(crate) mod layout;
mod load;
mod oversize;
pub(crate) mod repair;
mod settle;
mod start;

pub use advance::advance;
pub(crate) use settle::settle;

/// Bounds of runs.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Tasks that a run may enter, where its definition says nothing.
    pub steps: u64,
    /// Steps after which a thread goes over to a fresh execution of its orchestrator. Step Functions keeps 25,000
    /// events of one; a step makes about a dozen.
    pub hop: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 10_000, hop: 1_500 }
    }
}
