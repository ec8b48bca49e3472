//! Keys from Secrets Manager, values sealed with AES-256-GCM.
//!
//! Two secrets hold all keys of a deployment; the values lie, sealed, in records. A secret for each value would
//! cost more a month than everything else. Both are read when first needed and remembered as long as the
//! process lives.

use crate::{Clients, failure};
use async_trait::async_trait;
use attune_domain::sealed::Sealed;
use attune_ports::{Unavailable, Vault};
use attune_system::Cipher;
use aws_sdk_secretsmanager::error::SdkError;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Named by what is sealed with the root key.
const KEY_NAME: &str = "aws-1";
/// Bytes of a secret, at least.
const SHORTEST: usize = 32;

/// A vault whose keys are two secrets.
pub struct SecretsVault {
    clients: Arc<Clients>,
    root_key_secret: String,
    token_key_secret: String,
    referable: String,
    cipher: OnceCell<Cipher>,
    token_key: OnceCell<Vec<u8>>,
}

impl SecretsVault {
    /// A vault with the keys in these secrets, by name or ARN. Their strings are 32 bytes or longer. Parameters may
    /// refer to secrets whose names begin with `referable`, by what follows.
    pub fn new(
        clients: Arc<Clients>,
        root_key_secret: impl Into<String>,
        token_key_secret: impl Into<String>,
        referable: impl Into<String>,
    ) -> Self {
        Self {
            clients,
            root_key_secret: root_key_secret.into(),
            token_key_secret: token_key_secret.into(),
            referable: referable.into(),
            cipher: OnceCell::new(),
            token_key: OnceCell::new(),
        }
    }

    async fn secret(&self, name: &str) -> Result<String, Unavailable> {
        let get = self.clients.secrets().await.get_secret_value().secret_id(name);
        let answer = get.send().await.map_err(|error| failure::unavailable("vault", error))?;
        match answer.secret_string {
            Some(text) if text.len() >= SHORTEST => Ok(text),
            _ => {
                let why = format!("the secret '{name}' is no text of {SHORTEST} bytes or more");
                Err(Unavailable::new("vault", why))
            }
        }
    }

    async fn cipher(&self) -> Result<&Cipher, Unavailable> {
        let cipher = async || {
            let secret = self.secret(&self.root_key_secret).await?;
            Ok(Cipher::new(Sha256::digest(secret).into(), KEY_NAME))
        };
        self.cipher.get_or_try_init(cipher).await
    }
}

#[async_trait]
impl Vault for SecretsVault {
    async fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, Unavailable> {
        self.cipher().await?.seal(context, plain)
    }

    async fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, Unavailable> {
        self.cipher().await?.open(context, sealed)
    }

    /// Read anew each time: whoever changes a secret expects the next run to have the new one.
    async fn referenced(&self, name: &str) -> Result<Option<String>, Unavailable> {
        let name = format!("{}{name}", self.referable);
        let get = self.clients.secrets().await.get_secret_value().secret_id(name);
        match get.send().await {
            Ok(answer) => Ok(answer.secret_string),
            Err(SdkError::ServiceError(error))
                if error.err().is_resource_not_found_exception()
                    || error.err().is_invalid_parameter_exception() =>
            {
                Ok(None)
            }
            Err(error) => Err(failure::unavailable("vault", error)),
        }
    }

    async fn token_key(&self) -> Result<Vec<u8>, Unavailable> {
        let key = async || Ok(self.secret(&self.token_key_secret).await?.into_bytes());
        self.token_key.get_or_try_init(key).await.cloned()
    }
}
