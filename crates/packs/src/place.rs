//! Moves a pack's folder into the folder of installed packs.

use attune_domain::reference::PackRef;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a pack was not moved in.
#[derive(Debug, thiserror::Error)]
#[error("cannot move pack '{pack}' into {}", packs_dir.display())]
pub struct Error {
    /// The pack's ref.
    pub pack: PackRef,
    /// The folder of installed packs.
    pub packs_dir: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Makes the folder `staged` the pack `pack_ref` in `packs_dir`, instead of the one that may be
/// there, and answers where it is now. `staged` must be on the same file system as `packs_dir`: it
/// is renamed, never copied, so that no one sees half a pack. Folders of `packs_dir` whose names
/// begin with a dot are not packs.
///
/// # Errors
/// Where a folder cannot be renamed; the pack that was there is then there again, and `staged` is
/// where it was.
pub fn place(staged: &Path, packs_dir: &Path, pack_ref: &PackRef) -> Result<PathBuf, Error> {
    swap(staged, packs_dir, pack_ref).map_err(|source| Error {
        pack: pack_ref.clone(),
        packs_dir: packs_dir.to_owned(),
        source,
    })
}

fn swap(staged: &Path, packs_dir: &Path, pack_ref: &PackRef) -> io::Result<PathBuf> {
    fs::create_dir_all(packs_dir)?;
    let target = packs_dir.join(pack_ref.as_str());
    let aside = aside(packs_dir, pack_ref.as_str());
    settle(&aside, &target)?;
    let replaced = match fs::rename(&target, &aside) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if let Err(error) = fs::rename(staged, &target) {
        if replaced {
            fs::rename(&aside, &target)?;
        }
        return Err(error);
    }
    if replaced {
        // The new pack is in place all the same; `recover` removes what stays behind.
        let _ = remove(&aside);
    }
    Ok(target)
}

/// Brings back packs that a crash left aside in the middle of [`place()`], and removes those that it
/// had replaced already. To be called before `packs_dir` is read.
///
/// # Errors
/// Where a folder cannot be read, renamed or removed.
pub fn recover(packs_dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(packs_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let pack = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(SUFFIX));
        if let Some(pack) = pack.filter(|pack| PackRef::parse(pack).is_ok()) {
            settle(&entry.path(), &packs_dir.join(pack))?;
        }
    }
    Ok(())
}

const SUFFIX: &str = ".replaced";

fn aside(packs_dir: &Path, pack: &str) -> PathBuf {
    packs_dir.join(format!(".{pack}{SUFFIX}"))
}

/// Undoes what is left of a replacement that did not finish.
fn settle(aside: &Path, target: &Path) -> io::Result<()> {
    match (exists(aside), exists(target)) {
        (false, _) => Ok(()),
        (true, true) => remove(aside),
        (true, false) => fs::rename(aside, target),
    }
}

fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A pack may also be a link to a folder elsewhere: then the link goes, not what it points to.
fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(at: &Path, content: &str) -> PathBuf {
        fs::create_dir_all(at).unwrap();
        fs::write(at.join("pack.yaml"), content).unwrap();
        at.to_owned()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn content(packs: &Path) -> String {
        fs::read_to_string(packs.join("demo/pack.yaml")).unwrap()
    }

    #[test]
    fn a_pack_takes_the_place_of_another() {
        let home = tempfile::tempdir().unwrap();
        let packs = home.path().join("packs");
        let demo = PackRef::parse("demo").unwrap();
        for version in ["one", "two"] {
            let staged = folder(&home.path().join("staged"), version);
            let target = place(&staged, &packs, &demo).unwrap();
            assert_eq!(target, packs.join("demo"));
            assert_eq!(content(&packs), version);
            assert!(!staged.exists());
            assert_eq!(names(&packs), ["demo"]);
        }
    }

    #[test]
    fn a_failure_leaves_the_old_pack() {
        let home = tempfile::tempdir().unwrap();
        let packs = home.path().join("packs");
        folder(&packs.join("demo"), "old");
        let demo = PackRef::parse("demo").unwrap();
        assert!(place(&home.path().join("absent"), &packs, &demo).is_err());
        assert_eq!(content(&packs), "old");
        assert_eq!(names(&packs), ["demo"]);
    }

    #[test]
    fn a_crash_in_the_middle_is_undone() {
        for (what, before) in [
            ("the old pack comes back", &[".demo.replaced"][..]),
            ("the replaced pack goes", &[".demo.replaced", "demo"]),
        ] {
            let home = tempfile::tempdir().unwrap();
            for name in before {
                folder(&home.path().join(name), name);
            }
            recover(home.path()).unwrap();
            assert_eq!(names(home.path()), ["demo"], "{what}");
            assert_eq!(content(home.path()), *before.last().unwrap(), "{what}");
        }
        recover(Path::new("/nonexistent/packs")).unwrap();
    }
}
