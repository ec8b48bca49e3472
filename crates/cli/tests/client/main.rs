//! The client commands of the `attune` binary, run as a user runs them, against a server of the
//! test's own making.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its scene has failed")]

mod dead_letters;
mod executions;
mod failures;
mod inquiries;
mod keys;
mod lists;
mod login;
mod packs;
mod server;
mod shell;
mod workflows;
