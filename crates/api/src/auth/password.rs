//! Passwords: kept as Argon2id hashes in PHC form.

use crate::Error;
use argon2::{Algorithm, Argon2, Params, Version};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::OnceLock;
use tokio::sync::Semaphore;

/// Hashes at once. Each takes tens of milliseconds and megabytes, so that a flood of logins would starve
/// everything else.
static ROOM: Semaphore = Semaphore::const_new(2);

/// The variant of OWASP's recommendations with the least memory, for the most passes: the server's memory
/// is small, and this is its largest allocation. Hashes name their own cost, so that it may change.
fn argon2() -> Result<Argon2<'static>, Error> {
    let params =
        Params::new(7 * 1024, 5, 1, None).map_err(|e| Error::Internal(e.to_string().into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let _room = ROOM.acquire().await.map_err(|e| Error::Internal(e.into()))?;
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.into()))?
}

fn hash_now(password: &str) -> Result<String, Error> {
    let hash: PasswordHash = argon2()?
        .hash_password(password.as_bytes())
        .map_err(|e| Error::Internal(e.to_string().into()))?;
    Ok(hash.to_string())
}

/// Hashes a password with a fresh salt.
///
/// # Errors
/// [`Error::Internal`] where there is no randomness.
pub async fn hash(password: String) -> Result<String, Error> {
    apart(move || hash_now(&password)).await
}

/// Whether the password is the one that was hashed. Without a hash the work is done all the same and the
/// answer is no, so that its duration does not tell whether a login exists.
///
/// # Errors
/// [`Error::Internal`] where hashing fails.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool, Error> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    apart(move || {
        let known = stored.is_some();
        let stored = match stored {
            Some(stored) => stored,
            None => match NOBODY.get() {
                Some(hash) => hash.clone(),
                None => NOBODY.get_or_init(|| hash_now("nobody").unwrap_or_default()).clone(),
            },
        };
        let matches = PasswordHash::new(&stored).is_ok_and(|hash| {
            Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
        });
        Ok(known && matches)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_hashed_password_is_right() {
        let hashed = hash("correct horse".into()).await.unwrap();
        assert!(hashed.starts_with("$argon2id$"), "{hashed}");
        assert!(verify("correct horse".into(), Some(hashed.clone())).await.unwrap());
        assert!(!verify("battery staple".into(), Some(hashed)).await.unwrap());
        assert!(!verify("nobody".into(), None).await.unwrap(), "without a hash nothing is right");
        assert!(!verify("x".into(), Some("not a hash".into())).await.unwrap());
    }
}
