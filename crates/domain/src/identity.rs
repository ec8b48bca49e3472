//! Who may log in.

use crate::Timestamp;
use crate::id::IdentityId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A person or machine known to Attune.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Wire id.
    pub id: IdentityId,
    /// Login name, unique.
    pub login: String,
    /// For people.
    pub display_name: Option<String>,
    /// Argon2id PHC string; `None`, no password login.
    pub password_hash: Option<String>,
    /// Free attributes, which grants may refer to.
    #[serde(default)]
    pub attributes: Value,
    /// Refs of the permission sets given directly.
    #[serde(default)]
    pub permission_set_refs: Vec<String>,
    /// Whether login is blocked.
    #[serde(default)]
    pub frozen: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("id", &self.id)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}
