//! The keystore: values that people keep for what runs.
//!
//! A [`Key`] belongs to somebody: to the whole system, to a pack, an action or a sensor, or to a person. What runs
//! sees a [`Keystore`]: the keys of the system, of its pack and its own by name, the narrower over the wider. An
//! action gets them among its parameters; a workflow names them in its tasks' inputs, `{{ keystore.name }}`, and
//! such an expression is left for the runner: nothing before it ever has the value.

use crate::Timestamp;
use crate::id::{ActionId, IdentityId, KeyId, PackId, SensorId};
use crate::reference::{ComponentRef, KeyRef, PackRef};
use crate::schema::texts;
use crate::sealed::Sealed;
use crate::template::{Error, Scope, render_deferred};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The names that expressions read the keystore by.
pub const ROOTS: [&str; 2] = ["keystore", "kv"];

/// The shortest text that is struck out of what a run says because a key that anybody may read has it as its value:
/// anything shorter would strike out half of what is said.
const TELLING: usize = 4;

/// A value that somebody keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// Wire id.
    pub id: KeyId,
    /// By which people address it.
    #[serde(rename = "ref")]
    pub reference: KeyRef,
    /// Whose it is.
    pub owner: Owner,
    /// By which what runs knows it; one of a kind among its owner's keys.
    pub name: String,
    /// Whether it takes a permission of its own to see the value.
    pub encrypted: bool,
    /// The value, which is sealed in any case.
    pub value: Sealed,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// Whose a key is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Owner {
    /// Everybody's.
    System,
    /// A person's, or a machine's. What runs does not see it.
    Identity {
        /// Whose.
        id: IdentityId,
    },
    /// A pack's.
    Pack {
        /// Its id when the key was made.
        id: PackId,
        /// Its ref.
        #[serde(rename = "ref")]
        reference: PackRef,
    },
    /// An action's.
    Action {
        /// Its id when the key was made.
        id: ActionId,
        /// Its ref.
        #[serde(rename = "ref")]
        reference: ComponentRef,
    },
    /// A sensor's.
    Sensor {
        /// Its id when the key was made.
        id: SensorId,
        /// Its ref.
        #[serde(rename = "ref")]
        reference: ComponentRef,
    },
}

/// What a key may belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// Everything.
    System,
    /// A person or machine.
    Identity,
    /// A pack.
    Pack,
    /// An action.
    Action,
    /// A sensor.
    Sensor,
}

impl OwnerKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::System, Self::Identity, Self::Pack, Self::Action, Self::Sensor];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Identity => "identity",
            Self::Pack => "pack",
            Self::Action => "action",
            Self::Sensor => "sensor",
        }
    }
}

impl fmt::Display for OwnerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Keys belong to nothing of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of owner '{0}'")]
pub struct UnknownKind(pub String);

impl FromStr for OwnerKind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

impl Owner {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> OwnerKind {
        match self {
            Self::System => OwnerKind::System,
            Self::Identity { .. } => OwnerKind::Identity,
            Self::Pack { .. } => OwnerKind::Pack,
            Self::Action { .. } => OwnerKind::Action,
            Self::Sensor { .. } => OwnerKind::Sensor,
        }
    }

    /// Its wire id; the system has none.
    #[must_use]
    pub const fn id(&self) -> Option<i64> {
        match self {
            Self::System => None,
            Self::Identity { id } => Some(id.get()),
            Self::Pack { id, .. } => Some(id.get()),
            Self::Action { id, .. } => Some(id.get()),
            Self::Sensor { id, .. } => Some(id.get()),
        }
    }

    /// Its ref, where it has one.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::System | Self::Identity { .. } => None,
            Self::Pack { reference, .. } => Some(reference.as_str()),
            Self::Action { reference, .. } | Self::Sensor { reference, .. } => {
                Some(reference.as_str())
            }
        }
    }

    /// The pack that it is or belongs to.
    #[must_use]
    pub fn pack(&self) -> Option<&str> {
        match self {
            Self::System | Self::Identity { .. } => None,
            Self::Pack { reference, .. } => Some(reference.as_str()),
            Self::Action { reference, .. } | Self::Sensor { reference, .. } => {
                Some(reference.pack())
            }
        }
    }

    /// What tells its keys from others', whatever becomes of its id: a pack that is removed and comes again finds
    /// them as they were.
    #[must_use]
    pub fn holder(&self) -> Holder {
        match self {
            Self::System => Holder::SYSTEM,
            Self::Identity { id } => Holder(format!("identity/{id}")),
            Self::Pack { reference, .. } => Holder::pack(reference.as_str()),
            Self::Action { reference, .. } => Holder::action(reference),
            Self::Sensor { reference, .. } => Holder(format!("sensor/{reference}")),
        }
    }
}

/// The name under which an owner's keys are kept together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder(String);

impl Holder {
    /// The system.
    pub const SYSTEM: Self = Self(String::new());

    /// A pack.
    #[must_use]
    pub fn pack(reference: &str) -> Self {
        Self(format!("pack/{reference}"))
    }

    /// An action.
    #[must_use]
    pub fn action(reference: &ComponentRef) -> Self {
        Self(format!("action/{reference}"))
    }

    /// Those whose keys an action sees, the widest first.
    #[must_use]
    pub fn seen_by(action: &ComponentRef) -> [Self; 3] {
        [Self::SYSTEM, Self::pack(action.pack()), Self::action(action)]
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "system" } else { &self.0 })
    }
}

/// Expressions of the keystore in an execution's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The workflow whose author wrote them, and which sees the keys.
    pub author: ComponentRef,
    /// JSON pointers of the strings that hold them. No other string may be taken for one: a payload can say
    /// `{{ keystore.password }}`, too.
    pub at: Vec<String>,
}

/// The keys that something sees, by name. Has no `Debug`: a log is no place for them.
#[derive(Clone, Default)]
pub struct Keystore(BTreeMap<String, Kept>);

#[derive(Clone)]
struct Kept {
    value: Value,
    secret: bool,
}

impl Keystore {
    /// Adds a key over what has the same name. `secret`: it takes a permission of its own to see it.
    pub fn lay(&mut self, name: &str, value: Value, secret: bool) {
        self.0.insert(name.to_owned(), Kept { value, secret });
    }

    /// Hands the keys to an action, over parameters of the same names.
    pub fn hand_to(&self, parameters: &mut Map<String, Value>) {
        parameters.extend(self.values());
    }

    /// Renders the expressions that were left for the keystore.
    ///
    /// # Errors
    /// [`Error`] naming the parameter where one reads a key that is not there, or cannot be evaluated.
    pub fn resolve(&self, parameters: &mut Value, lookup: &Lookup) -> Result<(), Error> {
        let keys = Value::Object(self.values().collect());
        let scope = ROOTS.iter().fold(Scope::strict(), |scope, name| scope.root(name, &keys));
        render_deferred(parameters, &lookup.at, &scope)
    }

    /// The values as they would show in output, to be struck out of all that a run says.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let all = self.0.values().flat_map(|key| {
            let least = if key.secret { 1 } else { TELLING };
            texts(&key.value).into_iter().filter(move |text| text.len() >= least)
        });
        all.collect()
    }

    fn values(&self) -> impl Iterator<Item = (String, Value)> {
        self.0.iter().map(|(name, key)| (name.clone(), key.value.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keystore() -> Keystore {
        let mut keystore = Keystore::default();
        keystore.lay("token", json!("wide"), false);
        keystore.lay("token", json!("s3"), true);
        keystore.lay("db", json!({"host": "db1.local", "port": 42}), false);
        keystore
    }

    #[test]
    fn narrower_keys_lie_over_wider_ones_and_all_over_parameters() {
        let mut parameters =
            Map::from_iter([("token".into(), json!("given")), ("n".into(), json!(1))]);
        keystore().hand_to(&mut parameters);
        let wanted = json!({"token": "s3", "n": 1, "db": {"host": "db1.local", "port": 42}});
        assert_eq!(Value::from(parameters), wanted);
    }

    #[test]
    fn only_what_the_author_left_is_looked_up() {
        let mut parameters = json!({
            "a": "{{ keystore.token }}", "b": "at {{ kv.db.host }}", "c": "{{ keystore.token }}",
        });
        let author = ComponentRef::parse("ops.deploy").unwrap();
        let lookup = Lookup { author: author.clone(), at: vec!["/a".into(), "/b".into()] };
        keystore().resolve(&mut parameters, &lookup).unwrap();
        assert_eq!(
            parameters,
            json!({"a": "s3", "b": "at db1.local", "c": "{{ keystore.token }}"})
        );

        let mut missing = json!({"a": "{{ keystore.nothing }}"});
        let lookup = Lookup { author, at: vec!["/a".into()] };
        let error = keystore().resolve(&mut missing, &lookup).unwrap_err();
        assert!(error.to_string().contains("keystore.nothing"), "{error}");
    }

    #[test]
    fn short_values_are_struck_out_only_if_they_are_secret() {
        let texts = keystore().texts();
        assert!(texts.contains(&"s3".to_owned()) && texts.contains(&"db1.local".to_owned()));
        assert!(!texts.contains(&"42".to_owned()), "{texts:?}");
    }

    #[test]
    fn an_action_sees_what_is_the_systems_its_packs_and_its_own() {
        let action = ComponentRef::parse("ops.deploy").unwrap();
        let seen = Holder::seen_by(&action).map(|holder| holder.to_string());
        assert_eq!(seen, ["system", "pack/ops", "action/ops.deploy"]);
        let owner = Owner::Action { id: ActionId::new(4), reference: action };
        assert_eq!(owner.holder().to_string(), seen[2]);
        assert_eq!(
            (owner.kind(), owner.id(), owner.pack()),
            (OwnerKind::Action, Some(4), Some("ops"))
        );
        assert_eq!("action".parse(), Ok(OwnerKind::Action));
    }
}
