//! The API over the embedded ports: requests in, answers and records out.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop at what they did not expect")]

mod auth;
mod bad_input;
mod conventions;
mod definitions;
mod enforcements;
mod events;
mod executions;
mod idempotency;
mod inquiries;
mod keys;
mod openapi;
mod operations;
mod pack_tests;
mod packs;
mod server;
mod streams;
mod unread;
mod uploads;
mod workflow_executions;
mod workflows;
