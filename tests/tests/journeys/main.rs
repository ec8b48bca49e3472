//! Journeys: what comes in and all that must come of it, in this process over the ports of either
//! deployment.

#![allow(clippy::unwrap_used, reason = "these are tests, although a macro makes them so")]

mod base;
mod cancelling;
mod events;
mod inquiries;
mod keystore;
mod limits;
mod lines;
mod rates;
mod scale;
mod secrets;
mod sizes;
mod steps;
mod workflow_pauses;
mod workflow_secrets;
mod workflows;
