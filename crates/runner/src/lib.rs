//! Runs actions.
//!
//! An action is a shell script, a piece of shell code, a Python or Node program, an executable
//! file, or one of the few built-ins that run in process. [`Runner`] is the journey's port of that
//! name: told of one run by an [`Invocation`](attune_ports::runner::Invocation), it hands over the
//! parameters the way the action asked for them, starts the process in a process group of its own
//! with an allow-listed environment, copies what it prints into bounded log files while it prints,
//! ends it on a time limit or on request, and answers with the result object that is stored for
//! the execution. Values named as secrets never reach a log, a result or an error text.
//!
//! Every running process group has a small record in the work folder. A server that was killed
//! calls [`reap`] at its next start: it ends what its former self left running, so that no
//! action of a lost execution is still at work when that execution is given up.
//!
//! What this crate does not know: queues, records, retries. It is told to run something once,
//! and it runs it once.

mod capture;
mod config;
mod encoding;
mod entrypoint;
mod environment;
mod inline;
mod launch;
mod log;
mod native;
mod outcome;
mod output;
mod procfs;
mod reap;
mod redaction;
mod registry;
mod runner;
mod supervision;

pub use config::{Config, Interpreters};
pub use log::{log_path, read_log};
pub use native::is_pure;
pub use reap::{Error as ReapError, reap};
pub use runner::Runner;
