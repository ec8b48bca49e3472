//! The tokens that actions call the API with.

use super::token::{Claims, Signer, Use};
use async_trait::async_trait;
use attune_ports::tokens::{Holder, Tokens};
use attune_ports::{Clock, Unavailable, Vault};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Makes a token for each execution that has permissions: scoped to them, and ending soon after its limit.
pub struct ExecutionTokens {
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
    signer: OnceCell<Signer>,
}

impl ExecutionTokens {
    /// Signs with the vault's key, as the API does.
    #[must_use]
    pub fn new(vault: Arc<dyn Vault>, clock: Arc<dyn Clock>) -> Self {
        Self { vault, clock, signer: OnceCell::new() }
    }
}

#[async_trait]
impl Tokens for ExecutionTokens {
    async fn execution_token(&self, holder: Holder) -> Result<String, Unavailable> {
        let signer = self
            .signer
            .get_or_try_init(|| async {
                Ok::<_, Unavailable>(Signer::new(&self.vault.token_key().await?))
            })
            .await?;
        let now = self.clock.now().timestamp();
        let lifetime = i64::try_from(holder.lifetime.as_secs()).unwrap_or(i64::MAX);
        let metadata = json!({
            "execution_id": holder.execution,
            "action_ref": holder.action_ref,
            "permission_set_refs": holder.permission_set_refs,
            "standard_access_action_refs": [holder.action_ref],
            "standard_access_pack_refs": [holder.action_ref.pack()],
        });
        let claims = Claims {
            sub: holder.executor.map_or_else(|| "1".to_owned(), |id| id.to_string()),
            login: format!("execution:{}", holder.execution),
            iat: now,
            exp: now.saturating_add(lifetime),
            token_type: Use::Execution,
            scope: Some("execution".to_owned()),
            metadata: metadata.as_object().cloned(),
        };
        signer.sign(&claims).map_err(|error| Unavailable::new("tokens", error))
    }
}
