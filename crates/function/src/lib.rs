//! What all functions share: from a Lambda process to calls of a handler over the ports.
//!
//! A function is a folder in `functions/`: its `lib.rs` holds `handle(ports, event)`, which knows nothing of
//! where it runs, and its `main.rs` calls [`serve`] with the ports from [`ports`]; its build script is
//! `functions/link.rs`, which all share. The environment says what the stack consists of ([`environment`]),
//! logs are lines of JSON ([`logging`]), and [`batch`] turns SQS events into deliveries and answers with those
//! that are to come again.
//!
//! Nothing is done before it is needed: an invocation that needs no service starts about as fast as one of an
//! empty function.

pub mod batch;
mod elsewhere;
pub mod environment;
pub mod logging;
mod runtime;

pub use elsewhere::Elsewhere;
pub use environment::Environment;
pub use lambda_runtime::Error;
pub use runtime::{Invocation, serve, start};

use attune_aws::Aws;
use attune_ports::Ports;
use std::sync::Arc;

/// The ports of the stack that the environment names, for a function that runs no actions. Nothing is
/// connected yet.
///
/// # Errors
/// [`environment::Error`] where a variable is missing.
pub fn ports(environment: &Environment) -> Result<Aws, environment::Error> {
    Ok(attune_aws::open(environment.stack()?, Arc::new(Elsewhere), &environment.worker()))
}

/// The ports of a function that does one step of the journey: [`ports`] without timers and feed.
///
/// # Errors
/// [`environment::Error`] where a variable is missing.
pub fn step_ports(environment: &Environment) -> Result<Ports, environment::Error> {
    Ok(attune_aws::step(environment.stack()?, Arc::new(Elsewhere), &environment.worker()))
}
