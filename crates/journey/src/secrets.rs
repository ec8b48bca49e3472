//! Secret parameters: taken out before anything is stored, put back just before the run, or for those who
//! may see them.

use crate::definitions::PreparedAction;
use attune_catalogue::{packs, secrets};
use attune_domain::catalogue::Pack;
use attune_domain::execution::Execution;
use attune_domain::id::{EnforcementId, ExecutionId};
use attune_domain::schema::Secrets;
use attune_domain::sealed::Sealed;
use attune_ports::{Unavailable, Vault};
use serde_json::{Map, Value};

/// The context in which an execution's secrets are sealed: that of its enforcement, if it has one. Opening
/// them in another fails.
#[must_use]
pub fn context_of(execution: &Execution) -> String {
    match execution.enforcement {
        Some(enforcement) => of_enforcement(enforcement),
        None => of_execution(execution.id),
    }
}

/// Context of an enforcement's secrets, and of the execution's that comes from it.
#[must_use]
pub fn of_enforcement(id: EnforcementId) -> String {
    format!("enforcement/{id}")
}

/// Context of the secrets of an execution that was asked for directly.
pub(crate) fn of_execution(id: ExecutionId) -> String {
    format!("execution/{id}")
}

/// The configuration of a pack as templates see it: `opened` with its secrets, else with marks in their
/// place.
pub(crate) async fn configuration(
    vault: &dyn Vault,
    pack: &Pack,
    opened: bool,
) -> Result<Value, Unavailable> {
    let mut pack = pack.clone();
    if opened {
        let mut config = std::mem::take(&mut pack.config);
        secrets::restore(vault, &pack, &mut config).await?;
        return Ok(config);
    }
    packs::redact(&mut pack);
    Ok(pack.config)
}

/// Takes the secret values out of `parameters` and seals them.
pub(crate) async fn take(
    vault: &dyn Vault,
    context: &str,
    action: Option<&PreparedAction>,
    parameters: &mut Value,
) -> Result<Option<Sealed>, Unavailable> {
    let Some(action) = action else { return Ok(None) };
    let secrets = action.parameters.redact(parameters);
    if secrets.is_empty() {
        return Ok(None);
    }
    let plain = serde_json::to_vec(&secrets).map_err(|e| Unavailable::new("vault", e))?;
    vault.seal(context, &plain).await.map(Some)
}

/// Opens what was taken out of parameters and sealed.
///
/// # Errors
/// [`Unavailable`] where the vault cannot open it, as when it was sealed in another context.
pub async fn open(
    vault: &dyn Vault,
    context: &str,
    sealed: &Sealed,
) -> Result<Secrets, Unavailable> {
    let plain = vault.open(context, sealed).await?;
    serde_json::from_slice(&plain).map_err(|e| Unavailable::new("vault", e))
}

/// A secret that a parameter refers to is not there.
#[derive(Debug, thiserror::Error)]
#[error("there is no secret '{0}', to which a parameter refers")]
pub(crate) struct Missing(String);

/// Puts an execution's secrets back into its parameters, and answers their texts, to be struck out of
/// everything that the run says. Here and nowhere else a reference becomes the secret that it names.
pub(crate) async fn restore(
    vault: &dyn Vault,
    execution: &Execution,
    parameters: &mut Map<String, Value>,
) -> Result<Result<Vec<String>, Missing>, Unavailable> {
    let Some(sealed) = &execution.secrets else { return Ok(Ok(vec![])) };
    let mut secrets = open(vault, &context_of(execution), sealed).await?;
    for name in secrets.references() {
        let Some(text) = vault.referenced(&name).await? else { return Ok(Err(Missing(name))) };
        secrets.resolve(&name, &text);
    }
    Ok(Ok(put_back(&secrets, parameters)))
}

/// The same, but a reference stays one: for who hands parameters on to where an action runs.
pub(crate) async fn unseal(
    vault: &dyn Vault,
    execution: &Execution,
    parameters: &mut Map<String, Value>,
) -> Result<Vec<String>, Unavailable> {
    let Some(sealed) = &execution.secrets else { return Ok(vec![]) };
    let secrets = open(vault, &context_of(execution), sealed).await?;
    Ok(put_back(&secrets, parameters))
}

fn put_back(secrets: &Secrets, parameters: &mut Map<String, Value>) -> Vec<String> {
    let mut whole = Value::Object(std::mem::take(parameters));
    secrets.restore(&mut whole);
    if let Value::Object(map) = whole {
        *parameters = map;
    }
    secrets.texts()
}
