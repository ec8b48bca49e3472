//! Secret parameters, for those who may see them.

use crate::Error;
use attune_domain::id::{EnforcementId, ExecutionId};
use attune_domain::schema::Secrets;
use attune_domain::sealed::Sealed;
use attune_ports::{Unavailable, Vault};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use utoipa::IntoParams;

/// Whether secrets are asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Reveal {
    /// Whether to show secret parameters, which needs `decrypt`.
    #[serde(default)]
    pub(super) include_secret_values: bool,
}

/// What secrets were sealed in the name of: the thing that the parameters first belonged to.
pub(super) enum Origin {
    /// A rule's decision; its execution has the same secrets.
    Enforcement(EnforcementId),
    /// An execution that was asked for directly.
    Execution(ExecutionId),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enforcement(id) => write!(f, "enforcement/{id}"),
            Self::Execution(id) => write!(f, "execution/{id}"),
        }
    }
}

/// Puts secrets back into the parameters that they were taken out of.
///
/// # Errors
/// [`Error::Unavailable`] where the vault cannot open them.
pub(super) async fn reveal(
    vault: &dyn Vault,
    origin: &Origin,
    sealed: &Sealed,
    config: &mut Value,
) -> Result<(), Error> {
    let plain = vault.open(&origin.to_string(), sealed).await?;
    let secrets: Secrets =
        serde_json::from_slice(&plain).map_err(|e| Unavailable::new("vault", e))?;
    secrets.restore(config);
    Ok(())
}
