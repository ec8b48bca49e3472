//! Passwords: kept as Argon2id hashes in PHC form.

use crate::Error;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::sync::{OnceLock, mpsc};

type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// The thread that hashes, one password after the other, always in the same memory. Each takes tens of
/// milliseconds and megabytes: a flood of logins on all threads would starve everything else, and the
/// allocator would keep a piece for each, since aligned pieces rarely fit again.
fn hasher() -> Option<&'static mpsc::Sender<Work>> {
    static HASHER: OnceLock<Option<mpsc::Sender<Work>>> = OnceLock::new();
    HASHER
        .get_or_init(|| {
            let (sender, receiver) = mpsc::channel::<Work>();
            let thread = std::thread::Builder::new().name("passwords".into());
            let run = move || {
                let mut memory = Vec::new();
                receiver.into_iter().for_each(|work| work(&mut memory));
            };
            thread.spawn(run).ok()?;
            Some(sender)
        })
        .as_ref()
}

async fn apart<T: Send + 'static>(
    work: impl FnOnce(&mut Vec<Block>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let work = Box::new(move |memory: &mut Vec<Block>| {
        // Whoever asked may have gone away.
        let _ = answer.send(work(memory));
    });
    let gone = || Error::Internal("the thread for passwords is gone".into());
    hasher().and_then(|hasher| hasher.send(work).ok()).ok_or_else(gone)?;
    answered.await.map_err(|_| gone())?
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(error.to_string().into())
}

/// The variant of OWASP's recommendations with the least memory, for the most passes: the server's memory
/// is small, and this is its largest allocation. Hashes name their own cost, so that it may change.
fn params() -> Result<Params, Error> {
    Params::new(7 * 1024, 5, 1, None).map_err(internal)
}

fn digest(
    memory: &mut Vec<Block>,
    params: Params,
    password: &str,
    salt: &Salt,
) -> Result<Output, Error> {
    let mut digest = [0; Params::DEFAULT_OUTPUT_LEN];
    memory.resize(memory.len().max(params.block_count()), Block::default());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut digest, &mut memory[..])
        .map_err(internal)?;
    Output::new(&digest).map_err(internal)
}

fn hash_now(memory: &mut Vec<Block>, password: &str) -> Result<String, Error> {
    let (params, salt) = (params()?, Salt::generate());
    let written = ParamsString::try_from(&params).map_err(internal)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: written,
        hash: Some(digest(memory, params, password, &salt)?),
        salt: Some(salt),
    };
    Ok(hash.to_string())
}

/// Whether `stored` is an Argon2id hash of the password. Outputs are compared in constant time.
fn matches(memory: &mut Vec<Block>, password: &str, stored: &str) -> Result<bool, Error> {
    let Ok(hash) = PasswordHash::new(stored) else { return Ok(false) };
    let (Some(salt), Some(expected), Ok(params)) =
        (&hash.salt, &hash.hash, Params::try_from(&hash))
    else {
        return Ok(false);
    };
    if hash.algorithm != Algorithm::Argon2id.ident() {
        return Ok(false);
    }
    Ok(digest(memory, params, password, salt)? == *expected)
}

/// Hashes a password with a fresh salt.
///
/// # Errors
/// [`Error::Internal`] where there is no randomness.
pub async fn hash(password: String) -> Result<String, Error> {
    apart(move |memory| hash_now(memory, &password)).await
}

/// Whether the password is the one that was hashed. Without a hash the work is done all the same and the
/// answer is no, so that its duration does not tell whether a login exists.
///
/// # Errors
/// [`Error::Internal`] where hashing fails.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool, Error> {
    apart(move |memory| match stored {
        Some(stored) => matches(memory, &password, &stored),
        None => digest(memory, params()?, &password, &Salt::generate()).map(|_| false),
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
