//! The permission sets that every Attune has, in force until the core pack has brought them as records.

use super::{Action, Grant, Resource};
use serde_json::Map;
use std::sync::{Arc, LazyLock};

const NAMES: [&str; 4] = ["core.admin", "core.editor", "core.executor", "core.viewer"];

/// What each of [`NAMES`] may do with a resource.
const TABLE: &[(Resource, [&str; 4])] = &[
    (
        Resource::Packs,
        ["read create install configure delete", "read create install configure", "read", "read"],
    ),
    (
        Resource::Actions,
        ["read create update delete execute", "read create update execute", "read execute", "read"],
    ),
    (Resource::Queues, ["read create update delete", "read create update delete", "", "read"]),
    (Resource::Rules, ["read create update delete", "read create update", "read", "read"]),
    (Resource::Triggers, ["read create update delete", "read", "read", "read"]),
    (Resource::Executions, ["read update cancel", "read cancel", "read", "read"]),
    (Resource::Events, ["read", "", "", ""]),
    (Resource::Enforcements, ["read", "", "", ""]),
    (Resource::Inquiries, ["read create update delete respond", "", "", ""]),
    (Resource::Keys, ["read create update delete decrypt", "read update decrypt", "read", "read"]),
    (Resource::Artifacts, ["read create update delete", "read", "read", "read"]),
    (Resource::Runtimes, ["read create update delete", "read create update", "read", "read"]),
    (Resource::Workers, ["read manage", "read", "read", "read"]),
    (Resource::Retention, ["read update", "", "", ""]),
    (Resource::AuditLog, ["read", "", "", ""]),
    (Resource::Identities, ["read create update delete", "", "", ""]),
    (Resource::Permissions, ["read create update delete manage", "", "", ""]),
];

static SETS: LazyLock<[Arc<[Grant]>; 4]> = LazyLock::new(|| {
    std::array::from_fn(|column| {
        TABLE
            .iter()
            .filter(|(_, cells)| !cells[column].is_empty())
            .map(|(resource, cells)| Grant {
                resource: *resource,
                actions: cells[column].split(' ').filter_map(Action::from_word).collect(),
                constraints: Map::new(),
            })
            .collect()
    })
});

/// A built-in set; `None` where it is none.
pub(super) fn set(reference: &str) -> Option<Arc<[Grant]>> {
    let column = NAMES.iter().position(|name| *name == reference)?;
    Some(Arc::clone(&SETS[column]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_word_of_the_table_is_an_action() {
        for (resource, cells) in TABLE {
            for word in cells.iter().flat_map(|cell| cell.split_whitespace()) {
                assert!(Action::from_word(word).is_some(), "{word} on {resource:?}");
            }
        }
    }

    #[test]
    fn an_admin_sees_secrets_of_the_keystore_but_not_of_executions() {
        let admin = set("core.admin").unwrap();
        let may = |resource, action| admin.iter().any(|grant| grant.allows(resource, action));
        assert!(may(Resource::Keys, Action::Decrypt));
        assert!(!may(Resource::Executions, Action::Decrypt));
    }

    #[test]
    fn the_core_pack_brings_the_same() {
        let flat = |grants: &[Grant]| -> BTreeSet<(Resource, Action)> {
            let of = |grant: &Grant| {
                let resource = grant.resource;
                grant.actions.clone().into_iter().map(move |action| (resource, action))
            };
            grants.iter().flat_map(of).collect()
        };
        let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/core");
        let files = attune_packs::load(&core).unwrap().permission_sets;
        assert_eq!(files.len(), NAMES.len());
        for file in files {
            let name = file.reference.as_str();
            let grants = Grant::read_all(&serde_json::to_value(&file.grants).unwrap());
            assert_eq!(flat(&grants), flat(&set(name).unwrap()), "{name}");
        }
    }
}
