//! The data folder and its lock.

use crate::Error;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Another server uses the data folder.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {0} is in use by another server")]
pub struct Locked(String);

/// A locked data folder; the lock ends with the process, however it ends.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder where there is none (readable by its owner alone), and locks it.
    ///
    /// # Errors
    /// [`Error::Locked`] where another process has it, [`Error::File`] where it cannot be made.
    pub fn lock(path: &Path) -> Result<Self, Error> {
        let file_error = |source| Error::File { path: path.display().to_string(), source };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(file_error)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(file_error)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Locked(path.display().to_string()).into()),
            Err(TryLockError::Error(source)) => Err(file_error(source)),
        }
    }

    /// A file or folder within.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
