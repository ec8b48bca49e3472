//! What all kinds of definitions have in common, and how each becomes a record.

use crate::layout;
use attune_domain::catalogue::{Action, Pack, Rule, Sensor, Trigger, Workflow};
use attune_domain::keystore::Key;
use attune_domain::policy::Policy;
use attune_domain::reference::{ComponentRef, PackRef};
use attune_ports::records::{Index, Kind, Record};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A named set of grants, as packs bring them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PermissionSet {
    /// Wire id; survives registering again.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// Ref of the pack it belongs to.
    pub pack_ref: Option<PackRef>,
    /// For people.
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// A list of `{resource, actions, constraints?}`.
    pub grants: Value,
}

/// A definition: something with a ref and an id, stored under its kind.
pub trait Definition: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync {
    /// Which kind of record it is.
    const KIND: Kind;

    /// Its name.
    fn reference(&self) -> &str;

    /// Its wire id.
    fn id(&self) -> i64;

    /// The ref of the pack it belongs to, itself for a pack.
    fn pack(&self) -> Option<&str>;

    /// Its record.
    fn record(&self) -> Record {
        Record::new(Self::KIND, layout::definition(Self::KIND, self.reference()), self)
            .counted(Self::KIND.as_str())
    }
}

macro_rules! definitions {
    ($($kind:ident: $id:expr, $pack:expr;)*) => {$(
        impl Definition for $kind {
            const KIND: Kind = Kind::$kind;
            fn reference(&self) -> &str {
                self.reference.as_str()
            }
            fn id(&self) -> i64 {
                let id: fn(&Self) -> i64 = $id;
                id(self)
            }
            fn pack(&self) -> Option<&str> {
                let pack: fn(&Self) -> Option<&str> = $pack;
                pack(self)
            }
        }
    )*};
}

definitions! {
    Pack: |pack| pack.id.get(), |pack| Some(pack.reference.as_str());
    Action: |action| action.id.get(), |action| Some(action.pack_ref.as_str());
    Workflow: |workflow| workflow.id.get(), |workflow| Some(workflow.pack_ref.as_str());
    Trigger: |trigger| trigger.id.get(), |trigger| trigger.pack_ref.as_ref().map(PackRef::as_str);
    Sensor: |sensor| sensor.id.get(), |sensor| sensor.pack_ref.as_ref().map(PackRef::as_str);
    Policy: |policy| policy.id.get(), |policy| Some(policy.reference.pack());
    Key: |key| key.id.get(), |key| key.owner.pack();
    PermissionSet: |set| set.id, |set| set.pack_ref.as_ref().map(PackRef::as_str);
}

impl Definition for Rule {
    const KIND: Kind = Kind::Rule;

    fn reference(&self) -> &str {
        self.reference.as_str()
    }

    fn id(&self) -> i64 {
        self.id.get()
    }

    fn pack(&self) -> Option<&str> {
        Some(self.pack_ref.as_str())
    }

    fn record(&self) -> Record {
        Record::new(Kind::Rule, layout::definition(Kind::Rule, &self.reference), self)
            .at(Index::Of, layout::rules_of_trigger(&self.trigger_ref), self.reference.as_str())
            .at(Index::By, layout::rules_of_action(&self.action_ref), self.reference.as_str())
            .counted(Kind::Rule.as_str())
    }
}

/// A definition as it was read, with the version of its record.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<T> {
    /// The definition.
    pub value: T,
    /// Version of its record, which a change of it insists on.
    pub version: u64,
}
