//! How much one rendering may do: whoever writes expressions cannot be allowed to stop the server.

use super::error::Fault;
use std::sync::atomic::{AtomicU64, Ordering};

/// Values looked at and bytes moved, in units of roughly one value, per rendering.
const WORK: u64 = 5_000_000;
/// Bytes of text that one rendering may produce.
const OUTPUT: u64 = 32 * 1024 * 1024;
/// Bytes of text that are read for one unit of work.
const READ_PER_UNIT: usize = 64;
/// Bytes of text that are written for one unit of work.
const WRITTEN_PER_UNIT: usize = 16;

/// What is left of a rendering's allowance.
#[derive(Debug)]
pub(crate) struct Budget {
    // Atomic because the engine asks for `Sync`; one rendering never leaves its thread.
    work: AtomicU64,
    output: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { work: AtomicU64::new(WORK), output: AtomicU64::new(OUTPUT) }
    }
}

impl Budget {
    /// Takes this many units of work.
    pub(crate) fn spend(&self, units: usize) -> Result<(), Fault> {
        take(&self.work, units, "work")
    }

    /// Takes the work of reading that many bytes.
    pub(crate) fn spend_read(&self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / READ_PER_UNIT)
    }

    /// Takes the work and the room for that many bytes of output. Asked for *before* they are made.
    pub(crate) fn spend_output(&self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / WRITTEN_PER_UNIT)?;
        take(&self.output, bytes, "output")
    }
}

fn take(left: &AtomicU64, amount: usize, what: &'static str) -> Result<(), Fault> {
    let before = left.load(Ordering::Relaxed);
    let after = before.checked_sub(amount as u64).ok_or(Fault::Limit { what })?;
    left.store(after, Ordering::Relaxed);
    Ok(())
}
