//! A pack as the one file that goes to the server.

use crate::exit::Usage;
use anyhow::Context;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io;
use std::path::Path;

/// What lies in many a pack's folder and is not the pack's.
const LEFT_OUT: [&str; 2] = [".git", "__pycache__"];

/// A `.tar.gz` of the pack at `path`: of a folder with `pack.yaml`, or what is such a file already.
///
/// # Errors
/// Where there is no pack, or its files cannot be read.
pub fn of(path: &Path) -> anyhow::Result<Bytes> {
    let shown = path.display();
    let found = fs::metadata(path).map_err(|why| Usage(format!("cannot read {shown}: {why}")))?;
    if !found.is_dir() {
        let archive = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
        return Ok(archive.into());
    }
    if !path.join("pack.yaml").is_file() {
        return Err(Usage(format!("{shown} is no pack: it has no pack.yaml")).into());
    }
    folder(path).with_context(|| format!("cannot put {shown} into an archive"))
}

fn folder(path: &Path) -> io::Result<Bytes> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    append(&mut archive, path, Path::new(""))?;
    Ok(archive.into_inner()?.finish()?.into())
}

/// Appends what is in a folder, in the order of its names, so that the same files are the same archive. Links
/// are followed, since an archive may hold none.
fn append(archive: &mut tar::Builder<impl io::Write>, from: &Path, to: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(from)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|out| name == *out) {
            continue;
        }
        let (path, name) = (entry.path(), to.join(name));
        if fs::metadata(&path)?.is_dir() {
            append(archive, &path, &name)?;
        } else {
            archive.append_path_with_name(&path, &name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_becomes_an_archive_of_its_files() {
        let home = tempfile::tempdir().unwrap();
        for name in ["pack.yaml", "actions/a.sh", "actions/a.yaml", ".git/config", ".hidden"] {
            let file = home.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, name).unwrap();
        }
        std::os::unix::fs::symlink("pack.yaml", home.path().join("link.yaml")).unwrap();
        let archive = of(home.path()).unwrap();
        let mut found = Vec::new();
        let plain = flate2::read::GzDecoder::new(&archive[..]);
        for entry in tar::Archive::new(plain).entries().unwrap() {
            let entry = entry.unwrap();
            assert!(entry.header().entry_type().is_file());
            found.push(entry.path().unwrap().to_str().unwrap().to_owned());
        }
        assert_eq!(found, [".hidden", "actions/a.sh", "actions/a.yaml", "link.yaml", "pack.yaml"]);
        assert_eq!(of(home.path()).unwrap(), archive, "and again the same");
    }

    #[test]
    fn what_is_no_pack_is_a_mistake_in_the_command() {
        let home = tempfile::tempdir().unwrap();
        for path in [home.path().to_owned(), home.path().join("nothing")] {
            assert!(of(&path).unwrap_err().is::<Usage>(), "{}", path.display());
        }
    }
}
