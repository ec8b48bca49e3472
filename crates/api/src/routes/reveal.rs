//! Secret parameters, for those who may see them.

use crate::Error;
use attune_domain::sealed::Sealed;
use attune_journey::secrets;
use attune_ports::Vault;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

/// Whether secrets are asked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Reveal {
    /// Whether to show secret parameters, which needs `decrypt`.
    #[serde(default)]
    pub(super) include_secret_values: bool,
}

/// Puts secrets back into the parameters that they were taken out of.
///
/// # Errors
/// [`Error::Unavailable`] where the vault cannot open them.
pub(super) async fn reveal(
    vault: &dyn Vault,
    context: &str,
    sealed: &Sealed,
    config: &mut Value,
) -> Result<(), Error> {
    secrets::open(vault, context, sealed).await?.restore(config);
    Ok(())
}
