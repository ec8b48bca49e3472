//! Wire ids: one newtype per kind, so that an event's id cannot be passed where a rule's belongs.
//!
//! An id is a positive integer below 2^53 (safe in JSON for every client) that grows with time:
//! milliseconds since [`EPOCH_MILLIS`] shifted by [`SEQUENCE_BITS`], plus a sequence number.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Unix time, in milliseconds, that ids count from: 2024-01-01T00:00:00Z.
pub const EPOCH_MILLIS: i64 = 1_704_067_200_000;
/// Low bits of an id that tell apart what happened in one millisecond.
pub const SEQUENCE_BITS: u32 = 12;
/// Ids stay below this bound: 2^53.
pub const MAX: i64 = 1 << 53;

/// Builds a raw id from a moment (Unix milliseconds) and a sequence number within it.
///
/// Moments before the epoch count as the epoch; the result is never zero.
#[must_use]
pub fn compose(unix_millis: i64, sequence: u16) -> i64 {
    let since = (unix_millis - EPOCH_MILLIS).max(0);
    let low = i64::from(sequence) & ((1 << SEQUENCE_BITS) - 1);
    ((since << SEQUENCE_BITS) | low).clamp(1, MAX - 1)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a raw wire id.
            #[must_use]
            pub const fn new(raw: i64) -> Self { Self(raw) }
            /// The integer that stands on the wire.
            #[must_use]
            pub const fn get(self) -> i64 { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )*};
}

ids! {
    /// A pack.
    PackId;
    /// An action.
    ActionId;
    /// A workflow's definition.
    WorkflowId;
    /// A trigger.
    TriggerId;
    /// A sensor.
    SensorId;
    /// A rule.
    RuleId;
    /// An event.
    EventId;
    /// An enforcement: one rule's decision about one event.
    EnforcementId;
    /// An execution of an action.
    ExecutionId;
    /// A question to people.
    InquiryId;
    /// A policy.
    PolicyId;
    /// A person or machine that may log in.
    IdentityId;
    /// A key of the keystore.
    KeyId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_with_time_and_stay_safe_for_json() {
        let early = compose(EPOCH_MILLIS + 5, 4095);
        let late = compose(EPOCH_MILLIS + 6, 0);
        assert!(early < late);
        assert!(compose(i64::MAX >> 20, 1) < MAX);
        assert_eq!(compose(0, 0), 1, "an id is never zero");
    }
}
