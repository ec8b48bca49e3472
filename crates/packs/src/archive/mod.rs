//! Unpacks a pack's `.tar.gz` without trusting it.
//!
//! An archive comes from whoever may install packs, and must not be able to write outside its
//! folder, fill the disk, or leave anything but plain files and folders. So limits count bytes that
//! were really read and written, whatever the headers claim, and modes, owners and times are not
//! taken over.

mod bounded;
mod writing;

pub use writing::create;

use bounded::Bounded;
use flate2::read::MultiGzDecoder;
use std::collections::HashSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use tar::EntryType;

/// What tar itself may take for each entry beyond its content: headers, long names, padding.
const OVERHEAD_PER_ENTRY: u64 = 4096;

/// How much an archive may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the archive itself.
    pub compressed_bytes: u64,
    /// Bytes of all files together.
    pub extracted_bytes: u64,
    /// Files and folders.
    pub entries: u64,
    /// Bytes of one file.
    pub entry_bytes: u64,
}

impl Default for Limits {
    /// 100 MiB compressed, 100 MiB extracted, 10,000 entries, 50 MiB each.
    fn default() -> Self {
        Self {
            compressed_bytes: 100 << 20,
            extracted_bytes: 100 << 20,
            entries: 10_000,
            entry_bytes: 50 << 20,
        }
    }
}

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not gzip, not tar, or cut short.
    #[error("cannot read the archive: it is not a complete .tar.gz")]
    Malformed(#[source] io::Error),
    /// [`Limits::compressed_bytes`] passed.
    #[error("the archive is larger than {0} bytes")]
    Compressed(u64),
    /// [`Limits::extracted_bytes`] passed.
    #[error("the archive holds more than {0} bytes")]
    Extracted(u64),
    /// [`Limits::entries`] passed.
    #[error("the archive has more than {0} entries")]
    Entries(u64),
    /// [`Limits::entry_bytes`] passed.
    #[error("'{path}' in the archive is larger than {limit} bytes")]
    Entry {
        /// The entry's path as the archive has it.
        path: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// An absolute path, one with `..`, an empty one, or not UTF-8.
    #[error("'{0}' in the archive is not a path inside the pack")]
    Path(String),
    /// A link, a device or another thing that is neither file nor folder.
    #[error("'{path}' in the archive is neither a file nor a folder but a {kind}")]
    Kind {
        /// The entry's path as the archive has it.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// Two entries of one path.
    #[error("'{0}' is in the archive twice")]
    Duplicate(String),
    /// No `pack.yaml` where one must be.
    #[error("the archive has no pack.yaml, neither at its root nor in a folder of its root")]
    NoManifest,
    /// Several folders with a `pack.yaml`.
    #[error("the archive holds several packs: pack.yaml is in more than one folder of its root")]
    SeveralManifests,
    /// The disk refused.
    #[error("cannot write '{path}' of the archive")]
    Write {
        /// The entry's path.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Unpacks the `.tar.gz` that `reader` yields into the empty folder `into`, which is made if need
/// be, and answers the folder of its `pack.yaml`: `into`, or one folder below.
///
/// # Errors
/// As [`Error`] says; `into` then holds what was written so far, for the caller to remove.
pub fn extract(reader: impl Read, into: &Path, limits: Limits) -> Result<PathBuf, Error> {
    let compressed = Bounded::new(reader, limits.compressed_bytes);
    let too_compressed = compressed.exceeded();
    let overhead = limits.entries.saturating_mul(OVERHEAD_PER_ENTRY).saturating_add(1 << 20);
    let plain = Bounded::new(
        MultiGzDecoder::new(compressed),
        limits.extracted_bytes.saturating_add(overhead),
    );
    let too_plain = plain.exceeded();
    let malformed = |error| match (too_compressed.get(), too_plain.get()) {
        (true, _) => Error::Compressed(limits.compressed_bytes),
        (_, true) => Error::Extracted(limits.extracted_bytes),
        _ => Error::Malformed(error),
    };

    fs::create_dir_all(into).map_err(|source| Error::Write { path: String::new(), source })?;
    let mut archive = tar::Archive::new(plain);
    let mut seen = HashSet::new();
    let mut count = 0;
    let mut left = limits.extracted_bytes;
    for entry in archive.entries().map_err(&malformed)? {
        let mut entry = entry.map_err(&malformed)?;
        count += 1;
        if count > limits.entries {
            return Err(Error::Entries(limits.entries));
        }
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = match kind(entry.header().entry_type(), &shown)? {
            // What `git archive` puts in front: notes about the archive, not a part of it.
            Kind::Note => continue,
            kind => kind,
        };
        let path = relative(&entry.path_bytes()).ok_or_else(|| Error::Path(shown.clone()))?;
        if path.as_os_str().is_empty() {
            match kind {
                Kind::Folder => continue,
                _ => return Err(Error::Path(shown)),
            }
        }
        if !seen.insert(path.clone()) {
            return Err(Error::Duplicate(shown));
        }
        let target = into.join(&path);
        let refused = |source| Error::Write { path: shown.clone(), source };
        if matches!(kind, Kind::Folder) {
            fs::create_dir_all(&target).map_err(refused)?;
            continue;
        }
        if entry.size() > limits.entry_bytes {
            return Err(Error::Entry { path: shown, limit: limits.entry_bytes });
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(refused)?;
        }
        // `create_new` follows no link and overwrites nothing.
        let mut file =
            fs::File::options().write(true).create_new(true).open(&target).map_err(refused)?;
        let written =
            copy(&mut entry, &mut file, left.min(limits.entry_bytes), &shown, &malformed)?;
        match written {
            Some(written) => left -= written,
            None if left <= limits.entry_bytes => {
                return Err(Error::Extracted(limits.extracted_bytes));
            }
            None => return Err(Error::Entry { path: shown, limit: limits.entry_bytes }),
        }
    }
    // What follows the last entry is read as well, so that a damaged end is noticed.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(&malformed)?;
    pack_root(into)
}

/// Copies all of `from`; answers how many bytes, or `None` after more than `limit`.
fn copy(
    from: &mut impl Read,
    to: &mut impl Write,
    limit: u64,
    path: &str,
    malformed: &impl Fn(io::Error) -> Error,
) -> Result<Option<u64>, Error> {
    let mut buffer = [0; 16 * 1024];
    let mut written = 0;
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(Some(written)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(malformed(error)),
        };
        written += read as u64;
        if written > limit {
            return Ok(None);
        }
        to.write_all(&buffer[..read])
            .map_err(|source| Error::Write { path: path.to_owned(), source })?;
    }
}

enum Kind {
    File,
    Folder,
    Note,
}

fn kind(entry: EntryType, path: &str) -> Result<Kind, Error> {
    let kind = match entry {
        // Old archives mark a folder by its slash only.
        EntryType::Regular if path.ends_with('/') => return Ok(Kind::Folder),
        EntryType::Regular => return Ok(Kind::File),
        EntryType::Directory => return Ok(Kind::Folder),
        EntryType::XGlobalHeader => return Ok(Kind::Note),
        EntryType::Symlink => "symbolic link",
        EntryType::Link => "hard link",
        EntryType::Char | EntryType::Block => "device",
        EntryType::Fifo => "FIFO",
        _ => "special entry",
    };
    Err(Error::Kind { path: path.to_owned(), kind })
}

/// The path without `.`; `None` where it could lead out of its folder.
fn relative(bytes: &[u8]) -> Option<PathBuf> {
    let text = std::str::from_utf8(bytes).ok()?;
    // A backslash separates folders elsewhere, and no pack needs one in a name.
    if text.is_empty() || text.contains(['\\', '\0']) {
        return None;
    }
    let mut path = PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

fn pack_root(into: &Path) -> Result<PathBuf, Error> {
    if into.join("pack.yaml").is_file() {
        return Ok(into.to_owned());
    }
    let entries =
        fs::read_dir(into).map_err(|source| Error::Write { path: String::new(), source })?;
    let mut roots =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("pack.yaml").is_file());
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        (None, _) => Err(Error::NoManifest),
        _ => Err(Error::SeveralManifests),
    }
}

#[cfg(test)]
mod tests;
