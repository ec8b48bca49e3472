//! Keys in files that only the owner can read, values sealed with AES-256-GCM.

use crate::Error;
use async_trait::async_trait;
use attune_domain::sealed::Sealed;
use attune_ports::{Unavailable, Vault};
use attune_system::Cipher;
use rand::Rng;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

const KEY_NAME: &str = "file-1";

pub(crate) struct FileVault {
    cipher: Cipher,
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
        Ok(Self { cipher: Cipher::new(root, KEY_NAME), token_key })
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
        self.cipher.seal(context, plain)
    }

    async fn open(&self, context: &str, sealed: &Sealed) -> Result<Vec<u8>, Unavailable> {
        self.cipher.open(context, sealed)
    }

    async fn token_key(&self) -> Result<Vec<u8>, Unavailable> {
        Ok(self.token_key.to_vec())
    }
}
