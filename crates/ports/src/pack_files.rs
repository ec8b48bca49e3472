//! The files of installed packs.

use crate::Unavailable;
use async_trait::async_trait;
use attune_domain::reference::PackRef;
use std::path::{Path, PathBuf};

/// Keeps the files that packs bring along, and brings them to where an action runs.
#[async_trait]
pub trait PackFiles: Send + Sync {
    /// A fresh empty folder of this machine in which an archive may be unpacked; it goes with the value.
    ///
    /// # Errors
    /// [`Unavailable`] where none can be made.
    async fn staging(&self) -> Result<Staging, Unavailable>;

    /// Keeps what lies in `unpacked`, a folder below a [`PackFiles::staging`], as the files of `pack` in
    /// place of those of an earlier version; answers where they are, for the pack's record.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be kept; the earlier files are then still there.
    async fn keep(&self, pack: &PackRef, unpacked: &Path) -> Result<String, Unavailable>;

    /// A folder of this machine with the files that [`PackFiles::keep`] (or a registration) said were at
    /// `place`.
    ///
    /// # Errors
    /// [`Unavailable`] where they cannot be had.
    async fn folder(&self, place: &str) -> Result<PathBuf, Unavailable>;

    /// Removes the files at `place`, where [`PackFiles::keep`] put them; a folder of somebody else's is
    /// left alone.
    ///
    /// # Errors
    /// [`Unavailable`] where they could not be removed.
    async fn remove(&self, place: &str) -> Result<(), Unavailable>;
}

/// A folder that is removed when this is dropped.
pub struct Staging {
    path: PathBuf,
    _guard: Box<dyn Send + Sync>,
}

impl Staging {
    /// A folder at `path` that lives as long as `guard`.
    pub fn new(path: PathBuf, guard: impl Send + Sync + 'static) -> Self {
        Self { path, _guard: Box::new(guard) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
