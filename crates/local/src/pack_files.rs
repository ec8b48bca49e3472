//! Files of packs in folders of this machine.

use async_trait::async_trait;
use attune_domain::reference::PackRef;
use attune_ports::{PackFiles, Staging, Unavailable};
use std::path::{Path, PathBuf};

pub(crate) struct Folders {
    packs_dir: PathBuf,
}

impl Folders {
    pub(crate) fn new(packs_dir: PathBuf) -> Self {
        Self { packs_dir }
    }
}

fn failed(error: impl std::fmt::Display) -> Unavailable {
    Unavailable::new("pack files", error)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unavailable> + Send + 'static,
) -> Result<T, Unavailable> {
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

#[async_trait]
impl PackFiles for Folders {
    async fn staging(&self) -> Result<Staging, Unavailable> {
        // Beside its future place, so that moving it there is one rename.
        let packs_dir = self.packs_dir.clone();
        blocking(move || {
            std::fs::create_dir_all(&packs_dir).map_err(failed)?;
            let folder = tempfile::Builder::new()
                .prefix(".upload-")
                .tempdir_in(&packs_dir)
                .map_err(failed)?;
            Ok(Staging::new(folder.path().to_owned(), folder))
        })
        .await
    }

    async fn keep(&self, pack: &PackRef, unpacked: &Path) -> Result<String, Unavailable> {
        let (packs_dir, pack, unpacked) =
            (self.packs_dir.clone(), pack.clone(), unpacked.to_owned());
        blocking(move || {
            let path = attune_packs::place(&unpacked, &packs_dir, &pack).map_err(failed)?;
            let path = path.canonicalize().unwrap_or(path);
            Ok(path.to_string_lossy().into_owned())
        })
        .await
    }

    async fn folder(&self, place: &str) -> Result<PathBuf, Unavailable> {
        Ok(PathBuf::from(place))
    }

    async fn remove(&self, place: &str) -> Result<(), Unavailable> {
        let (packs_dir, folder) = (self.packs_dir.clone(), PathBuf::from(place));
        blocking(move || {
            let among = |dir: PathBuf| folder.parent().is_some_and(|parent| parent == dir);
            if packs_dir.canonicalize().is_ok_and(among) {
                std::fs::remove_dir_all(&folder).map_err(failed)?;
            }
            Ok(())
        })
        .await
    }
}
