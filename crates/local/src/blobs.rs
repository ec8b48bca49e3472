//! Blobs as files: written aside, made durable, then renamed into place.

use async_trait::async_trait;
use attune_ports::{Blobs, Unavailable};
use bytes::Bytes;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::fs;
use tokio::io::AsyncWriteExt;

pub(crate) struct FileBlobs {
    root: PathBuf,
    sequence: AtomicU64,
}

impl FileBlobs {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, sequence: AtomicU64::new(0) }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Unavailable> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        if name.split('/').all(plain) {
            Ok(self.root.join(name))
        } else {
            Err(Unavailable::new("blobs", format!("{name:?} is not a blob's name")))
        }
    }
}

fn failed(error: std::io::Error) -> Unavailable {
    Unavailable::new("blobs", error)
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Unavailable> {
        let path = self.path(name)?;
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        fs::create_dir_all(&folder).await.map_err(failed)?;
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        let aside = folder.join(format!(".{}.{number}", std::process::id()));
        let mut file = fs::File::create(&aside).await.map_err(failed)?;
        file.write_all(&bytes).await.map_err(failed)?;
        file.sync_all().await.map_err(failed)?;
        fs::rename(&aside, &path).await.map_err(failed)?;
        // The rename itself must survive, too.
        fs::File::open(&folder).await.map_err(failed)?.sync_all().await.map_err(failed)
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, Unavailable> {
        match fs::read(self.path(name)?).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Unavailable> {
        match fs::remove_file(self.path(name)?).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }
}
