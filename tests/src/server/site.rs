//! A folder in which servers live one after the other.

use super::launch::{Launch, Server};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// Login of the administrator, unless a test wants otherwise.
pub const LOGIN: &str = "admin";
/// The administrator's password, unless a test wants otherwise.
pub const PASSWORD: &str = "correct horse battery staple";

/// A temporary folder with a data folder, a home, and the output of every server that lived there.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    lives: AtomicUsize,
}

impl Site {
    /// An empty one.
    ///
    /// # Panics
    /// Where no folder can be made.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::create_dir(folder.path().join("home")).expect("a folder can be made in it");
        Self { folder, lives: AtomicUsize::new(0) }
    }

    /// The folder itself: room for files of the test.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The servers' data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The home folder of the servers and of command lines.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// What the servers said so far, each on its standard output and its standard error.
    ///
    /// # Panics
    /// Where the folder cannot be read.
    #[must_use]
    pub fn logs(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path()).expect("the folder can be listed");
        let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
        let is_log =
            |path: &PathBuf| path.extension().is_some_and(|end| end == "out" || end == "err");
        paths.filter(is_log).collect()
    }

    /// A server to be started, without the demo rule.
    #[must_use]
    pub fn launch(&self) -> Launch {
        let life = self.lives.fetch_add(1, Ordering::Relaxed);
        Launch::new(self, &format!("server-{life}"))
    }

    /// Starts a server on a free port.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn start(&self) -> Server {
        self.launch().start().await
    }

    /// Runs the command line against a server with this token and waits for its end.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn command_line(
        &self,
        url: &str,
        token: &str,
        arguments: &[&str],
    ) -> std::process::Output {
        tokio::process::Command::new(super::binary::path())
            .args(arguments)
            .env_clear()
            .env("HOME", self.home())
            .env("ATTUNE_URL", url)
            .env("ATTUNE_TOKEN", token)
            .current_dir(self.home())
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .expect("the command line starts")
    }

    /// The same where it has to work; answers what it printed.
    ///
    /// # Panics
    /// Where it fails.
    pub async fn commanded(&self, url: &str, token: &str, arguments: &[&str]) -> String {
        let output = self.command_line(url, token, arguments).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }
}
