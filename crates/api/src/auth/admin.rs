//! The first identity: without it nobody could log in.

use super::{identities, password};
use crate::Error;
use attune_ports::Ports;

/// Permission set of the first identity.
const ADMIN: &str = "core.admin";

/// An admin that was just made; its password is told once, here.
pub struct CreatedAdmin {
    /// Login name.
    pub login: String,
    /// Password, as given or as drawn.
    pub password: String,
}

impl std::fmt::Debug for CreatedAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedAdmin").field("login", &self.login).finish_non_exhaustive()
    }
}

/// Makes an identity called `login` with every permission, unless there is one of that name already.
/// Without a password, 128 random bits become one. Durable when it returns.
///
/// # Errors
/// [`Error::Unavailable`] where records cannot be read or written.
pub async fn ensure_admin(
    ports: &Ports,
    login: &str,
    password: Option<String>,
) -> Result<Option<CreatedAdmin>, Error> {
    if identities::by_login(ports, login).await?.is_some() {
        return Ok(None);
    }
    let password = password.unwrap_or_else(|| hex::encode(ports.ids.random(16)));
    let hash = password::hash(password.clone()).await?;
    let new = identities::NewIdentity {
        login: login.to_owned(),
        display_name: Some("Administrator".into()),
        password_hash: Some(hash),
        permission_set_refs: vec![ADMIN.to_owned()],
    };
    match identities::create(ports, new).await {
        Ok(identity) => {
            ports.records.settle().await?;
            Ok(Some(CreatedAdmin { login: identity.login, password }))
        }
        // Another process was faster.
        Err(Error::Conflict(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
