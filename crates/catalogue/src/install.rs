//! Packs from files: everything a pack defines is stored under its ref, again and again, with no harm.
//!
//! Each definition is a commit of its own, the pack first and the note of what its files said last
//! ([`layout::pack_sources`]). So an installation that was cut short is completed by the next. The note lets the
//! next one leave alone whatever the files say as before: an operator's changes, such as a disabled
//! rule, survive restarts and upgrades until the author changes the same definition.

mod component;
mod sources;
mod workflow;

pub(crate) use sources::Sources;
pub use workflow::{Synced, sync_workflows};

use crate::definition::{Definition, PermissionSet, Stored};
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{
    actions, layout, packs, permission_sets, policies, read, rules, secrets, sensors, triggers,
    workflows,
};
use attune_domain::catalogue::{Action, Pack, Rule, Sensor, Trigger, Workflow};
use attune_domain::id::PackId;
use attune_domain::policy::Policy;
use attune_ports::Ports;
use attune_ports::records::Kind;
use component::Component;
use serde_json::Value;
use std::collections::BTreeSet;

/// On whose behalf a pack is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The server's own start: the manifest's `system` is believed, and definitions that a person deleted
    /// stay deleted.
    Startup,
    /// A person's request: what the files define is there afterwards.
    Registration {
        /// Whether a pack of the same ref may be replaced.
        force: bool,
    },
}

/// What became of an installation.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// The pack as stored.
    pub pack: Pack,
    /// Whether it is new.
    pub created: bool,
    /// Definitions that were left out, and why; one sentence each.
    pub warnings: Vec<String>,
}

/// Stores a pack and everything it defines. `path` is the folder that holds its files.
///
/// Ids, configuration and ad-hoc definitions of a pack that is there already are kept; definitions that
/// its files no longer have are deleted.
///
/// # Errors
/// [`Error::Conflict`] where the pack is there and may not be replaced; [`Error::Unavailable`],
/// [`Error::Unreadable`] or [`Error::Contended`]. Another installation completes what was begun.
pub async fn install(
    ports: &Ports,
    files: &attune_packs::Pack,
    path: Option<&str>,
    origin: Origin,
) -> Result<Installed, Error> {
    let (pack, created) = settled(ports, || store_pack(ports, files, path, origin)).await?;
    let known = sources(ports, pack.reference.as_str()).await?;
    let mut run =
        Run { ports, pack, origin, known, found: Sources::default(), warnings: Vec::new() };
    run.permission_sets(files).await?;
    run.triggers(files).await?;
    run.actions(files).await?;
    run.rules(files).await?;
    run.sensors(files).await?;
    run.policies(files).await?;
    run.remove_leftovers(files).await?;
    if run.found != run.known {
        settled(ports, || note(ports, &run)).await?;
    }
    Ok(Installed { pack: run.pack, created, warnings: run.warnings })
}

/// Keeps what the files said, for the next time.
async fn note(ports: &Ports, run: &Run<'_>) -> Result<(), Failure> {
    let mut draft = Draft::new();
    draft.put(run.found.record(run.pack.reference.as_str()));
    draft.commit(ports).await
}

/// What a pack's files said when it was last installed.
pub(crate) async fn sources(ports: &Ports, pack: &str) -> Result<Sources, Error> {
    let record = ports.records.get(&layout::pack_sources(pack)).await?;
    Ok(record.map(|record| record.decode()).transpose()?.unwrap_or_default())
}

async fn store_pack(
    ports: &Ports,
    files: &attune_packs::Pack,
    path: Option<&str>,
    origin: Origin,
) -> Result<(Pack, bool), Failure> {
    let manifest = &files.manifest;
    let before: Option<Stored<Pack>> = read::stored(ports, manifest.reference.as_str()).await?;
    if before.is_some() && origin == (Origin::Registration { force: false }) {
        return Err(Error::taken(Kind::Pack, &manifest.reference).into());
    }
    let old = before.as_ref().map(|before| &before.value);
    let now = ports.clock.now();
    let is_standard = match origin {
        Origin::Startup => manifest.system,
        Origin::Registration { .. } => old.is_some_and(|old| old.is_standard),
    };
    let mut pack = Pack {
        id: old.map_or_else(|| PackId::new(ports.ids.next()), |old| old.id),
        reference: manifest.reference.clone(),
        label: manifest.label.clone(),
        description: manifest.description.clone(),
        version: manifest.version.clone(),
        conf_schema: manifest.conf_schema.clone(),
        config: old
            .map_or_else(|| Value::Object(manifest.config.clone()), |old| old.config.clone()),
        secrets: None,
        meta: Value::Object(manifest.meta.clone()),
        tags: manifest.tags.clone(),
        runtime_deps: manifest.runtime_deps.clone(),
        dependencies: manifest.dependencies.clone(),
        is_standard,
        path: path.map(str::to_owned),
        created: old.map_or(now, |old| old.created),
        updated: old.map_or(now, |old| old.updated),
    };
    secrets::seal_pack(ports, old, &mut pack).await?;
    if old != Some(&pack) {
        pack.updated = now;
        let mut draft = Draft::new();
        draft.store(before.as_ref(), &pack);
        draft.commit(ports).await?;
    }
    Ok((pack, before.is_none()))
}

/// One installation under way.
struct Run<'a> {
    ports: &'a Ports,
    pack: Pack,
    origin: Origin,
    /// What the files said last time.
    known: Sources,
    /// What they say now, as far as it was stored.
    found: Sources,
    warnings: Vec<String>,
}

impl Run<'_> {
    /// Whether a definition is to be stored: its file is new or changed, or it is missing and somebody
    /// asked for it.
    async fn is_due<T: Definition>(&self, reference: &str, digest: &str) -> Result<bool, Error> {
        if !self.known.says(T::KIND, reference, digest) {
            return Ok(true);
        }
        let asked = self.origin != Origin::Startup;
        Ok(asked && read::get::<T>(self.ports, reference).await?.is_none())
    }

    /// Notes that a definition is stored, or why not. What only its author can mend is no failure of the
    /// installation.
    fn note<T: Definition>(
        &mut self,
        reference: &str,
        digest: String,
        done: Result<(), Error>,
    ) -> Result<(), Error> {
        match done {
            Ok(()) => self.found.add(T::KIND, reference, digest),
            Err(error) if error.is_lasting() => {
                let kind = T::KIND.as_str().replace('_', " ");
                self.warnings.push(format!("{kind} '{reference}' was left out: {error}"));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn permission_sets(&mut self, files: &attune_packs::Pack) -> Result<(), Error> {
        for file in &files.permission_sets {
            let (reference, digest) = (file.reference.as_str(), Sources::digest(file));
            let mut done = Ok(());
            if self.is_due::<PermissionSet>(reference, &digest).await? {
                done = self
                    .store(reference, |old, run| component::permission_set(file, old, run))
                    .await
                    .map(drop);
            }
            self.note::<PermissionSet>(reference, digest, done)?;
        }
        Ok(())
    }

    async fn triggers(&mut self, files: &attune_packs::Pack) -> Result<(), Error> {
        for file in &files.triggers {
            let (reference, digest) = (file.reference.as_str(), Sources::digest(file));
            let mut done = Ok(());
            if self.is_due::<Trigger>(reference, &digest).await? {
                done = match self
                    .store(reference, |old, run| component::trigger(file, old, run))
                    .await
                {
                    Ok(trigger) => {
                        triggers::apply(self.ports, &trigger).await;
                        triggers::welcome(self.ports, &trigger).await
                    }
                    Err(error) => Err(error),
                };
            }
            self.note::<Trigger>(reference, digest, done)?;
        }
        Ok(())
    }

    async fn actions(&mut self, files: &attune_packs::Pack) -> Result<(), Error> {
        for file in &files.actions {
            let reference = file.reference.as_str();
            let graph = files.workflows.iter().find(|graph| graph.reference == file.reference);
            let digest = match graph {
                Some(graph) => Sources::digest(&(file, graph)),
                None => Sources::digest(file),
            };
            let mut done = Ok(());
            if self.is_due::<Action>(reference, &digest).await? {
                let (ports, run) = (self.ports, &*self);
                let stored = match graph {
                    Some(graph) => settled(ports, || workflow::store(file, graph, run)).await,
                    None => {
                        self.store(reference, |old, run| component::action(file, old, run)).await
                    }
                };
                done = match stored {
                    Ok(action) => actions::welcome(ports, &action).await,
                    Err(error) => Err(error),
                };
            }
            self.note::<Action>(reference, digest, done)?;
        }
        Ok(())
    }

    async fn sensors(&mut self, files: &attune_packs::Pack) -> Result<(), Error> {
        for file in &files.sensors {
            let (reference, digest) = (file.reference.as_str(), Sources::digest(file));
            let mut done = Ok(());
            if self.is_due::<Sensor>(reference, &digest).await? {
                let (ports, run) = (self.ports, &*self);
                done = match settled(ports, || component::store_sensor(file, run)).await {
                    Ok(sensor) => {
                        crate::timers::apply_sensor(self.ports, &sensor).await;
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
            }
            self.note::<Sensor>(reference, digest, done)?;
        }
        Ok(())
    }

    async fn rules(&mut self, files: &attune_packs::Pack) -> Result<(), Error> {
        for file in &files.rules {
            let (reference, digest) = (file.reference.as_str(), Sources::digest(file));
            let mut done = Ok(());
            if self.is_due::<Rule>(reference, &digest).await? {
                let (ports, run) = (self.ports, &*self);
                done = match settled(ports, || component::store_rule(file, run)).await {
                    Ok(rule) => {
                        crate::timers::apply_rule(self.ports, &rule).await;
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
            }
            self.note::<Rule>(reference, digest, done)?;
        }
        Ok(())
    }

    async fn policies(&mut self, files: &attune_packs::Pack) -> Result<(), Error> {
        for file in &files.policies {
            let (reference, digest) = (file.reference.as_str(), Sources::digest(file));
            let mut done = Ok(());
            if self.is_due::<Policy>(reference, &digest).await? {
                let (ports, run) = (self.ports, &*self);
                done = settled(ports, || component::store_policy(file, run)).await;
            }
            self.note::<Policy>(reference, digest, done)?;
        }
        Ok(())
    }

    /// Creates or replaces one definition by what `build` makes of the one that is there.
    async fn store<T: Component>(
        &self,
        reference: &str,
        build: impl Fn(Option<&T>, &Self) -> Result<T, Error> + Send + Sync,
    ) -> Result<T, Error> {
        settled(self.ports, || self.store_once(reference, &build)).await
    }

    async fn store_once<T: Component>(
        &self,
        reference: &str,
        build: &(impl Fn(Option<&T>, &Self) -> Result<T, Error> + Send + Sync),
    ) -> Result<T, Failure> {
        let before: Option<Stored<T>> = read::stored(self.ports, reference).await?;
        let old = before.as_ref().map(|before| &before.value);
        let mut after = build(old, self)?;
        if old != Some(&after) {
            after.touch(self.ports.clock.now());
            let mut draft = Draft::new();
            draft.store(before.as_ref(), &after);
            draft.commit(self.ports).await?;
        }
        Ok(after)
    }

    /// Deletes what the pack's files no longer define; what came over the API stays.
    async fn remove_leftovers(&mut self, files: &attune_packs::Pack) -> Result<(), Error> {
        let ports = self.ports;
        let named = files.rules.iter().map(|file| file.reference.as_str());
        for rule in self.leftovers::<Rule>(named.collect()).await? {
            packs::gone(rules::delete(ports, &rule).await)?;
        }
        let named = files.sensors.iter().map(|file| file.reference.as_str());
        for sensor in self.leftovers::<Sensor>(named.collect()).await? {
            packs::gone(sensors::delete(ports, &sensor).await)?;
        }
        let named = files.actions.iter().map(|file| file.reference.as_str());
        for action in self.leftovers::<Action>(named.collect()).await? {
            packs::gone(actions::delete(ports, &action).await)?;
        }
        let named = files.workflows.iter().map(|file| file.reference.as_str());
        for workflow in self.leftovers::<Workflow>(named.collect()).await? {
            packs::gone(workflows::delete_alone(ports, &workflow).await)?;
        }
        let named = files.triggers.iter().map(|file| file.reference.as_str());
        for trigger in self.leftovers::<Trigger>(named.collect()).await? {
            packs::gone(triggers::delete(ports, &trigger).await)?;
        }
        let named = files.permission_sets.iter().map(|file| file.reference.as_str());
        for set in self.leftovers::<PermissionSet>(named.collect()).await? {
            packs::gone(permission_sets::delete(ports, &set).await)?;
        }
        // A policy does not know its pack; the note of last time does.
        let named: BTreeSet<&str> =
            files.policies.iter().map(|file| file.reference.as_str()).collect();
        for policy in self.known.refs_of(Kind::Policy).filter(|policy| !named.contains(policy)) {
            packs::gone(policies::delete(ports, policy).await)?;
        }
        Ok(())
    }

    async fn leftovers<T: Component>(&self, named: BTreeSet<&str>) -> Result<Vec<String>, Error> {
        let pack = self.pack.reference.as_str();
        let left = read::filtered::<T>(self.ports, &read::Part::ALL, |definition| {
            definition.pack() == Some(pack)
                && !definition.is_adhoc()
                && !named.contains(definition.reference())
        })
        .await?;
        Ok(left.items.iter().map(|definition| definition.reference().to_owned()).collect())
    }
}
