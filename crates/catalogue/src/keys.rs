//! Keys of the keystore: made, changed and removed. Their values are sealed, each in the name of its key. Every
//! change renews the keys' generation, so that runners notice.
//!
//! A key outlives its owner: a pack that is removed and installed again finds its keys as they were.

use crate::definition::Stored;
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{layout, read};
use attune_domain::catalogue::{Action, Pack, Sensor};
use attune_domain::id::{IdentityId, KeyId};
use attune_domain::keystore::{Key, Owner};
use attune_domain::reference::KeyRef;
use attune_domain::sealed::Sealed;
use attune_ports::records::{Kind, Record};
use attune_ports::{Ports, Unavailable, Vault};
use serde_json::Value;

/// Characters of a name, at most.
const LONGEST_NAME: usize = 255;
/// Bytes of a value as JSON, at most: sealed, it takes twice as many of its record.
pub const LARGEST_VALUE: usize = 128 * 1024;

/// A key to be made.
#[derive(Clone)]
pub struct NewKey {
    /// Its ref, not taken yet.
    pub reference: KeyRef,
    /// Whose it is.
    pub owner: Owner,
    /// By which what runs knows it.
    pub name: String,
    /// Whether it takes a permission of its own to see the value.
    pub encrypted: bool,
    /// The value.
    pub value: Value,
}

/// What is to change of a key; `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct KeyChange {
    /// A new name.
    pub name: Option<String>,
    /// Whether it takes a permission of its own to see the value.
    pub encrypted: Option<bool>,
    /// A new value.
    pub value: Option<Value>,
}

/// By what an owner is named: with an id, a ref, or both, which must then agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The system.
    System,
    /// An identity.
    Identity(i64),
    /// A pack.
    Pack(Option<i64>, Option<String>),
    /// An action.
    Action(Option<i64>, Option<String>),
    /// A sensor.
    Sensor(Option<i64>, Option<String>),
}

/// The owner of this name.
///
/// # Errors
/// [`Error::Refused`] where there is none.
pub async fn owner(ports: &Ports, named: &Named) -> Result<Owner, Error> {
    let found = match named {
        Named::System => Ok(Owner::System),
        Named::Identity(id) => {
            let found = ports.records.get(&layout::identity(*id)).await?;
            found
                .map(|_| Owner::Identity { id: IdentityId::new(*id) })
                .ok_or_else(|| Error::not_found(Kind::Identity, id))
        }
        Named::Pack(id, reference) => find::<Pack>(ports, *id, reference.as_deref())
            .await
            .map(|pack| Owner::Pack { id: pack.id, reference: pack.reference }),
        Named::Action(id, reference) => find::<Action>(ports, *id, reference.as_deref())
            .await
            .map(|action| Owner::Action { id: action.id, reference: action.reference }),
        Named::Sensor(id, reference) => find::<Sensor>(ports, *id, reference.as_deref())
            .await
            .map(|sensor| Owner::Sensor { id: sensor.id, reference: sensor.reference }),
    };
    // Whoever names an owner that is not there has asked wrongly: it is not the key that is missing.
    found.map_err(|error| match error {
        Error::NotFound { .. } => Error::Refused(error.to_string()),
        other => other,
    })
}

async fn find<T: crate::Definition>(
    ports: &Ports,
    id: Option<i64>,
    reference: Option<&str>,
) -> Result<T, Error> {
    let found = match (id, reference) {
        (Some(id), _) => read::by_id::<T>(ports, id).await?,
        (None, reference) => read::require::<T>(ports, reference.unwrap_or_default()).await?,
    };
    match reference.filter(|reference| *reference != found.reference()) {
        None => Ok(found),
        Some(other) => Err(Error::Refused(format!(
            "{} {} is '{}', not '{other}'",
            crate::name_of(T::KIND),
            found.id(),
            found.reference()
        ))),
    }
}

/// Makes a key.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, or the name among the owner's keys; [`Error::Invalid`] for a
/// wrong name or too large a value.
pub async fn create(ports: &Ports, new: &NewKey) -> Result<Key, Error> {
    fits(&new.name)?;
    let sealed = seal(&*ports.vault, &new.reference, &new.value).await?;
    settled(ports, || create_once(ports, new, &sealed)).await
}

async fn create_once(ports: &Ports, new: &NewKey, sealed: &Sealed) -> Result<Key, Failure> {
    if read::stored::<Key>(ports, new.reference.as_str()).await?.is_some() {
        return Err(Error::taken(Kind::Key, &new.reference).into());
    }
    let now = ports.clock.now();
    let key = Key {
        id: KeyId::new(ports.ids.next()),
        reference: new.reference.clone(),
        owner: new.owner.clone(),
        name: new.name.clone(),
        encrypted: new.encrypted,
        value: sealed.clone(),
        created: now,
        updated: now,
    };
    let mut draft = Draft::new();
    draft.create(&key);
    claim_name(ports, &mut draft, &key).await?;
    draft.renew(layout::keys_generation(), ports.ids.next());
    draft.commit(ports).await?;
    Ok(key)
}

/// Changes a key.
///
/// # Errors
/// [`Error::NotFound`] where there is none; else as [`create`].
pub async fn update(ports: &Ports, reference: &str, change: &KeyChange) -> Result<Key, Error> {
    if let Some(name) = &change.name {
        fits(name)?;
    }
    settled(ports, || update_once(ports, reference, change)).await
}

async fn update_once(ports: &Ports, reference: &str, change: &KeyChange) -> Result<Key, Failure> {
    let before: Stored<Key> = read::stored_or_missing(ports, reference).await?;
    let mut key = before.value.clone();
    key.name = change.name.clone().unwrap_or(key.name);
    key.encrypted = change.encrypted.unwrap_or(key.encrypted);
    if let Some(value) = &change.value {
        key.value = seal(&*ports.vault, &key.reference, value).await?;
    }
    if key == before.value {
        return Ok(key);
    }
    key.updated = ports.clock.now();
    let mut draft = Draft::new();
    draft.replace(&key, before.version);
    if key.name != before.value.name {
        draft.delete(layout::key_name(&key.owner.holder(), &before.value.name));
        claim_name(ports, &mut draft, &key).await?;
    }
    draft.renew(layout::keys_generation(), ports.ids.next());
    draft.commit(ports).await?;
    Ok(key)
}

/// Removes a key.
///
/// # Errors
/// [`Error::NotFound`] where there is none.
pub async fn delete(ports: &Ports, reference: &str) -> Result<Key, Error> {
    settled(ports, || delete_once(ports, reference)).await
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<Key, Failure> {
    let before: Stored<Key> = read::stored_or_missing(ports, reference).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    draft.delete(layout::key_name(&before.value.owner.holder(), &before.value.name));
    draft.renew(layout::keys_generation(), ports.ids.next());
    draft.commit(ports).await?;
    Ok(before.value)
}

/// The value of a key.
///
/// # Errors
/// [`Unavailable`] where the vault cannot open it.
pub async fn value(vault: &dyn Vault, key: &Key) -> Result<Value, Unavailable> {
    let plain = vault.open(&context(&key.reference), &key.value).await?;
    // What serde says may quote the text.
    serde_json::from_slice(&plain)
        .map_err(|_| Unavailable::new("vault", format!("key '{}' holds no value", key.reference)))
}

async fn seal(vault: &dyn Vault, reference: &KeyRef, value: &Value) -> Result<Sealed, Error> {
    let plain = value.to_string();
    if plain.len() > LARGEST_VALUE {
        let (bytes, most) = (plain.len(), LARGEST_VALUE);
        return Err(Error::Invalid(format!("value: {bytes} bytes of JSON; {most} at most")));
    }
    Ok(vault.seal(&context(reference), plain.as_bytes()).await?)
}

fn context(reference: &KeyRef) -> String {
    format!("key/{reference}")
}

/// Adds a key's name to those of its owner's keys.
async fn claim_name(ports: &Ports, draft: &mut Draft, key: &Key) -> Result<(), Failure> {
    let holder = key.owner.holder();
    let place = layout::key_name(&holder, &key.name);
    if ports.records.get(&place).await.map_err(Error::from)?.is_some() {
        let taken = format!("A key named '{}' already exists for {holder}", key.name);
        return Err(Error::Conflict(taken).into());
    }
    draft.claim(Record::new(Kind::Marker, place, &key.reference));
    Ok(())
}

fn fits(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::Invalid(format!("name: 1 to {LONGEST_NAME} characters, none of them a control")))
}
