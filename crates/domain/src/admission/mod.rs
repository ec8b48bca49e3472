//! Admission: when may an execution start?
//!
//! A policy defines a [`Lane`]. An execution that comes through a lane gets a slot, a ticket (its
//! place in line) or a refusal; when a slot is freed, the lowest ticket gets it. All of that is
//! arithmetic on the lane record, which the journey commits together with the execution: whoever
//! commits second finds the lane's version changed and decides again.

mod bucket;
mod lane;
#[cfg(test)]
mod tests;
mod ticket;

pub use bucket::Bucket;
pub use lane::{Admission, Arrival, Capacity, Lane, LaneKey, Refusal};
pub use ticket::{Ticket, Waiter};
