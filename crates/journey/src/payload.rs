//! Moves large JSON values to blobs and back.

use attune_domain::payload::{INLINE_BYTES, Payload};
use attune_ports::{Blobs, Unavailable};
use serde_json::Value;

/// Keeps `value` at hand, or puts it into a blob called `name` where it is large.
///
/// # Errors
/// [`Unavailable`] where the blob could not be stored.
pub async fn stash(blobs: &dyn Blobs, name: &str, value: Value) -> Result<Payload, Unavailable> {
    Ok(put_large(blobs, name, &value).await?.unwrap_or(Payload::Inline(value)))
}

/// The same for a value that is needed further: only a small one is copied.
///
/// # Errors
/// [`Unavailable`] where the blob could not be stored.
pub async fn stash_copy(
    blobs: &dyn Blobs,
    name: &str,
    value: &Value,
) -> Result<Payload, Unavailable> {
    let blob = put_large(blobs, name, value).await?;
    Ok(blob.unwrap_or_else(|| Payload::Inline(value.clone())))
}

/// Puts a large value into a blob; `None`, it is small.
async fn put_large(
    blobs: &dyn Blobs,
    name: &str,
    value: &Value,
) -> Result<Option<Payload>, Unavailable> {
    let text = serde_json::to_vec(value).unwrap_or_default();
    if text.len() <= INLINE_BYTES {
        return Ok(None);
    }
    let bytes = text.len() as u64;
    blobs.put(name, text.into()).await?;
    Ok(Some(Payload::Blob { name: name.to_owned(), bytes }))
}

/// The value of a payload, wherever it lies.
///
/// # Errors
/// [`Unavailable`] where its blob is missing or unreadable.
pub async fn fetch(blobs: &dyn Blobs, payload: &Payload) -> Result<Value, Unavailable> {
    match payload {
        Payload::Inline(value) => Ok(value.clone()),
        Payload::Blob { name, .. } => {
            let bytes = blobs
                .get(name)
                .await?
                .ok_or_else(|| Unavailable::new("payload", format!("blob {name} is missing")))?;
            serde_json::from_slice(&bytes).map_err(|e| Unavailable::new("payload", e))
        }
    }
}
