//! AES-256-GCM for values at rest.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use attune_domain::sealed::Sealed;
use attune_ports::Unavailable;
use rand::Rng;

const NONCE: usize = 12;

/// Seals values with one key.
pub struct Cipher {
    cipher: Aes256Gcm,
    key_name: String,
}

impl Cipher {
    /// A cipher with `key`; what it seals names `key_name`, and it opens only what does.
    #[must_use]
    pub fn new(key: [u8; 32], key_name: impl Into<String>) -> Self {
        Self { cipher: Aes256Gcm::new(&key.into()), key_name: key_name.into() }
    }

    /// Encrypts `plain`, bound to `context`.
    ///
    /// # Errors
    /// [`Unavailable`] where it is too long for the cipher.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, Unavailable> {
        let mut nonce = [0; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: context.as_bytes() })
            .map_err(|_| Unavailable::new("vault", "the value could not be sealed"))?;
        let text = hex::encode([&nonce[..], &sealed].concat());
        Ok(Sealed { key: self.key_name.clone(), text })
    }

    /// Decrypts what was sealed with the same key and context.
    ///
    /// # Errors
    /// [`Unavailable`] where it was sealed otherwise, changed or moved.
    pub fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, Unavailable> {
        let wrong = || Unavailable::new("vault", "the sealed value was changed or moved");
        if sealed.key != self.key_name {
            return Err(Unavailable::new("vault", "the value was sealed with an unknown key"));
        }
        let bytes = hex::decode(&sealed.text).map_err(|_| wrong())?;
        let (nonce, text) = bytes.split_at_checked(NONCE).ok_or_else(wrong)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| wrong())?;
        let payload = Payload { msg: text, aad: context.as_bytes() };
        self.cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| wrong())
    }
}
