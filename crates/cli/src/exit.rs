//! What a failure looks like to the shell: one message on stderr and an exit code.

use crate::client;
use std::io::{self, Write};
use std::process::ExitCode;

/// The command was understood but did not succeed.
pub const FAILED: u8 = 1;
/// The command was not understood.
pub const USAGE: u8 = 2;
/// No server answered.
pub const UNREACHABLE: u8 = 3;

/// A mistake in the command that only shows after parsing, such as a parameter file without JSON.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Prints what went wrong and answers the code to exit with.
pub fn report(error: &anyhow::Error) -> ExitCode {
    // `attune … | head` closes our stdout: that is the reader's choice, not a failure.
    if reader_is_gone(error) {
        return ExitCode::SUCCESS;
    }
    // Nothing is left to be done about a closed stderr.
    let _ = write!(io::stderr().lock(), "{}", describe(error));
    ExitCode::from(code(error))
}

/// The exit code of a failure.
fn code(error: &anyhow::Error) -> u8 {
    for cause in error.chain() {
        if cause.is::<Usage>() {
            return USAGE;
        }
        if matches!(cause.downcast_ref(), Some(client::Error::Unreachable { .. })) {
            return UNREACHABLE;
        }
    }
    FAILED
}

/// The message and its causes, one per line. Of the transport's many layers only the innermost
/// says something new.
fn describe(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        if cause.is::<reqwest::Error>() {
            text.push_str(&format!("  cause: {}\n", error.root_cause()));
            break;
        }
        text.push_str(&format!("  cause: {cause}\n"));
    }
    text
}

/// Whether nobody reads our output any more. A connection to the server that broke while we wrote to it has the
/// same kind, below the client's own error, and is a failure.
fn reader_is_gone(error: &anyhow::Error) -> bool {
    error.chain().take_while(|cause| !cause.is::<client::Error>()).any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials;
    use anyhow::Context;

    #[test]
    fn usage_is_told_apart_from_failure_under_any_context() {
        let usage = Err::<(), _>(Usage("no JSON".into())).context("reading parameters");
        assert_eq!(code(&usage.unwrap_err()), USAGE);
        assert_eq!(code(&anyhow::anyhow!("boom")), FAILED);
    }

    #[test]
    fn causes_follow_the_message() {
        let error = anyhow::anyhow!("no such file").context("cannot read x.json");
        assert_eq!(describe(&error), "error: cannot read x.json\n  cause: no such file\n");
    }

    #[test]
    fn a_closed_pipe_is_no_failure_unless_it_leads_to_the_server() {
        let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(reader_is_gone(&broken().into()));
        assert!(!reader_is_gone(&anyhow::anyhow!("boom")));
        let credentials = client::Error::Credentials(credentials::Error::File {
            path: "credentials".into(),
            source: broken(),
        });
        assert!(!reader_is_gone(&credentials.into()));
    }
}
