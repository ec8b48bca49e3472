//! The settings of a runner.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// The programs that run scripts: absolute paths, or names looked up on `PATH` at every start.
#[derive(Clone, Debug)]
pub struct Interpreters {
    /// Runs shell scripts and inline code, as `shell <path>`.
    pub shell: PathBuf,
    /// Runs Python programs.
    pub python: PathBuf,
    /// Runs Node programs.
    pub node: PathBuf,
}

impl Default for Interpreters {
    fn default() -> Self {
        Self { shell: "/bin/sh".into(), python: "python3".into(), node: "node".into() }
    }
}

/// The settings of a [`Runner`](crate::Runner).
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the logs of executions go.
    pub logs_dir: PathBuf,
    /// Where process records and short-lived files go; belongs to one server alone.
    pub work_dir: PathBuf,
    /// Told to actions as `ATTUNE_ARTIFACTS_DIR`.
    pub artifacts_dir: PathBuf,
    /// Told to actions as `ATTUNE_RUNTIME_ENVS_DIR`.
    pub runtime_envs_dir: PathBuf,
    /// The base URL of the API, told to actions as `ATTUNE_API_URL`; an address that means "any"
    /// becomes the loopback address.
    pub api_url: String,
    /// The most that is kept of each output stream, in bytes, truncation notice included.
    pub max_output_bytes: usize,
    /// How long a process group may take to end after SIGTERM, before SIGKILL.
    pub term_grace: Duration,
    /// How long processes that an action left behind may hold its output open.
    pub drain_grace: Duration,
    /// The programs that run scripts.
    pub interpreters: Interpreters,
    /// The variables that actions take over from this process. Nothing else of its environment
    /// reaches them.
    pub environment: Vec<String>,
    /// Names this server among others on the machine; told to actions as `ATTUNE_INSTANCE`, by
    /// which [`reap`](crate::reap) recognises them.
    pub instance: String,
}

impl Config {
    /// The default settings over one data folder, with the API at `api_url`.
    #[must_use]
    pub fn new(data_dir: &Path, instance: impl Into<String>, api_url: impl Into<String>) -> Self {
        Self {
            logs_dir: data_dir.join("logs"),
            work_dir: data_dir.join("work"),
            artifacts_dir: data_dir.join("artifacts"),
            runtime_envs_dir: data_dir.join("runtime_envs"),
            api_url: api_url.into(),
            max_output_bytes: 10 * 1024 * 1024,
            term_grace: Duration::from_secs(5),
            drain_grace: Duration::from_secs(2),
            interpreters: Interpreters::default(),
            environment: ["PATH", "HOME", "LANG", "TZ"].map(String::from).into(),
            instance: instance.into(),
        }
    }
}
