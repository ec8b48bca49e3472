//! What a service's failure says, in one line.

use attune_ports::Unavailable;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

/// The port `what` cannot do what was asked, because of `error`: the service's own code and words where it
/// answered, else what went wrong on the way. A request's content is in neither.
pub(crate) fn unavailable<E, R>(what: &'static str, error: SdkError<E, R>) -> Unavailable
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => Unavailable::new(what, format!("{code}: {message}")),
        (Some(code), None) => Unavailable::new(what, code),
        (None, _) => Unavailable::new(what, chain(&error)),
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
