//! Waiting for what comes sooner or later.

use std::time::{Duration, Instant};

/// How long something may take before it counts as never happening.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Looks again and again until `look` finds something, and answers what it found.
///
/// # Panics
/// Where it has not found anything within half a minute.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "still waiting: {what}");
        tokio::time::sleep(LOOK).await;
    }
}
