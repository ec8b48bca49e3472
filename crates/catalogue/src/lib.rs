//! The catalogue: the definitions that packs and people bring in, and how they are kept as records.
//!
//! [`layout`] says where each definition stands; [`read`] finds them. [`packs`], [`actions`],
//! [`workflows`], [`triggers`], [`sensors`], [`rules`], [`policies`] and [`keys`] change them on behalf of people, [`install()`]
//! on behalf of a pack's files. Every change is one conditional commit: load, decide, commit, and again
//! where somebody was faster. Whatever changes a rule also changes the small records that matching
//! reads (the bindings of a trigger and their generation, see [`links`]) in the same commit, and whatever
//! carries a timer has its schedule follow it ([`timers`]), as subscriptions to events of the cloud follow
//! their triggers ([`cloud_events`]). Values that a schema calls secret are sealed
//! before they are stored ([`secrets`]).

pub mod actions;
mod check;
pub mod cloud_events;
mod definition;
mod draft;
mod error;
mod install;
pub mod keys;
pub mod layout;
pub mod links;
pub mod pack_tests;
pub mod packs;
pub mod permission_sets;
pub mod policies;
mod policy_document;
pub mod read;
pub mod rules;
pub mod secrets;
pub mod sensors;
pub mod timers;
pub mod triggers;
pub mod workflows;

pub use definition::{Definition, PermissionSet, Stored};
pub use error::{Error, name_of};
pub use install::{Installed, Origin, Synced, install, sync_workflows};
pub use policy_document::{PolicyDocument, RateDocument, WindowDocument};
