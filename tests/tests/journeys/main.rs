//! Journeys: what comes in and all that must come of it, on the embedded deployment in this process.

mod base;
mod cancelling;
mod events;
mod limits;
mod lines;
mod rates;
mod secrets;
mod steps;
