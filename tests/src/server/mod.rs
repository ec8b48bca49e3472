//! The real server: the `attune` binary as a process of its own, and what a test does with it.
//!
//! [`Site`] is a folder in which servers live one after the other; [`Launch`] says how one starts;
//! [`Server`] is one that answers, to be stopped, interrupted or killed. [`Client`] asks it over HTTP, and
//! [`leftovers`], [`processes`] and [`files`] look from outside at what it left on disk and on the machine.
//! What does not depend on there being a server speaks to a [`Deployment`], which may be the cloud's.

mod answer;
pub mod binary;
mod client;
mod deployment;
pub mod files;
mod launch;
pub mod leftovers;
mod port;
pub mod processes;
mod site;
mod subject;
mod terminal;
mod until;

pub use answer::Answer;
pub use client::Client;
pub use deployment::{Alone, Deployment};
pub use launch::{Launch, Process, Server};
pub use port::lasting_port;
pub use site::{LOGIN, PASSWORD, Site};
pub use subject::{archive_of, is_over, shell_action, upload, webhook, write_files};
pub use terminal::Terminal;
pub use until::{PATIENCE, until, until_within};
