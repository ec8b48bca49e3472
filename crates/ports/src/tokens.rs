//! Tokens for the actions' own calls of the API.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::id::{ExecutionId, IdentityId};
use attune_domain::reference::ComponentRef;
use std::time::Duration;

/// What a token is for.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The execution that calls.
    pub execution: ExecutionId,
    /// In whose name it runs.
    pub executor: Option<IdentityId>,
    /// Its action.
    pub action_ref: ComponentRef,
    /// What it may do.
    pub permission_set_refs: Vec<String>,
    /// How long.
    pub lifetime: Duration,
}

/// Makes tokens.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token for an execution's process.
    ///
    /// # Errors
    /// [`Unavailable`] where it cannot be signed.
    async fn execution_token(&self, holder: Holder) -> Result<String, Unavailable>;
}
