//! Keys in files that only the owner can read, values sealed with AES-256-GCM.

use crate::Error;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use async_trait::async_trait;
use attune_domain::sealed::Sealed;
use attune_ports::{Unavailable, Vault};
use rand::Rng;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

const NONCE: usize = 12;
const KEY_NAME: &str = "file-1";

pub(crate) struct FileVault {
    cipher: Aes256Gcm,
    token_key: [u8; 32],
}

impl FileVault {
    /// Reads the keys in `folder`, making them where there are none.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(folder)
            .map_err(|source| Error::File { path: folder.display().to_string(), source })?;
        let root = key(&folder.join("root.key"))?;
        let token_key = key(&folder.join("token.key"))?;
        Ok(Self { cipher: Aes256Gcm::new(&root.into()), token_key })
    }
}

fn key(path: &Path) -> Result<[u8; 32], Error> {
    let failed = |source| Error::File { path: path.display().to_string(), source };
    match fs::read_to_string(path) {
        Ok(text) => {
            let mut key = [0; 32];
            hex::decode_to_slice(text.trim(), &mut key)
                .map_err(|_| Error::BadKey(path.display().to_string()))?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let mut key = [0; 32];
            rand::rng().fill_bytes(&mut key);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            // Aside first: a crash half-way must not leave half a key under the real name.
            let aside = path.with_extension("new");
            let _ = fs::remove_file(&aside);
            let mut file = options.open(&aside).map_err(failed)?;
            file.write_all(hex::encode(key).as_bytes()).map_err(failed)?;
            file.sync_all().map_err(failed)?;
            fs::rename(&aside, path).map_err(failed)?;
            Ok(key)
        }
        Err(error) => Err(failed(error)),
    }
}

#[async_trait]
impl Vault for FileVault {
    async fn seal(&self, context: &str, plain: &[u8]) -> Result<Sealed, Unavailable> {
        let mut nonce = [0; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: context.as_bytes() })
            .map_err(|_| Unavailable::new("vault", "the value could not be sealed"))?;
        Ok(Sealed { key: KEY_NAME.into(), text: hex::encode([&nonce[..], &sealed].concat()) })
    }

    async fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, Unavailable> {
        let wrong = || Unavailable::new("vault", "the sealed value was changed or moved");
        if sealed.key != KEY_NAME {
            return Err(Unavailable::new("vault", "the value was sealed with an unknown key"));
        }
        let bytes = hex::decode(&sealed.text).map_err(|_| wrong())?;
        let (nonce, text) = bytes.split_at_checked(NONCE).ok_or_else(wrong)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| wrong())?;
        let payload = Payload { msg: text, aad: context.as_bytes() };
        self.cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| wrong())
    }

    async fn token_key(&self) -> Result<Vec<u8>, Unavailable> {
        Ok(self.token_key.to_vec())
    }
}
