//! Packs: made, changed and removed with all that belongs to them. What comes from files is
//! [`crate::install`]'s matter.

use crate::definition::{Definition, PermissionSet, Stored};
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{
    actions, check, install, layout, pack_tests, permission_sets, policies, read, rules, secrets,
    sensors, triggers, workflows,
};
use attune_domain::catalogue::{Action, Pack, Rule, Sensor, Trigger, Workflow};
use attune_domain::id::PackId;
use attune_domain::reference::PackRef;
use attune_domain::schema::Schema;
use attune_ports::Ports;
use attune_ports::records::Kind;
use serde_json::Value;

/// A pack to be made.
#[derive(Clone, Debug)]
pub struct NewPack {
    /// Its name, not taken yet.
    pub reference: PackRef,
    /// For people; 1 to 255 characters.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// A semantic version of 1 to 50 characters.
    pub version: String,
    /// Schema of `config`.
    pub conf_schema: Value,
    /// Values that templates read as `pack.config`.
    pub config: Value,
    /// Free data of the author.
    pub meta: Value,
    /// Search words.
    pub tags: Vec<String>,
    /// Runtimes it names.
    pub runtime_deps: Vec<String>,
    /// Refs of packs it needs.
    pub dependencies: Vec<String>,
    /// Whether it counts as shipped with Attune.
    pub is_standard: bool,
}

/// What to change about a pack; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct PackChange {
    /// For people; 1 to 255 characters.
    pub label: Option<String>,
    /// For people; `Some(None)` clears it.
    pub description: Option<Option<String>>,
    /// Another semantic version.
    pub version: Option<String>,
    /// Another schema of `config`.
    pub conf_schema: Option<Value>,
    /// Another configuration, as a whole.
    pub config: Option<Value>,
    /// Other free data.
    pub meta: Option<Value>,
    /// Other search words.
    pub tags: Option<Vec<String>>,
    /// Other runtimes.
    pub runtime_deps: Option<Vec<String>>,
    /// Other packs it needs.
    pub dependencies: Option<Vec<String>>,
    /// Whether it counts as shipped with Attune.
    pub is_standard: Option<bool>,
}

/// Insists that a pack is as it was read: so that nothing is added to a pack that is being removed.
pub(crate) fn insist(draft: &mut Draft, pack: &Stored<Pack>) {
    draft.insist(pack.value.reference.as_str(), Some(pack));
}

/// Makes a pack without files.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, [`Error::Invalid`] for a wrong value.
pub async fn create(ports: &Ports, new: &NewPack) -> Result<Pack, Error> {
    check::label(&new.label)?;
    check::version(&new.version)?;
    for (field, value) in
        [("conf_schema", &new.conf_schema), ("config", &new.config), ("meta", &new.meta)]
    {
        check::object(field, value)?;
    }
    check::schema("conf_schema", Some(&new.conf_schema))?;
    secrets::whole("config", &new.config)?;
    settled(ports, || create_once(ports, new)).await
}

async fn create_once(ports: &Ports, new: &NewPack) -> Result<Pack, Failure> {
    if read::stored::<Pack>(ports, new.reference.as_str()).await?.is_some() {
        return Err(Error::taken(Kind::Pack, &new.reference).into());
    }
    let now = ports.clock.now();
    let mut pack = Pack {
        id: PackId::new(ports.ids.next()),
        reference: new.reference.clone(),
        label: new.label.clone(),
        description: new.description.clone(),
        version: new.version.clone(),
        conf_schema: new.conf_schema.clone(),
        config: new.config.clone(),
        secrets: None,
        meta: new.meta.clone(),
        tags: new.tags.clone(),
        runtime_deps: new.runtime_deps.clone(),
        dependencies: new.dependencies.clone(),
        is_standard: new.is_standard,
        path: None,
        created: now,
        updated: now,
    };
    secrets::seal_pack(ports, None, &mut pack).await?;
    let mut draft = Draft::new();
    draft.create(&pack);
    draft.commit(ports).await?;
    Ok(pack)
}

/// Changes a pack.
///
/// # Errors
/// [`Error::NotFound`] where there is no such pack, [`Error::Invalid`] for a wrong value.
pub async fn update(ports: &Ports, reference: &str, change: &PackChange) -> Result<Pack, Error> {
    if let Some(label) = &change.label {
        check::label(label)?;
    }
    if let Some(version) = &change.version {
        check::version(version)?;
    }
    let objects =
        [("conf_schema", &change.conf_schema), ("config", &change.config), ("meta", &change.meta)];
    for (field, value) in objects {
        if let Some(value) = value {
            check::object(field, value)?;
        }
    }
    check::schema("conf_schema", change.conf_schema.as_ref())?;
    settled(ports, || update_once(ports, reference, change)).await
}

async fn update_once(ports: &Ports, reference: &str, change: &PackChange) -> Result<Pack, Failure> {
    let before: Stored<Pack> = read::stored_or_missing(ports, reference).await?;
    let mut pack = before.value.clone();
    let change = change.clone();
    pack.label = change.label.unwrap_or(pack.label);
    pack.description = change.description.unwrap_or(pack.description);
    pack.version = change.version.unwrap_or(pack.version);
    if let Some(config) = change.config {
        // Who read the configuration saw marks for secrets and may send them back.
        let mut opened = config.clone();
        secrets::restore(&*ports.vault, &pack, &mut opened).await?;
        secrets::whole("config", &opened)?;
        pack.config = config;
    }
    pack.conf_schema = change.conf_schema.unwrap_or(pack.conf_schema);
    secrets::seal_pack(ports, Some(&before.value), &mut pack).await?;
    pack.meta = change.meta.unwrap_or(pack.meta);
    pack.tags = change.tags.unwrap_or(pack.tags);
    pack.runtime_deps = change.runtime_deps.unwrap_or(pack.runtime_deps);
    pack.dependencies = change.dependencies.unwrap_or(pack.dependencies);
    pack.is_standard = change.is_standard.unwrap_or(pack.is_standard);
    if pack != before.value {
        pack.updated = ports.clock.now();
        let mut draft = Draft::new();
        draft.replace(&pack, before.version);
        draft.commit(ports).await?;
    }
    Ok(pack)
}

/// Removes a pack and all that belongs to it, ad-hoc definitions included. Rules of other packs keep the
/// refs of what is gone and do not fire. Its files are the caller's to remove.
///
/// The pack goes last: a removal that was cut short is completed by another.
///
/// # Errors
/// [`Error::NotFound`] where there is no such pack, [`Error::Conflict`] for a system pack without `force`.
pub async fn delete(ports: &Ports, reference: &str, force: bool) -> Result<Pack, Error> {
    let pack: Pack = read::require(ports, reference).await?;
    if pack.is_standard && !force {
        let text = format!("Pack '{reference}' is a system pack; pass force=true to delete it");
        return Err(Error::Conflict(text));
    }
    clear(ports, &pack).await?;
    let pack = settled(ports, || delete_once(ports, reference)).await?;
    // What slipped in before the pack was gone; nothing can any more.
    clear(ports, &pack).await?;
    Ok(pack)
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<Pack, Failure> {
    let before: Stored<Pack> = read::stored_or_missing(ports, reference).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    draft.delete(layout::pack_sources(reference));
    draft.commit(ports).await?;
    Ok(before.value)
}

async fn clear(ports: &Ports, pack: &Pack) -> Result<(), Error> {
    let name = pack.reference.as_str();
    for rule in refs_of::<Rule>(ports, name).await? {
        gone(rules::delete(ports, &rule).await)?;
    }
    for sensor in refs_of::<Sensor>(ports, name).await? {
        gone(sensors::delete(ports, &sensor).await)?;
    }
    for trigger in refs_of::<Trigger>(ports, name).await? {
        gone(triggers::delete(ports, &trigger).await)?;
    }
    for action in refs_of::<Action>(ports, name).await? {
        gone(actions::delete(ports, &action).await)?;
    }
    for workflow in refs_of::<Workflow>(ports, name).await? {
        gone(workflows::delete_alone(ports, &workflow).await)?;
    }
    for set in refs_of::<PermissionSet>(ports, name).await? {
        gone(permission_sets::delete(ports, &set).await)?;
    }
    for policy in install::sources(ports, name).await?.refs_of(Kind::Policy) {
        gone(policies::delete(ports, policy).await)?;
    }
    pack_tests::forget(ports, name).await
}

/// Refs of a pack's definitions of one kind.
async fn refs_of<T: Definition>(ports: &Ports, pack: &str) -> Result<Vec<String>, Error> {
    let found = read::filtered::<T>(ports, &read::Part::ALL, |it| it.pack() == Some(pack)).await?;
    Ok(found.items.iter().map(|definition| definition.reference().to_owned()).collect())
}

/// What somebody else removed first is gone as well.
pub(crate) fn gone<T>(removed: Result<T, Error>) -> Result<(), Error> {
    match removed {
        Ok(_) | Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Replaces the values in a pack's configuration that its schema calls secret, for showing it. A schema
/// that cannot be read hides the whole configuration.
pub fn redact(pack: &mut Pack) {
    match Schema::parse(Some(&pack.conf_schema)) {
        Ok(schema) => drop(schema.redact(&mut pack.config)),
        Err(_) => pack.config = Value::Object(serde_json::Map::new()),
    }
}
