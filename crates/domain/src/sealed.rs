//! Bytes that only the vault can read.

use serde::{Deserialize, Serialize};

/// An encrypted value as records hold it: hexadecimal text of nonce and ciphertext.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Which root key it was sealed with.
    pub key: String,
    /// Nonce, ciphertext and tag in hexadecimal.
    pub text: String,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").field("key", &self.key).finish_non_exhaustive()
    }
}
