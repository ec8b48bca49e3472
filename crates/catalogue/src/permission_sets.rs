//! Permission sets: stored as packs bring them.

use crate::definition::{PermissionSet, Stored};
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::read;
use attune_ports::Ports;

/// Removes a permission set.
///
/// # Errors
/// [`Error::NotFound`] where there is no such set.
pub async fn delete(ports: &Ports, reference: &str) -> Result<PermissionSet, Error> {
    settled(ports, || delete_once(ports, reference)).await
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<PermissionSet, Failure> {
    let before: Stored<PermissionSet> = read::stored_or_missing(ports, reference).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    draft.commit(ports).await?;
    Ok(before.value)
}
