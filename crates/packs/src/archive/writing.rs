//! Packs a folder into a `.tar.gz`: the counterpart of unpacking.

use flate2::{Compression, GzBuilder};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Writes all files and folders below `folder` as a `.tar.gz` that [`super::extract`] takes. The same files
/// give the same bytes: entries are in the order of their names, and have neither times nor owners.
///
/// # Errors
/// Where something cannot be read or written, or is neither a file nor a folder.
pub fn create<W: Write>(folder: &Path, to: W) -> io::Result<W> {
    let mut archive = Builder::new(GzBuilder::new().mtime(0).write(to, Compression::default()));
    add(&mut archive, folder, Path::new(""))?;
    archive.into_inner()?.finish()
}

fn add(archive: &mut Builder<impl Write>, root: &Path, folder: &Path) -> io::Result<()> {
    let entries = fs::read_dir(root.join(folder))?;
    let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    for name in names {
        let path = folder.join(name);
        let source = root.join(&path);
        let meta = source.symlink_metadata()?;
        if meta.is_dir() {
            archive.append_data(&mut header(EntryType::Directory, 0), &path, io::empty())?;
            add(archive, root, &path)?;
        } else if meta.is_file() {
            let file = fs::File::open(source)?;
            archive.append_data(&mut header(EntryType::Regular, meta.len()), &path, file)?;
        } else {
            return Err(odd(path));
        }
    }
    Ok(())
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind.is_dir() { 0o755 } else { 0o644 });
    header.set_size(size);
    header
}

fn odd(path: PathBuf) -> io::Error {
    io::Error::other(format!("'{}' is neither a file nor a folder", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Limits, extract};

    fn pack(at: &Path) {
        fs::create_dir_all(at.join("actions/deep/er")).unwrap();
        fs::create_dir_all(at.join("empty")).unwrap();
        fs::write(at.join("pack.yaml"), "ref: demo").unwrap();
        fs::write(at.join("actions").join("long".repeat(50)), "x").unwrap();
        fs::write(at.join("actions/deep/er/run.sh"), vec![b'#'; 100_000]).unwrap();
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let home = tempfile::tempdir().unwrap();
        pack(&home.path().join("a"));
        let archive = create(&home.path().join("a"), Vec::new()).unwrap();
        let root = extract(&archive[..], &home.path().join("b"), Limits::default()).unwrap();
        assert_eq!(root, home.path().join("b"));
        for path in ["pack.yaml", "actions/deep/er/run.sh"] {
            let read = |folder: &str| fs::read(home.path().join(folder).join(path)).unwrap();
            assert_eq!(read("a"), read("b"), "{path}");
        }
        assert!(root.join("empty").is_dir());
        let again = create(&root, Vec::new()).unwrap();
        assert_eq!(again, archive, "the same files are the same bytes");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", home.path().join("link")).unwrap();
        let error = create(home.path(), Vec::new()).unwrap_err().to_string();
        assert_eq!(error, "'link' is neither a file nor a folder");
    }
}
