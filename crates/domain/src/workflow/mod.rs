//! Workflows: what an author writes, and what a run of it does next.
//!
//! A [`Definition`] is a graph of tasks. A [`Run`] is where one execution of it stands: a few threads, each at one
//! task, and how the tasks ended so far. [`plan`] decides, from both, what a thread does next: make children, wait,
//! go on to the following tasks, or be over. [`names`] is what the author's expressions may read on the way.
//!
//! All of it is pure; whoever calls it stores the run and carries the decision out.

mod check;
pub mod definition;
pub mod digest;
pub mod drawing;
mod graph;
pub mod names;
mod parse;
pub mod plan;
pub mod problem;
pub mod rehearsal;
pub mod run;
pub mod signature;
pub mod standing;
mod view;

pub use definition::Definition;
pub use graph::Reads;
pub use problem::{Problem, Severity};
pub use run::Run;
pub use view::view;
