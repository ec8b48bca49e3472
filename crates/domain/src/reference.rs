//! Refs: the names by which people address definitions, checked once at the edge.

use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::sync::Arc;

/// Why a text is not a ref.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not `^[a-z][a-z0-9_-]+$`.
    #[error(
        "invalid pack ref '{0}': expected at least two lower-case letters, digits, '_' or '-', starting with a letter"
    )]
    Pack(String),
    /// Not two non-empty lower-case parts joined by one dot.
    #[error("invalid ref '{0}': expected 'pack.name' in lower case, with exactly one dot")]
    Component(String),
    /// Not non-empty lower-case parts joined by dots.
    #[error("invalid key ref '{0}': expected lower-case parts joined by dots")]
    Key(String),
}

/// A pack's ref, such as `core`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PackRef(Arc<str>);

/// The ref of an action, trigger, sensor, rule, policy or permission set, such as `core.echo`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ComponentRef(Arc<str>);

/// The ref of a key in the keystore, such as `db.password`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct KeyRef(Arc<str>);

impl PackRef {
    /// Checks `text` and wraps it.
    ///
    /// # Errors
    /// [`Error::Pack`] where the text does not have the form of a pack ref.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut bytes = text.bytes();
        let starts = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = bytes.len() > 0
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
        if starts && rest && text.len() <= 255 {
            Ok(Self(text.into()))
        } else {
            Err(Error::Pack(text.to_owned()))
        }
    }
}

impl ComponentRef {
    /// Checks `text` and wraps it.
    ///
    /// # Errors
    /// [`Error::Component`] where the text is not `pack.name` in lower case.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let valid = is_name(text)
            && matches!(text.split_once('.'), Some((pack, name))
                if !pack.is_empty() && !name.is_empty() && !name.contains('.'));
        if valid { Ok(Self(text.into())) } else { Err(Error::Component(text.to_owned())) }
    }

    /// The part before the dot.
    #[must_use]
    pub fn pack(&self) -> &str {
        self.0.split_once('.').map_or("", |(pack, _)| pack)
    }

    /// The part after the dot.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('.').map_or(&self.0, |(_, name)| name)
    }
}

impl KeyRef {
    /// Checks `text` and wraps it.
    ///
    /// # Errors
    /// [`Error::Key`] where the text is not `part.part` in lower case; one part is enough.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if is_name(text) && text.split('.').all(|part| !part.is_empty()) {
            Ok(Self(text.into()))
        } else {
            Err(Error::Key(text.to_owned()))
        }
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= 255
        && !text.chars().any(|c| c.is_uppercase() || c.is_whitespace() || c.is_control())
}

macro_rules! text_of {
    ($($name:ident),*) => {$(
        impl $name {
            /// The ref as text.
            #[must_use]
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str { &self.0 }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(from)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}
text_of!(PackRef, ComponentRef, KeyRef);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_checked() {
        for (text, pack, component, key) in [
            ("core", true, false, true),
            ("c", false, false, true),
            ("Core", false, false, false),
            ("core.echo", false, true, true),
            ("core.echo.more", false, false, true),
            (".echo", false, false, false),
            ("core.", false, false, false),
            ("core.Echo", false, false, false),
            ("9core", false, false, true),
            ("my-pack_2", true, false, true),
            ("my key", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!(PackRef::parse(text).is_ok(), pack, "pack ref {text:?}");
            assert_eq!(ComponentRef::parse(text).is_ok(), component, "component ref {text:?}");
            assert_eq!(KeyRef::parse(text).is_ok(), key, "key ref {text:?}");
        }
    }
}
