//! Where definitions stand among the records.
//!
//! | what | partition | sort | body |
//! |---|---|---|---|
//! | a definition | its kind: `rule` | its ref | the domain's type |
//! | a definition's id | `rule.id` | id, 16 digits | the ref |
//! | an enabled rule of a trigger | `bindings/<trigger ref>` | rule id, 16 digits | the rule |
//! | generation of a trigger's bindings | `generation` | `bindings/<trigger ref>` | an id, new with every change |
//! | generation of the policies | `generation` | `policies` | likewise |
//! | the name of a key among its owner's | `keys/<owner>` | the name | the ref |
//! | generation of the keys | `generation` | `keys` | likewise |
//! | what a pack's files said last | `pack.sources` | the pack's ref | digests by kind and ref |
//! | tests of a pack that were run | `pack.tests/<pack ref>` | id, 16 digits | [`crate::pack_tests::TestRun`] |
//! | a webhook key | `webhook` | the key | the trigger's ref |
//! | an identity | `identity` | id, 16 digits | [`attune_domain::identity::Identity`] |
//! | a login name | `identity.login` | the login | the id |
//!
//! Rules also stand in index `Of` under `rules-of-trigger/<ref>` and `By` under `rules-of-action/<ref>`.

use attune_domain::keystore::Holder;
use attune_ports::records::{Key, Kind};
use std::fmt::Display;

/// Digits that ids are written with where their order matters.
#[must_use]
pub fn padded(id: impl Into<i64>) -> String {
    format!("{:016}", id.into())
}

/// A definition, by ref.
#[must_use]
pub fn definition(kind: Kind, reference: impl Display) -> Key {
    Key::new(kind.as_str(), reference.to_string())
}

/// The lookup from a definition's id to its ref.
#[must_use]
pub fn by_id(kind: Kind, id: i64) -> Key {
    Key::new(format!("{}.id", kind.as_str()), padded(id))
}

/// Partition of the enabled rules of a trigger.
#[must_use]
pub fn bindings(trigger_ref: impl Display) -> String {
    format!("bindings/{trigger_ref}")
}

/// One enabled rule of a trigger.
#[must_use]
pub fn binding(trigger_ref: impl Display, rule: i64) -> Key {
    Key::new(bindings(trigger_ref), padded(rule))
}

/// The generation of a trigger's bindings.
#[must_use]
pub fn bindings_generation(trigger_ref: impl Display) -> Key {
    Key::new("generation", bindings(trigger_ref))
}

/// The generation of the policies.
#[must_use]
pub fn policies_generation() -> Key {
    Key::new("generation", "policies")
}

/// Partition of the names of an owner's keys.
#[must_use]
pub fn keys(holder: &Holder) -> String {
    format!("keys/{holder}")
}

/// The name of one key among its owner's.
#[must_use]
pub fn key_name(holder: &Holder, name: &str) -> Key {
    Key::new(keys(holder), name)
}

/// The generation of the keys.
#[must_use]
pub fn keys_generation() -> Key {
    Key::new("generation", "keys")
}

/// What a pack's files said when it was last installed.
#[must_use]
pub fn pack_sources(pack_ref: impl Display) -> Key {
    Key::new("pack.sources", pack_ref.to_string())
}

/// Partition of a pack's tests that were run.
#[must_use]
pub fn pack_tests(pack_ref: impl Display) -> String {
    format!("pack.tests/{pack_ref}")
}

/// Tests of a pack that were run.
#[must_use]
pub fn pack_test(pack_ref: impl Display, id: i64) -> Key {
    Key::new(pack_tests(pack_ref), padded(id))
}

/// A webhook key.
#[must_use]
pub fn webhook(key: &str) -> Key {
    Key::new("webhook", key)
}

/// An identity.
#[must_use]
pub fn identity(id: i64) -> Key {
    Key::new(Kind::Identity.as_str(), padded(id))
}

/// A login name.
#[must_use]
pub fn login(login: &str) -> Key {
    Key::new("identity.login", login)
}

/// Partition of index `Of` with all rules of a trigger, enabled or not.
#[must_use]
pub fn rules_of_trigger(trigger_ref: impl Display) -> String {
    format!("rules-of-trigger/{trigger_ref}")
}

/// Partition of index `By` with all rules of an action.
#[must_use]
pub fn rules_of_action(action_ref: impl Display) -> String {
    format!("rules-of-action/{action_ref}")
}
