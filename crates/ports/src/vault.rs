//! Secrets at rest.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::sealed::Sealed;

/// Seals and opens secret values with keys that never leave it.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Encrypts `plain`. `context` (such as the record's key) must be the same when opening, so that a
    /// sealed value cannot be moved to another record.
    ///
    /// # Errors
    /// [`Unavailable`] where the key cannot be had.
    async fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, Unavailable>;

    /// Decrypts what `seal` made.
    ///
    /// # Errors
    /// [`Unavailable`] where the key cannot be had, or the value was changed or moved.
    async fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, Unavailable>;

    /// A secret that lies elsewhere, in the store of secrets around this deployment, by the name that a parameter
    /// refers to it by; `None` where there is none, as on one machine, which has no such store.
    ///
    /// # Errors
    /// [`Unavailable`] where the store does not answer.
    async fn referenced(&self, name: &str) -> Result<Option<String>, Unavailable> {
        let _ = name;
        Ok(None)
    }

    /// The key that signs tokens: 32 bytes or more, the same for every process of a deployment.
    ///
    /// # Errors
    /// [`Unavailable`] where the key cannot be had.
    async fn token_key(&self) -> Result<Vec<u8>, Unavailable>;
}
