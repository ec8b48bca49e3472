//! Conflicts are ordinary answers: load and decide again.

use attune_ports::{Ports, Unavailable, records};
use std::time::Duration;

/// Attempts before a conflict is taken for a store that does not answer.
const ATTEMPTS: u32 = 60;

/// How many are dealt with in one commit, at most: fewer, once a commit of several was too large.
pub(crate) struct Portion(usize);

impl Portion {
    /// As many as this, at first.
    pub(crate) const fn of(most: usize) -> Self {
        Self(most)
    }

    /// As many as that now.
    pub(crate) const fn most(&self) -> usize {
        self.0
    }

    /// Whether half as many as the `many` of a commit that failed may do better; from now on it is so many.
    pub(crate) const fn halve(&mut self, many: usize, error: &records::Error) -> bool {
        let several = many > 1 && matches!(error, records::Error::TooLarge(_));
        if several {
            self.0 = many / 2;
        }
        several
    }
}

/// Counts the attempts of one decision.
#[derive(Default)]
pub(crate) struct Attempts(u32);

impl Attempts {
    /// Whether a commit's failure is a conflict, to be decided again after a short random pause.
    ///
    /// # Errors
    /// [`Unavailable`] where it is not, or where there were too many.
    pub(crate) async fn again(
        &mut self,
        ports: &Ports,
        error: records::Error,
    ) -> Result<(), Unavailable> {
        self.0 += 1;
        match error {
            records::Error::Stale(_) if self.0 < ATTEMPTS => {
                // The first time it was most likely one other: go on at once.
                if self.0 > 1 {
                    let jitter = ports.ids.random(1).first().copied().unwrap_or(0);
                    let most = 1_u64 << self.0.min(6);
                    let pause = most * u64::from(jitter) / 255;
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                Ok(())
            }
            records::Error::Unavailable(error) => Err(error),
            other => Err(Unavailable::new("records", other)),
        }
    }
}
