//! What a function writes about itself: a line of JSON for each occurrence, on standard output.
//!
//! Each line carries the spans it stands in, so the request id and the X-Ray trace id of its invocation and
//! the ids of the records that its messages are about.

use crate::environment::{Environment, Error};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const VARIABLE: &str = "ATTUNE_LOG";

/// Starts writing.
///
/// # Errors
/// [`Error::Invalid`] where `ATTUNE_LOG` is no filter.
pub fn start(environment: &Environment) -> Result<(), Error> {
    // Levels by target need no regular expressions, which a cold start would have to compile.
    let default = Targets::new().with_default(LevelFilter::INFO);
    let filter = environment.parsed(VARIABLE, "a level or a list of target=level", default)?;
    let lines = tracing_subscriber::fmt::layer().json().with_current_span(false);
    // Somebody else listens already where several functions share a process, as in tests.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(())
}
