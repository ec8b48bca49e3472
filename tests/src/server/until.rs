//! Waiting for what a server does sooner or later.

use std::time::{Duration, Instant};

/// How long something may take before it counts as never happening.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks: each is a request or a walk over files, on a machine that has other work too.
const LOOK: Duration = Duration::from_millis(20);

/// Looks again and again until `look` finds something, and answers what it found.
///
/// # Panics
/// Where it has not found anything within [`PATIENCE`].
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, look).await
}

/// The same with another patience.
///
/// # Panics
/// Where it has not found anything in time.
pub async fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(since.elapsed() < patience, "still waiting after {patience:?}: {what}");
        tokio::time::sleep(LOOK).await;
    }
}
