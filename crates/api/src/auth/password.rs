//! Passwords: kept as Argon2id hashes in PHC form.

use crate::Error;
use argon2::{Algorithm, Argon2, Params, Version};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::{OnceLock, mpsc};

type Work = Box<dyn FnOnce() + Send>;

/// The thread that hashes, one password after the other: each takes tens of milliseconds and megabytes, so
/// that a flood of logins on all threads would starve everything else, and every thread that ever hashed
/// would keep the memory.
fn hasher() -> Option<&'static mpsc::Sender<Work>> {
    static HASHER: OnceLock<Option<mpsc::Sender<Work>>> = OnceLock::new();
    HASHER
        .get_or_init(|| {
            let (sender, receiver) = mpsc::channel::<Work>();
            let thread = std::thread::Builder::new().name("passwords".into());
            thread.spawn(move || receiver.into_iter().for_each(|work| work())).ok()?;
            Some(sender)
        })
        .as_ref()
}

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
    let (answer, answered) = tokio::sync::oneshot::channel();
    let work = Box::new(move || {
        // Whoever asked may have gone away.
        let _ = answer.send(work());
    });
    let gone = || Error::Internal("the thread for passwords is gone".into());
    hasher().and_then(|hasher| hasher.send(work).ok()).ok_or_else(gone)?;
    answered.await.map_err(|_| gone())?
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
