//! The words and decisions of Attune, and nothing else.
//!
//! Follow one event: a [`timer`] ticks or a webhook is called and an [`event`] is stored;
//! [`matching`] asks every rule ([`catalogue::Rule`]) of its trigger whether its [`condition`] holds
//! and renders the rule's parameter [`template`]s into an [`enforcement`]; [`admission`] asks the
//! [`policy`] in force whether the [`execution`] may start now, waits in line, or is refused; a runner
//! runs it, with what people keep for it in the [`keystore`], and its end frees the slot. [`message`]
//! names what the steps say to each other, [`status`] which state may follow which.
//!
//! Everything here is pure: no async, no clock, no randomness, no I/O. `Cargo.toml` proves it.

pub mod admission;
pub mod catalogue;
pub mod cloud_event;
pub mod condition;
pub mod enforcement;
pub mod event;
pub mod execution;
pub mod id;
pub mod identity;
pub mod inquiry;
pub mod keystore;
pub mod matching;
pub mod message;
pub mod payload;
pub mod policy;
pub mod reference;
pub mod runtime;
pub mod schema;
pub mod sealed;
pub mod status;
pub mod template;
pub mod timer;
pub mod workflow;

/// A moment, in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
