//! Files of packs as archives in the stack's bucket, unpacked where they are needed.
//!
//! An archive's name is that of its content, `packs/<ref>/<hash>.tar.gz`, so an unpacked one is good as long
//! as the disk lasts. A newer version does not remove the older: executions in flight may name it still. All
//! of them go with the pack.

use crate::blobs::S3Blobs;
use crate::{Clients, failure};
use async_trait::async_trait;
use attune_domain::reference::PackRef;
use attune_packs::archive::{self, Limits};
use attune_ports::{Blobs, PackFiles, Staging, Unavailable};
use bytes::Bytes;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// What names of archives begin with.
const FOLDER: &str = "packs/";
/// What they end with.
const SUFFIX: &str = ".tar.gz";
/// More than any archive has that unpacks within the limits.
const MOST_COMPRESSED: u64 = 256 << 20;

/// Packs in a bucket, unpacked below a folder of this machine.
pub struct S3PackFiles {
    clients: Arc<Clients>,
    bucket: String,
    blobs: S3Blobs,
    scratch: PathBuf,
    folders: Mutex<HashMap<String, Arc<OnceCell<PathBuf>>>>,
}

impl S3PackFiles {
    /// Packs in `bucket`, unpacked below `scratch`.
    pub fn new(clients: Arc<Clients>, bucket: impl Into<String>, scratch: PathBuf) -> Self {
        let bucket = bucket.into();
        let blobs = S3Blobs::new(Arc::clone(&clients), bucket.clone());
        Self { clients, bucket, blobs, scratch, folders: Mutex::default() }
    }

    async fn fetch(&self, place: &str, target: PathBuf) -> Result<PathBuf, Unavailable> {
        // An earlier process may have left it.
        if target.is_dir() {
            return Ok(target);
        }
        let found = self.blobs.get(place).await?;
        let bytes = found.ok_or_else(|| failed(format!("there is no archive '{place}'")))?;
        let scratch = self.scratch.clone();
        blocking(move || unpack(&bytes, &scratch, &target).map(|()| target)).await
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

/// The pack and the hash in an archive's name.
fn parts(place: &str) -> Result<(&str, &str), Unavailable> {
    let parts = place.strip_prefix(FOLDER).and_then(|rest| rest.strip_suffix(SUFFIX));
    let parts = parts.and_then(|rest| rest.split_once('/'));
    let is_ours = |(pack, hash): &(&str, &str)| {
        PackRef::parse(pack).is_ok()
            && hash.len() == 64
            && hash.bytes().all(|b| b.is_ascii_hexdigit())
    };
    parts.filter(is_ours).ok_or_else(|| failed(format!("'{place}' is not a pack's archive")))
}

/// Packs a folder; answers the archive and its name.
fn pack(pack: &PackRef, folder: &Path) -> Result<(String, Bytes), Unavailable> {
    let archive = archive::create(folder, Vec::new()).map_err(failed)?;
    let hash = hex::encode(Sha256::digest(&archive));
    Ok((format!("{FOLDER}{pack}/{hash}{SUFFIX}"), archive.into()))
}

/// Unpacks into a folder that is there whole or not at all.
fn unpack(bytes: &[u8], scratch: &Path, target: &Path) -> Result<(), Unavailable> {
    let aside = temporary(scratch)?;
    let limits = Limits { compressed_bytes: MOST_COMPRESSED, ..Limits::default() };
    let root = archive::extract(bytes, &aside.path().join("pack"), limits).map_err(failed)?;
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match fs::rename(root, target) {
        // Somebody was faster, with the same files.
        Err(_) if target.is_dir() => Ok(()),
        other => other.map_err(failed),
    }
}

fn temporary(scratch: &Path) -> Result<tempfile::TempDir, Unavailable> {
    fs::create_dir_all(scratch).map_err(failed)?;
    tempfile::Builder::new().prefix(".pack-").tempdir_in(scratch).map_err(failed)
}

#[async_trait]
impl PackFiles for S3PackFiles {
    async fn staging(&self) -> Result<Staging, Unavailable> {
        let scratch = self.scratch.clone();
        blocking(move || {
            let folder = temporary(&scratch)?;
            Ok(Staging::new(folder.path().to_owned(), folder))
        })
        .await
    }

    async fn keep(&self, reference: &PackRef, unpacked: &Path) -> Result<String, Unavailable> {
        let (reference, unpacked) = (reference.clone(), unpacked.to_owned());
        let (place, bytes) = blocking(move || pack(&reference, &unpacked)).await?;
        self.blobs.put(&place, bytes).await?;
        Ok(place)
    }

    async fn folder(&self, place: &str) -> Result<PathBuf, Unavailable> {
        let (pack, hash) = parts(place)?;
        let target = self.scratch.join("packs").join(pack).join(hash);
        let cell = Arc::clone(self.folders.lock().entry(place.to_owned()).or_default());
        cell.get_or_try_init(|| self.fetch(place, target)).await.cloned()
    }

    /// Removes all versions of the pack whose archive is at `place`.
    async fn remove(&self, place: &str) -> Result<(), Unavailable> {
        // A folder that some other deployment registered is none of ours.
        let Ok((pack, _)) = parts(place) else { return Ok(()) };
        let client = self.clients.s3().await;
        let prefix = format!("blobs/{FOLDER}{pack}/");
        let list = client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure::unavailable("pack files", error))?;
            for key in page.contents().iter().filter_map(|object| object.key()) {
                let deleted = client.delete_object().bucket(&self.bucket).key(key).send().await;
                deleted.map_err(|error| failure::unavailable("pack files", error))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_archives_are_places() {
        let hash = "0f".repeat(32);
        let place = format!("packs/demo/{hash}.tar.gz");
        assert_eq!(parts(&place).unwrap(), ("demo", hash.as_str()));
        for odd in [
            "/srv/packs/demo".to_owned(),
            format!("packs/../{hash}.tar.gz"),
            format!("packs/demo/x/{hash}.tar.gz"),
            "packs/demo/abc.tar.gz".to_owned(),
            format!("packs/demo/{hash}"),
        ] {
            assert!(parts(&odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn what_is_packed_is_unpacked_once() {
        let home = tempfile::tempdir().unwrap();
        let source = home.path().join("source");
        fs::create_dir_all(source.join("actions")).unwrap();
        fs::write(source.join("pack.yaml"), "ref: demo").unwrap();
        fs::write(source.join("actions/run.sh"), "echo").unwrap();
        let (name, bytes) = pack(&PackRef::parse("demo").unwrap(), &source).unwrap();
        assert!(parts(&name).is_ok(), "{name}");
        let target = home.path().join("packs/demo/x");
        for _ in 0..2 {
            unpack(&bytes, home.path(), &target).unwrap();
            assert_eq!(fs::read_to_string(target.join("actions/run.sh")).unwrap(), "echo");
        }
        let left = fs::read_dir(home.path()).unwrap().count();
        assert_eq!(left, 2, "nothing lies beside the source and the packs");
        assert!(unpack(b"no archive", home.path(), &home.path().join("packs/demo/y")).is_err());
    }
}
