//! A runner over a data folder of its own, with a pack to put actions in.

use attune_domain::catalogue::{
    OutputFormat, ParameterDelivery as Delivery, ParameterFormat as Format,
};
use attune_domain::id::ExecutionId;
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use attune_ports::{
    LogStream, Runner as _,
    runner::{Invocation, Outcome},
};
use attune_runner::{Config, Runner, log_path};
use serde_json::{Map, Value};
use std::{
    fs,
    future::pending,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;

/// Longer than anything here takes: only what hangs gets there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The execution of every invocation, where a test names none of its own.
pub(crate) const EXECUTION: ExecutionId = ExecutionId::new(4711);

pub(crate) struct Bench {
    dir: TempDir,
    pub(crate) config: Config,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("pack/actions")).unwrap();
        // A name of its own: a test that reaps must not reap what others run beside it.
        let instance = dir.path().display().to_string();
        let mut config = Config::new(&dir.path().join("data"), instance, "http://0.0.0.0:8080");
        config.term_grace = Duration::from_secs(20);
        config.drain_grace = Duration::from_secs(20);
        Self { dir, config }
    }

    pub(crate) fn pack(&self) -> PathBuf {
        self.dir.path().join("pack").canonicalize().unwrap()
    }

    /// Puts an action's file into the pack.
    pub(crate) fn file(&self, name: &str, text: &str, mode: u32) {
        let path = self.pack().join("actions").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// An invocation of shell code.
    pub(crate) fn code(&self, code: &str) -> Invocation {
        Invocation {
            execution: EXECUTION,
            attempt: 1,
            action_ref: ComponentRef::parse("mine.action").unwrap(),
            runtime: Runtime::Shell,
            entrypoint: code.into(),
            pack_dir: Some(self.pack()),
            parameters: Map::new(),
            parameter_delivery: Delivery::Stdin,
            parameter_format: Format::Json,
            output_format: OutputFormat::Text,
            timeout: PATIENCE,
            rule_ref: None,
            trigger_ref: None,
            secrets: Vec::new(),
            api_token: None,
        }
    }

    /// An invocation of a shell script with this text.
    pub(crate) fn script(&self, text: &str) -> Invocation {
        self.file("run.sh", text, 0o644);
        self.code("run.sh")
    }

    /// An invocation of a built-in.
    pub(crate) fn native(&self, name: &str, parameters: Value) -> Invocation {
        Invocation { runtime: Runtime::Native, ..self.code(name) }.with(parameters)
    }

    pub(crate) async fn run(&self, invocation: Invocation) -> Outcome {
        Runner::new(self.config.clone()).run(invocation, Box::pin(pending())).await
    }

    /// What is in the log of a stream by now; `None` where there is no log.
    pub(crate) fn log(&self, stream: LogStream) -> Option<String> {
        let bytes = fs::read(log_path(&self.config.logs_dir, EXECUTION, stream)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Asserts that a finished run left neither a process record nor a short-lived file behind.
    pub(crate) fn assert_tidy(&self) {
        for folder in ["processes", "scratch"] {
            let left = fs::read_dir(self.config.work_dir.join(folder));
            let left: Vec<_> =
                left.into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
            assert!(left.is_empty(), "left behind: {left:?}");
        }
    }
}

/// Changes of an invocation that read well in a test.
pub(crate) trait With {
    fn with(self, parameters: Value) -> Self;
    fn printing(self, format: OutputFormat) -> Self;
    fn within(self, timeout: Duration) -> Self;
    fn hiding(self, secrets: &[&str]) -> Self;
}

impl With for Invocation {
    fn with(mut self, parameters: Value) -> Self {
        self.parameters = parameters.as_object().unwrap().clone();
        self
    }

    fn printing(mut self, format: OutputFormat) -> Self {
        self.output_format = format;
        self
    }

    fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    fn hiding(mut self, secrets: &[&str]) -> Self {
        self.secrets = secrets.iter().map(ToString::to_string).collect();
        self
    }
}

/// Waits until a condition holds, and fails the test where it never does.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
        panic!("waited in vain: {what}");
    }
}

/// The process id that an action wrote to a file, once it has.
pub(crate) async fn pid_in(path: &Path) -> i32 {
    let mut pid = None;
    until("a process id is written", || {
        let text = fs::read_to_string(path).unwrap_or_default();
        pid = text.strip_suffix('\n').and_then(|text| text.parse().ok());
        pid.is_some()
    })
    .await;
    pid.unwrap()
}

/// Whether a process is there and not just waiting for its parent to notice its end.
pub(crate) fn is_running(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
