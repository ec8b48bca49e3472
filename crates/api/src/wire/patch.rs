//! Changes of fields that may be cleared: `{"op":"set","value":…}` or `{"op":"clear"}`.

use super::placement::RetentionPolicyType;
use serde::Deserialize;
use utoipa::ToSchema;

macro_rules! patches {
    ($($(#[$doc:meta])* $name:ident($of:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, ToSchema)]
        #[serde(tag = "op", rename_all = "lowercase")]
        pub enum $name {
            /// Gives it a value.
            Set {
                /// The value.
                value: $of,
            },
            /// Makes it `null`.
            Clear,
        }

        impl $name {
            /// The new value.
            #[must_use]
            pub fn value(self) -> Option<$of> {
                match self {
                    Self::Set { value } => Some(value),
                    Self::Clear => None,
                }
            }
        }
    )*};
}

patches! {
    /// Changes a pack's description.
    PackDescriptionPatch(String);
    /// Changes a text of a trigger.
    TriggerStringPatch(String);
    /// Changes a constraint on an interpreter's version.
    RuntimeVersionConstraintPatch(String);
    /// Changes a retention limit.
    LogRetentionLimitPatch(i32);
    /// Changes a retention policy.
    LogRetentionPolicyPatch(RetentionPolicyType);
}
