//! Colours of statuses, for paper and screens alike. Every pair of fill and text is easy to read.

use crate::workflow::standing::Status;

/// The colour of lines and letters.
pub(super) const INK: &str = "#1f2937";
/// The colour of what was not followed.
pub(super) const FAINT: &str = "#9ca3af";
/// The colour of a task of which nothing is known but that it is there.
pub(super) const PAPER: &str = "#ffffff";

/// The colour of a task that stands like this.
pub(super) const fn fill(status: Option<Status>) -> &'static str {
    match status {
        None => PAPER,
        Some(Status::Pending | Status::Skipped) => "#f3f4f6",
        Some(Status::Running) => "#bfdbfe",
        Some(Status::Succeeded) => "#bbf7d0",
        Some(Status::Failed) => "#fecaca",
        Some(Status::TimedOut) => "#fed7aa",
        Some(Status::Cancelled) => "#fef08a",
    }
}
