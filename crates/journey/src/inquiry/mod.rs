//! Inquiries: an execution asks people, and waits for the answer without a process, a claim or a slot.
//!
//! A question comes in three ways. An action whose entry point is `core.ask` is one instead of running; an
//! action's result may ask one under `__inquiry`; and a running action, or whoever else may, makes one over the
//! API. In the first two cases the execution ends with its inquiry, in the last it goes on by itself.
//!
//! An inquiry and its execution change in one commit, so that either both have ended or neither has. The execution
//! names its inquiry, and that is what makes it one at most. A deadline is a message with a delay where it is near,
//! and a place in the due index until then: waiting costs nothing.

mod ask;
mod conclude;

pub use ask::{AskError, NewInquiry, create, person};
pub(crate) use ask::{ask, in_outcome, is_asked_by, unasked, wait};
pub(crate) use conclude::withdraw;
pub use conclude::{Error, assign, cancel, deadline, delete, expire, give_out, respond};
