//! Secret parameters, for those who may see them.

use crate::Error;
use attune_domain::execution::Execution;
use attune_domain::schema::Secrets;
use attune_ports::{Unavailable, Vault};
use serde_json::Value;

/// Puts an execution's secrets back into its parameters.
///
/// # Errors
/// [`Error::Unavailable`] where the vault cannot open them.
pub(super) async fn reveal(
    vault: &dyn Vault,
    execution: &Execution,
    config: &mut Value,
) -> Result<(), Error> {
    let Some(sealed) = &execution.secrets else { return Ok(()) };
    // The journey seals in the name of whatever the parameters first belonged to.
    let context = match execution.enforcement {
        Some(enforcement) => format!("enforcement/{enforcement}"),
        None => format!("execution/{}", execution.id),
    };
    let plain = vault.open(&context, sealed).await?;
    let secrets: Secrets =
        serde_json::from_slice(&plain).map_err(|e| Unavailable::new("vault", e))?;
    secrets.restore(config);
    Ok(())
}
