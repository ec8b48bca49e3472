//! The journey of an event, one module a step: [`ingest`] → [`matching`] → [`admit`] → [`run`] →
//! [`complete`], with [`workflow`] for actions that are graphs of others, [`wake`] for lanes that time opens and [`sweep`] for whatever a crash left between
//! two steps. People come in by [`request`] and [`cancel`], look at lines
//! with [`queue_stats`], and are asked by [`inquiry`]. What is secret passes through [`secrets`] and [`keystore`].
//!
//! Every step is one function `handle(ports, …)` in four breaths: load, decide (the domain crate's
//! business), commit (all or nothing, conditional on what was loaded), announce. Messages may come twice
//! and processes may die between any two breaths: what a step made is recognised by its cause, and what it
//! did not announce stands in the due index until [`sweep`] announces it again.
//!
//! [`dispatch`] hands messages to their step; [`workers`] takes them from the queues where no cloud does.
//! [`layout`] says where the records stand, and [`ahead`] which of them a step will
//! read.

pub mod admit;
mod ahead;
mod announce;
pub mod cancel;
pub mod complete;
pub mod definitions;
pub mod dispatch;
pub mod ingest;
pub mod inquiry;
mod keystore;
pub mod layout;
mod line;
pub mod load;
pub mod matching;
pub mod payload;
pub mod queue_stats;
pub mod request;
pub mod retention;
mod retry;
pub mod run;
pub mod secrets;
mod subject;
pub mod sweep;
pub mod wake;
pub mod workers;
pub mod workflow;

pub use subject::Subject;
