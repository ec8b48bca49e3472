//! The grants that somebody holds, read from permission sets.

use super::{Action, EffectivePermissionResponse, Grant, Resource, Target, Who, builtin};
use crate::Error;
use attune_catalogue::layout;
use attune_ports::Ports;
use attune_ports::records::Kind;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The pseudo-ref that every execution may name: access to what its own action and pack keep.
pub const STANDARD: &str = "standard";

/// Everything that somebody may do.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    sets: Vec<Arc<[Grant]>>,
    everything: bool,
}

#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    grants: Value,
}

impl Grants {
    /// What these sets allow together.
    #[must_use]
    pub const fn new(sets: Vec<Arc<[Grant]>>) -> Self {
        Self { sets, everything: false }
    }

    /// No limits, as for the platform's own tokens.
    #[must_use]
    pub const fn everything() -> Self {
        Self { sets: vec![], everything: true }
    }

    /// Reads permission sets by ref. Sets that do not exist allow nothing, except that the built-in ones
    /// work before the core pack has brought their records.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where records cannot be read.
    pub async fn load(ports: &Ports, refs: &[String]) -> Result<Self, Error> {
        let mut sets = Vec::with_capacity(refs.len());
        for reference in refs {
            if let Some(set) = set(ports, reference).await? {
                sets.push(set);
            }
        }
        Ok(Self::new(sets))
    }

    /// These and what every execution may do that names [`STANDARD`]: read what its action and pack, of these refs,
    /// keep.
    #[must_use]
    pub fn with_standard(mut self, actions: &Value, packs: &Value) -> Self {
        let of = |kind: &str, refs: &Value| {
            let whose = json!({"owner_types": [kind], "owner_refs": refs});
            [
                ("keys", json!(["read", "decrypt"])),
                ("artifacts", json!(["read", "create", "update", "delete"])),
            ]
            .map(|(on, may)| json!({"resource": on, "actions": may, "constraints": whose}))
        };
        let grants = [of("action", actions), of("pack", packs)].concat();
        self.sets.push(Grant::read_all(&grants.into()).into());
        self
    }

    fn matching(&self, resource: Resource, action: Action) -> impl Iterator<Item = &Grant> {
        self.sets
            .iter()
            .flat_map(|set| set.iter())
            .filter(move |grant| grant.allows(resource, action))
    }

    /// Whether `who` may act on `target`.
    #[must_use]
    pub fn allow(
        &self,
        resource: Resource,
        action: Action,
        target: Target<'_>,
        who: &Who<'_>,
    ) -> bool {
        self.everything || self.matching(resource, action).any(|grant| grant.holds_for(target, who))
    }

    /// Whether `who` may act on `target` by a grant that has one of these constraints.
    #[must_use]
    pub fn allow_by_constraint(
        &self,
        resource: Resource,
        action: Action,
        target: Target<'_>,
        who: &Who<'_>,
        constraints: &[&str],
    ) -> bool {
        let named =
            |grant: &&Grant| constraints.iter().any(|it| grant.constraints.contains_key(*it));
        self.everything
            || self
                .matching(resource, action)
                .filter(named)
                .any(|grant| grant.holds_for(target, who))
    }

    /// Whether there is any target at all that may be acted on.
    #[must_use]
    pub fn allow_some(&self, resource: Resource, action: Action) -> bool {
        self.everything || self.matching(resource, action).next().is_some()
    }

    /// Whether every target may be acted on.
    #[must_use]
    pub fn allow_all(&self, resource: Resource, action: Action) -> bool {
        self.everything || self.matching(resource, action).any(|grant| grant.constraints.is_empty())
    }

    /// Whether these grants contain those, so that they may be passed on.
    #[must_use]
    pub fn contain(&self, others: &Self) -> bool {
        self.everything
            || others.sets.iter().flat_map(|set| set.iter()).all(|other| {
                other.actions.iter().all(|action| {
                    self.matching(other.resource, *action).any(|own| {
                        own.constraints.is_empty() || own.constraints == other.constraints
                    })
                })
            })
    }

    /// The grants, merged per resource and sorted, without constraints.
    #[must_use]
    pub fn effective(&self) -> Vec<EffectivePermissionResponse> {
        let mut merged = BTreeMap::<_, BTreeSet<_>>::new();
        for grant in self.sets.iter().flat_map(|set| set.iter()) {
            let actions = grant.actions.iter().map(|action| action.as_str());
            merged.entry(grant.resource.as_str()).or_default().extend(actions);
        }
        merged
            .into_iter()
            .map(|(resource, actions)| EffectivePermissionResponse {
                resource,
                actions: actions.into_iter().collect(),
            })
            .collect()
    }
}

/// One permission set; `None` where there is none of that ref.
///
/// # Errors
/// [`Error::Unavailable`] where records cannot be read.
pub async fn set(ports: &Ports, reference: &str) -> Result<Option<Arc<[Grant]>>, Error> {
    let key = layout::definition(Kind::PermissionSet, reference);
    let Some(record) = ports.records.get(&key).await? else {
        return Ok(builtin::set(reference));
    };
    if let Some(known) = ports.memo.get::<Arc<[Grant]>>(reference, &record.body) {
        return Ok(Some(Arc::clone(&known)));
    }
    let stored: Stored = record.decode()?;
    let grants: Arc<[Grant]> = Grant::read_all(&stored.grants).into();
    ports.memo.put(reference, record.body.clone(), Arc::new(Arc::clone(&grants)));
    Ok(Some(grants))
}

/// Whether somebody with `own` grants may give an execution these permission sets: they must exist and
/// allow nothing more.
///
/// # Errors
/// [`Error::Forbidden`] where not, [`Error::Unavailable`] where records cannot be read.
pub async fn check_delegation(ports: &Ports, own: &Grants, refs: &[String]) -> Result<(), Error> {
    for reference in refs.iter().filter(|reference| *reference != STANDARD) {
        let Some(set) = set(ports, reference).await? else {
            return Err(Error::Forbidden(format!("Permission set '{reference}' does not exist")));
        };
        if !own.contain(&Grants::new(vec![set])) {
            return Err(Error::Forbidden(format!(
                "Permission set '{reference}' allows more than you may yourself"
            )));
        }
    }
    Ok(())
}

/// Whether somebody with `own` grants may bring this pack: its permission sets may allow nothing more, and
/// neither may those of others that its actions and rules name. Else a pack would be a way to more
/// permissions than one has. A set that does not exist allows nothing, and is passed over.
///
/// # Errors
/// [`Error::Forbidden`] where not, [`Error::Unavailable`] where records cannot be read.
pub async fn check_pack(
    ports: &Ports,
    own: &Grants,
    pack: &attune_packs::Pack,
) -> Result<(), Error> {
    for brought in &pack.permission_sets {
        let grants = serde_json::to_value(&brought.grants).unwrap_or_default();
        if !own.contain(&Grants::new(vec![Grant::read_all(&grants).into()])) {
            let reference = &brought.reference;
            return Err(Error::Forbidden(format!(
                "Permission set '{reference}' of the pack allows more than you may yourself"
            )));
        }
    }
    let of_actions =
        pack.actions.iter().flat_map(|action| &action.default_execution_permission_set_refs);
    let of_rules = pack.rules.iter().filter_map(|rule| rule.permission_set_refs.as_ref()).flatten();
    let of_workflows = pack.workflows.iter().flat_map(|workflow| &workflow.permission_set_refs);
    let brought =
        |name: &str| pack.permission_sets.iter().any(|set| set.reference.as_str() == name);
    let named = of_actions.chain(of_rules).chain(of_workflows).filter(|name| !brought(name));
    check_existing(ports, own, named.collect()).await
}

/// Insists that nothing that a pack's workflows bring allows more than `own` do: neither the actions that execute
/// them nor their tasks.
///
/// # Errors
/// As [`check_pack`].
pub async fn check_workflows(
    ports: &Ports,
    own: &Grants,
    files: &attune_packs::WorkflowFiles,
) -> Result<(), Error> {
    let named = files.workflows.iter().flat_map(|(action, workflow)| {
        action.default_execution_permission_set_refs.iter().chain(&workflow.permission_set_refs)
    });
    check_existing(ports, own, named.collect()).await
}

async fn check_existing(ports: &Ports, own: &Grants, named: Vec<&String>) -> Result<(), Error> {
    for reference in named {
        if set(ports, reference).await?.is_some() {
            check_delegation(ports, own, std::slice::from_ref(reference)).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_contains_the_others_and_not_the_other_way_round() {
        let grants = |name: &str| Grants::new(builtin::set(name).into_iter().collect());
        for (own, other, contains) in [
            ("core.admin", "core.editor", true),
            ("core.admin", "core.viewer", true),
            ("core.editor", "core.executor", true),
            ("core.editor", "core.viewer", true),
            // A viewer sees queues, which an executor does not.
            ("core.executor", "core.viewer", false),
            ("core.viewer", "core.executor", false),
            ("core.editor", "core.admin", false),
            ("core.viewer", "core.unheard_of", true),
        ] {
            assert_eq!(grants(own).contain(&grants(other)), contains, "{own} ⊇ {other}");
        }
        assert!(Grants::everything().contain(&grants("core.admin")));
        assert!(!grants("core.viewer").contain(&grants("core.admin")));
    }

    #[test]
    fn effective_permissions_are_merged_and_sorted() {
        let two = Grants::new(
            [builtin::set("core.viewer"), builtin::set("core.executor")]
                .into_iter()
                .flatten()
                .collect(),
        );
        let effective = two.effective();
        assert!(effective.is_sorted_by_key(|e| e.resource));
        let actions = effective.iter().find(|e| e.resource == "actions").map(|e| e.actions.clone());
        assert_eq!(actions, Some(vec!["execute", "read"]));
    }
}
