//! Who may do what: grants of permission sets, checked on every route.
//!
//! A [`Grant`] allows actions on a resource, perhaps only where [constraints](Grant::constraints) hold for
//! the [`Target`]. Any matching grant allows. What is not known of a target fails a constraint on it, so a
//! check that names no target is passed by unconstrained grants only.

mod builtin;
pub mod grants;

pub use grants::Grants;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            /// The word in grants.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word in grants; `None` where it is none.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What a grant is about.
    Resource {
        /// Packs and pack indices.
        Packs = "packs",
        /// Actions, and the policies that say when they run.
        Actions = "actions",
        /// Queues, and the dead letters of the journey's own.
        Queues = "queues",
        /// Rules.
        Rules = "rules",
        /// Triggers and sensors.
        Triggers = "triggers",
        /// Executions.
        Executions = "executions",
        /// Events.
        Events = "events",
        /// Enforcements.
        Enforcements = "enforcements",
        /// Questions to people.
        Inquiries = "inquiries",
        /// The keystore.
        Keys = "keys",
        /// Files that executions leave.
        Artifacts = "artifacts",
        /// Runtimes.
        Runtimes = "runtimes",
        /// Workers.
        Workers = "workers",
        /// How long things are kept.
        Retention = "retention",
        /// Identities.
        Identities = "identities",
        /// Permission sets and assignments.
        Permissions = "permissions",
        /// The audit log.
        AuditLog = "audit_log",
    }
}

words! {
    /// What a grant allows.
    Action {
        /// See it.
        Read = "read",
        /// Make one.
        Create = "create",
        /// Install a pack.
        Install = "install",
        /// Change a pack's configuration.
        Configure = "configure",
        /// Change it.
        Update = "update",
        /// Remove it.
        Delete = "delete",
        /// Run it.
        Execute = "execute",
        /// Stop it.
        Cancel = "cancel",
        /// Answer it.
        Respond = "respond",
        /// Administer it.
        Manage = "manage",
        /// See its secrets.
        Decrypt = "decrypt",
    }
}

/// What is known of the thing that somebody wants to act on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'a> {
    /// Its wire id.
    pub id: Option<i64>,
    /// Its ref; an execution has its action's.
    pub reference: Option<&'a str>,
    /// Ref of its pack.
    pub pack_ref: Option<&'a str>,
    /// The identity that it belongs to; an execution belongs to its executor.
    pub owner: Option<i64>,
    /// Whose it is, where things belong to others than people.
    pub owned: Option<Owned<'a>>,
    /// Whether it takes a permission of its own to see all of it.
    pub encrypted: Option<bool>,
}

/// Whose something is.
#[derive(Clone, Copy, Debug)]
pub struct Owned<'a> {
    /// Kind of the owner: `system`, `identity`, `pack`, `action`, `sensor`.
    pub by: &'a str,
    /// Ref of the owner, where it has one.
    pub reference: Option<&'a str>,
}

/// One thing that a permission set allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// On what.
    pub resource: Resource,
    /// What.
    pub actions: Vec<Action>,
    /// Where; all must hold.
    pub constraints: Map<String, Value>,
}

#[derive(Deserialize)]
struct Written {
    resource: String,
    actions: Vec<String>,
    #[serde(default)]
    constraints: Option<Map<String, Value>>,
}

impl Grant {
    /// Reads the `grants` of a permission set. What names an unknown resource or action allows nothing.
    #[must_use]
    pub fn read_all(grants: &Value) -> Vec<Self> {
        let Some(grants) = grants.as_array() else { return vec![] };
        grants
            .iter()
            .filter_map(|grant| {
                let written = Written::deserialize(grant).ok()?;
                Some(Self {
                    resource: Resource::from_word(&written.resource)?,
                    actions: written.actions.iter().filter_map(|a| Action::from_word(a)).collect(),
                    constraints: written.constraints.unwrap_or_default(),
                })
            })
            .collect()
    }

    fn allows(&self, resource: Resource, action: Action) -> bool {
        self.resource == resource && self.actions.contains(&action)
    }

    fn holds_for(&self, target: Target<'_>, who: &Who<'_>) -> bool {
        self.constraints.iter().all(|(key, wanted)| {
            let listed = |text: Option<&str>| {
                text.is_some_and(|text| {
                    wanted.as_array().is_some_and(|all| all.iter().any(|one| one == text))
                })
            };
            let own = target.owner.is_some() && target.owner == who.identity;
            match key.as_str() {
                "pack_refs" => listed(target.pack_ref),
                "refs" => listed(target.reference),
                "ids" => target.id.is_some_and(|id| {
                    wanted.as_array().is_some_and(|all| all.iter().any(|one| *one == id))
                }),
                "owner_types" => listed(target.owned.map(|owned| owned.by)),
                "owner_refs" => listed(target.owned.and_then(|owned| owned.reference)),
                "encrypted" => target.encrypted.is_some_and(|encrypted| *wanted == encrypted),
                "owner" if wanted == "none" => {
                    target.owned.is_some_and(|owned| owned.by == "system")
                }
                "owner" | "execution_scope" => match wanted.as_str() {
                    Some("self") => own,
                    Some("any") => true,
                    _ => false,
                },
                "attributes" => wanted.as_object().is_some_and(|wanted| {
                    wanted.iter().all(|(name, value)| who.attributes.get(name) == Some(value))
                }),
                _ => false,
            }
        })
    }
}

/// Who wants to act, as far as constraints ask.
#[derive(Clone, Copy, Debug)]
pub struct Who<'a> {
    /// The identity.
    pub identity: Option<i64>,
    /// Its attributes.
    pub attributes: &'a Value,
}

/// What an identity may do with one resource, as `GET /auth/me` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EffectivePermissionResponse {
    /// The resource.
    #[schema(value_type = String)]
    pub resource: &'static str,
    /// What is allowed, in some constraints at least.
    #[schema(value_type = Vec<String>)]
    pub actions: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_constraint_holds_only_for_what_is_known_to_fulfil_it() {
        let mine = Target {
            id: Some(5),
            reference: Some("core.echo"),
            pack_ref: Some("core"),
            owner: Some(7),
            owned: Some(Owned { by: "identity", reference: None }),
            encrypted: Some(true),
        };
        let systems = Target {
            reference: Some("region"),
            owned: Some(Owned { by: "system", reference: None }),
            encrypted: Some(false),
            ..Target::default()
        };
        let packs = Target {
            pack_ref: Some("core"),
            owned: Some(Owned { by: "pack", reference: Some("core") }),
            ..Target::default()
        };
        let attributes = json!({"team": "red"});
        let who = Who { identity: Some(7), attributes: &attributes };
        for (constraints, on_mine, on_unknown) in [
            (json!({}), true, true),
            (json!(null), true, true),
            (json!({"pack_refs": ["core"]}), true, false),
            (json!({"pack_refs": ["other"]}), false, false),
            (json!({"refs": ["core.echo"]}), true, false),
            (json!({"ids": [4, 5]}), true, false),
            (json!({"owner": "self"}), true, false),
            (json!({"owner": "any"}), true, true),
            (json!({"owner": "none"}), false, false),
            (json!({"execution_scope": "self"}), true, false),
            (json!({"attributes": {"team": "red"}}), true, true),
            (json!({"attributes": {"team": "blue"}}), false, false),
            (json!({"pack_refs": ["core"], "ids": [1]}), false, false),
            (json!({"unheard_of": 1}), false, false),
        ] {
            let written = json!([{
                "resource": "executions", "actions": ["read"], "constraints": constraints
            }]);
            let grants = Grants::new(vec![Grant::read_all(&written).into()]);
            let may = |target| grants.allow(Resource::Executions, Action::Read, target, &who);
            assert_eq!(may(mine), on_mine, "{constraints} on a known target");
            assert_eq!(may(Target::default()), on_unknown, "{constraints} on an unknown one");
        }
        for (constraints, on_mine, on_systems, on_packs) in [
            (json!({"owner_types": ["pack", "system"]}), false, true, true),
            (json!({"owner_refs": ["core"]}), false, false, true),
            (json!({"owner": "none"}), false, true, false),
            (json!({"owner": "self"}), true, false, false),
            (json!({"encrypted": true}), true, false, false),
            (json!({"encrypted": false}), false, true, false),
        ] {
            let written = json!([{
                "resource": "keys", "actions": ["read"], "constraints": constraints
            }]);
            let grants = Grants::new(vec![Grant::read_all(&written).into()]);
            let may = |target| grants.allow(Resource::Keys, Action::Read, target, &who);
            let found = (may(mine), may(systems), may(packs));
            assert_eq!(found, (on_mine, on_systems, on_packs), "{constraints}");
        }
    }

    #[test]
    fn words_that_nobody_knows_allow_nothing() {
        for grants in
            [json!(null), json!({}), json!([1]), json!([{"resource": "moon", "actions": ["read"]}])]
        {
            assert!(Grant::read_all(&grants).is_empty(), "{grants}");
        }
        let half = json!([{"resource": "keys", "actions": ["read", "fly"]}]);
        assert_eq!(Grant::read_all(&half)[0].actions, [Action::Read]);
    }
}
