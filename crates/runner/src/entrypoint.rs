//! Finds what an action's entry point names.

use attune_domain::runtime::Runtime;
use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

/// Why an entry point cannot be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the action has no entry point")]
    Empty,
    #[error("entry point {0} lies outside of its pack")]
    Outside(String),
    #[error("entry point {0} was not found in the pack's actions folder")]
    Missing(String),
    #[error("entry point {0} is not executable")]
    NotExecutable(String),
    #[error("entry point {0} could not be looked up")]
    Lookup(String, #[source] std::io::Error),
}

/// What an entry point turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) enum Entry {
    /// A file, by its absolute path.
    File(PathBuf),
    /// Shell code.
    Inline,
}

/// Finds the file that an entry point names, or takes it as shell code.
///
/// Nothing outside the pack is run as a file, neither by an absolute path or `..` nor through a
/// symbolic link. Shell code may well contain such paths: only text that is a path and nothing
/// else is refused for them.
pub(crate) fn resolve(
    pack_dir: Option<&Path>,
    entrypoint: &str,
    runtime: Runtime,
) -> Result<Entry, Error> {
    if entrypoint.trim().is_empty() {
        return Err(Error::Empty);
    }
    let path = Path::new(entrypoint);
    let inside = path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    let code = runtime == Runtime::Shell && !is_bare_path(entrypoint);
    if !inside && !code {
        return Err(Error::Outside(entrypoint.to_owned()));
    }
    match pack_dir.map(|pack| find(pack, path, entrypoint)).transpose()?.flatten() {
        Some(_) if !inside => Err(Error::Outside(entrypoint.to_owned())),
        Some(file) => {
            if runtime == Runtime::Native && !is_executable(&file) {
                return Err(Error::NotExecutable(entrypoint.to_owned()));
            }
            Ok(Entry::File(file))
        }
        None if runtime == Runtime::Shell => Ok(Entry::Inline),
        None => Err(Error::Missing(entrypoint.to_owned())),
    }
}

/// Whether a text is one path, without anything that would make it a command line.
fn is_bare_path(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || "\"'`$&|;()<>{}*?#=~".contains(c))
}

fn find(pack: &Path, path: &Path, shown: &str) -> Result<Option<PathBuf>, Error> {
    let lookup = |error| Error::Lookup(shown.to_owned(), error);
    let pack = pack.canonicalize().map_err(lookup)?;
    let file = pack.join("actions").join(path);
    let real = match file.canonicalize() {
        Ok(real) => real,
        // Code is no file name: too long, with a NUL, through something that is no folder.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound
                    | ErrorKind::NotADirectory
                    | ErrorKind::InvalidFilename
                    | ErrorKind::InvalidInput
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(lookup(error)),
    };
    if !real.is_file() {
        return Ok(None);
    }
    if real.starts_with(&pack) { Ok(Some(file)) } else { Err(Error::Outside(shown.to_owned())) }
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn entry_points() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let pack = root.join("pack");
        let actions = pack.join("actions");
        fs::create_dir_all(actions.join("sub")).unwrap();
        for file in ["run.sh", "sub/run.py", "two words.sh"] {
            fs::write(actions.join(file), "").unwrap();
        }
        fs::write(root.join("outside.sh"), "").unwrap();
        fs::write(pack.join("lib.sh"), "").unwrap();
        symlink(root.join("outside.sh"), actions.join("out.sh")).unwrap();
        symlink(pack.join("lib.sh"), actions.join("in.sh")).unwrap();

        let long = format!("echo {}", "x".repeat(5000));
        let rows = [
            ("a script", Runtime::Shell, "run.sh", "file"),
            ("a script in a folder", Runtime::Python, "sub/run.py", "file"),
            ("a name with a space", Runtime::Shell, "two words.sh", "file"),
            ("a link within the pack", Runtime::Shell, "in.sh", "file"),
            ("one command", Runtime::Shell, "true", "inline"),
            ("a command line with paths", Runtime::Shell, "cat /etc/hosts ../x", "inline"),
            ("a command at an absolute path", Runtime::Shell, "/bin/echo hi", "inline"),
            ("code longer than a file name", Runtime::Shell, &long, "inline"),
            ("a folder's name is code", Runtime::Shell, "sub", "inline"),
            ("nothing at all", Runtime::Shell, " ", "no entry point"),
            ("up and out", Runtime::Shell, "../../outside.sh", "outside"),
            ("up and in", Runtime::Python, "../actions/run.sh", "outside"),
            ("an absolute path", Runtime::Shell, "/bin/ls", "outside"),
            ("an absolute path for Node", Runtime::Node, "/x.js", "outside"),
            ("a link out of the pack", Runtime::Shell, "out.sh", "outside"),
            ("a missing program", Runtime::Python, "gone.py", "not found"),
            ("a missing executable", Runtime::Native, "gone", "not found"),
            ("no execute bit", Runtime::Native, "run.sh", "not executable"),
        ];
        for (case, runtime, entrypoint, expected) in rows {
            let found = match resolve(Some(&pack), entrypoint, runtime) {
                Ok(Entry::File(path)) => {
                    assert_eq!(path, actions.join(entrypoint));
                    "file".to_owned()
                }
                Ok(Entry::Inline) => "inline".to_owned(),
                Err(error) => error.to_string(),
            };
            assert!(found.contains(expected), "{case}: {found}");
        }
        assert_eq!(resolve(None, "echo hi", Runtime::Shell).unwrap(), Entry::Inline);
        assert!(matches!(resolve(None, "a.py", Runtime::Python), Err(Error::Missing(_))));
    }
}
