//! Time and fresh ids.

use attune_domain::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Draws fresh wire ids.
pub trait Ids: Send + Sync {
    /// A positive integer below 2^53, larger than those drawn before by this process.
    fn next(&self) -> i64;

    /// `bytes` unguessable bytes, for keys and tokens.
    fn random(&self, bytes: usize) -> Vec<u8>;
}
