//! Blobs as files: written aside, made durable, then renamed into place.

use async_trait::async_trait;
use attune_ports::{Blobs, Unavailable, blobs};
use bytes::Bytes;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::fs;
use tokio::io::AsyncWriteExt;

/// What was uploaded and has not been used yet.
const UPLOADS: &str = "uploads/";
/// How long an upload is kept.
const UPLOAD_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

pub(crate) struct FileBlobs {
    root: PathBuf,
    sequence: AtomicU64,
}

impl FileBlobs {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, sequence: AtomicU64::new(0) }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Unavailable> {
        blobs::check_name(name).map(|()| self.root.join(name))
    }
}

fn failed(error: std::io::Error) -> Unavailable {
    Unavailable::new("blobs", error)
}

/// Removes the uploads that nobody will use any more, as far as that is possible.
async fn forget_unused(uploads: &Path) {
    let Ok(mut entries) = fs::read_dir(uploads).await else { return };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let modified = entry.metadata().await.and_then(|found| found.modified());
        let age = modified.ok().and_then(|then| SystemTime::now().duration_since(then).ok());
        if age.is_some_and(|age| age > UPLOAD_LIFE)
            && let Err(error) = fs::remove_file(entry.path()).await
        {
            tracing::warn!(%error, "an unused upload was not removed");
        }
    }
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Unavailable> {
        let path = self.path(name)?;
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        fs::create_dir_all(&folder).await.map_err(failed)?;
        if name.starts_with(UPLOADS) {
            forget_unused(&folder).await;
        }
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

    async fn size(&self, name: &str) -> Result<Option<u64>, Unavailable> {
        match fs::metadata(self.path(name)?).await {
            Ok(found) => Ok(Some(found.len())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn uploads_that_nobody_used_are_forgotten_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = FileBlobs::new(folder.path().to_owned());
        let bytes = Bytes::from_static(b"x");
        for name in ["uploads/old", "uploads/new", "payloads/old"] {
            blobs.put(name, bytes.clone()).await.unwrap();
        }
        let long_ago = SystemTime::now() - UPLOAD_LIFE - Duration::from_secs(60);
        for name in ["uploads/old", "payloads/old"] {
            let file = std::fs::File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        blobs.put("uploads/another", bytes.clone()).await.unwrap();
        for (name, kept) in [("uploads/old", false), ("uploads/new", true), ("payloads/old", true)]
        {
            assert_eq!(blobs.get(name).await.unwrap().is_some(), kept, "{name}");
        }
    }
}
