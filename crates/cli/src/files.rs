//! Where the client keeps its two files, and how they are written.

use directories::ProjectDirs;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The client's files: profiles to edit by hand, and tokens to leave alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// TOML with `[profiles.<name>]`.
    pub config: PathBuf,
    /// TOML with tokens, mode 0600, beside the configuration.
    pub credentials: PathBuf,
}

impl Files {
    /// The files at `config` if given, else in the platform's configuration folder. `None` when
    /// there is no home folder to look in.
    pub fn locate(config: Option<PathBuf>) -> Option<Self> {
        let config = config.or_else(|| {
            ProjectDirs::from("", "", "attune").map(|dirs| dirs.config_dir().join("cli.toml"))
        })?;
        let credentials = config.with_extension("credentials.toml");
        Some(Self { config, credentials })
    }
}

/// The text of a file, or nothing if it does not exist.
///
/// # Errors
/// When it exists and cannot be read.
pub fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

/// Replaces a file by `text`, readable by its owner only and whole at any moment. A link is
/// followed, not replaced.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let written = write_new(&draft, text).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        // The failure to report is the first one.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    // A draft of a killed process with the same id may be lying there, with any mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_credentials_stand_beside_the_configuration() {
        let files = Files::locate(Some("/etc/x/cli.toml".into())).unwrap();
        assert_eq!(files.credentials, Path::new("/etc/x/cli.credentials.toml"));
    }

    #[test]
    fn a_replaced_file_is_private_even_if_it_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/credentials.toml");
        replace(&path, "a").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, "b").unwrap();
        assert_eq!(read(&path).unwrap(), "b");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no draft is left behind");
    }

    #[test]
    fn a_linked_configuration_stays_linked() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link] = ["real.toml", "link.toml"].map(|name| folder.path().join(name));
        fs::write(&real, "a").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, "b").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "b");
    }

    #[test]
    fn a_missing_file_reads_as_empty() {
        assert_eq!(read(Path::new("/nowhere/at/all")).unwrap(), "");
    }
}
