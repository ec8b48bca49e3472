//! Identities among the records.

use crate::Error;
use attune_catalogue::layout;
use attune_domain::id::IdentityId;
use attune_domain::identity::Identity;
use attune_ports::Ports;
use attune_ports::records::{self, Commit, Kind, Record};
use serde_json::json;

fn record(identity: &Identity) -> Record {
    Record::new(Kind::Identity, layout::identity(identity.id.get()), identity).counted("identity")
}

/// Reads an identity.
///
/// # Errors
/// [`Error::Unavailable`] where records cannot be read.
pub async fn get(ports: &Ports, id: i64) -> Result<Option<Identity>, Error> {
    let found = ports.records.get(&layout::identity(id)).await?;
    Ok(found.map(|record| record.decode()).transpose()?)
}

/// Reads the identity with this login name.
///
/// # Errors
/// [`Error::Unavailable`] where records cannot be read.
pub async fn by_login(ports: &Ports, login: &str) -> Result<Option<Identity>, Error> {
    match ports.records.get(&layout::login(login)).await? {
        None => Ok(None),
        Some(record) => get(ports, record.decode()?).await,
    }
}

/// What a new identity starts with.
pub struct NewIdentity {
    /// Login name.
    pub login: String,
    /// For people.
    pub display_name: Option<String>,
    /// Argon2id hash.
    pub password_hash: Option<String>,
    /// Permission sets.
    pub permission_set_refs: Vec<String>,
}

/// Makes an identity.
///
/// # Errors
/// [`Error::Conflict`] where the login name is taken.
pub async fn create(ports: &Ports, new: NewIdentity) -> Result<Identity, Error> {
    let now = ports.clock.now();
    let identity = Identity {
        id: IdentityId::new(ports.ids.next()),
        login: new.login,
        display_name: new.display_name,
        password_hash: new.password_hash,
        attributes: json!({}),
        permission_set_refs: new.permission_set_refs,
        frozen: false,
        created: now,
        updated: now,
    };
    let name = Record::new(Kind::Marker, layout::login(&identity.login), &identity.id);
    match ports.records.commit(Commit::new().create(record(&identity)).create(name)).await {
        Ok(()) => Ok(identity),
        Err(records::Error::Stale(_)) => Err(Error::Conflict(format!(
            "An identity with login '{}' already exists",
            identity.login
        ))),
        Err(other) => Err(other.into()),
    }
}

/// Changes an identity; tries again where somebody else was faster.
///
/// # Errors
/// [`Error::NotFound`] where it is gone.
pub async fn update(
    ports: &Ports,
    id: i64,
    change: impl Fn(&mut Identity) + Send + Sync,
) -> Result<Identity, Error> {
    loop {
        let Some(found) = ports.records.get(&layout::identity(id)).await? else {
            return Err(Error::not_found("Identity", id));
        };
        let mut identity: Identity = found.decode()?;
        change(&mut identity);
        identity.updated = ports.clock.now();
        match ports.records.commit(Commit::new().replace(record(&identity), found.version)).await {
            Ok(()) => return Ok(identity),
            Err(records::Error::Stale(_)) => {}
            Err(other) => return Err(other.into()),
        }
    }
}
