//! A user's shell: a home of its own, and nothing else in the environment.

use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Where `attune` is run.
pub struct Shell {
    home: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// What a command has left behind.
#[derive(Debug)]
pub struct Outcome {
    /// Exit code.
    pub code: i32,
    /// What it printed as result.
    pub stdout: String,
    /// What it remarked.
    pub stderr: String,
}

impl Shell {
    /// A shell of somebody who has never used `attune`.
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    /// A shell whose commands talk to `url`.
    pub fn at(url: &str) -> Self {
        Self::new().with("ATTUNE_URL", url)
    }

    /// Sets an environment variable.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.home.path().join("attune/cli.toml")
    }

    /// The file with the tokens.
    pub fn credentials(&self) -> PathBuf {
        self.home.path().join("attune/cli.credentials.toml")
    }

    /// Runs `attune` with the words of `line`.
    pub async fn run(&self, line: &str) -> Outcome {
        self.run_with_input(line, "").await
    }

    /// Runs `attune` with the words of `line`, and `input` on stdin.
    pub async fn run_with_input(&self, line: &str, input: &str) -> Outcome {
        let mut child = Command::new(env!("CARGO_BIN_EXE_attune"))
            .args(line.split_whitespace())
            .env_clear()
            .env("ATTUNE_CLI_CONFIG", self.config())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that does not read its input may be gone before it is written.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        Outcome {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Outcome {
    /// The result, of a command that must have succeeded.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// The remarks, of a command that must have failed with `code`.
    #[track_caller]
    pub fn failure(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.stderr
    }
}
