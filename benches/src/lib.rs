//! What Attune does per second, measured from outside: a load program that speaks REST to a running
//! server as any client would. Each scenario answers one question (how many
//! webhooks become completed executions in a second? does admission get slower as the line gets
//! longer?), runs for a bounded count or time against a server with an empty data folder, and
//! returns [`Measurement`]s, which [`report`] puts beside the [`aim`]s.
//!
//! The load shares the machine with the server it measures, so it has to be lean: one thread, kept
//! connections, and a client ([`http`]) that does no more than these few requests need.
#![allow(clippy::print_stderr, reason = "the load program tells on stderr what it is doing")]

pub mod aim;
pub mod disk;
pub mod fixture;
pub mod http;
pub mod inside;
pub mod items;
pub mod load;
pub mod mix;
pub mod report;
pub mod sample;
pub mod scenario;
pub mod server;
pub mod session;

pub use report::Measurement;
