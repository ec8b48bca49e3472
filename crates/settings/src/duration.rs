//! Durations as they are written: a whole number of the unit that the setting's name ends in.

/// Defines how a duration is read and written in one unit.
macro_rules! unit {
    ($(#[$meta:meta])* $name:ident, $from:expr, $to:expr) => {
        $(#[$meta])*
        pub(crate) mod $name {
            use serde::{Deserialize, Deserializer, Serializer};
            use std::time::Duration;

            pub(crate) fn serialize<S: Serializer>(
                value: &Duration,
                to: S,
            ) -> Result<S::Ok, S::Error> {
                to.serialize_u64($to(value))
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<Duration, D::Error> {
                u64::deserialize(from).map($from)
            }
        }
    };
}

unit!(
    /// `…_us`
    micros,
    Duration::from_micros,
    |value: &Duration| u64::try_from(value.as_micros()).unwrap_or(u64::MAX)
);
unit!(
    /// `…_seconds`
    seconds,
    Duration::from_secs,
    Duration::as_secs
);
unit!(
    /// `…_days`
    days,
    |days: u64| Duration::from_secs(days.saturating_mul(86_400)),
    |value: &Duration| value.as_secs() / 86_400
);
