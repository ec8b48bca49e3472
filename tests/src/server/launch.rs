//! Starting servers, and what can be done to a process.

use super::client::Client;
use super::site::{LOGIN, PASSWORD, Site};
use super::until::until;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

/// What the line starts with that says where a server answers.
const ADDRESS: &str = "Attune is at";

/// How a server starts.
#[derive(Debug)]
pub struct Launch {
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    home: PathBuf,
    /// Standard output and standard error go to files: whatever happens, they can be read.
    output: PathBuf,
    complaints: PathBuf,
}

impl Launch {
    pub(super) fn new(site: &Site, name: &str) -> Self {
        let data = site.data().to_string_lossy().into_owned();
        let arguments = ["serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", &data];
        let environment = [
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("HOME", site.home().to_string_lossy().into_owned()),
            ("ATTUNE_ADMIN_LOGIN", LOGIN.to_owned()),
            ("ATTUNE_ADMIN_PASSWORD", PASSWORD.to_owned()),
            ("ATTUNE__PACKS__LOAD_DEMO", "false".to_owned()),
        ];
        Self {
            arguments: arguments.map(str::to_owned).to_vec(),
            environment: environment.map(|(name, value)| (name.to_owned(), value)).into(),
            home: site.home(),
            output: site.path().join(format!("{name}.out")),
            complaints: site.path().join(format!("{name}.err")),
        }
    }

    /// On this port instead of a free one.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        self.argument("--port", &port.to_string())
    }

    /// With this argument, in place of the same given before.
    #[must_use]
    pub fn argument(mut self, name: &str, value: &str) -> Self {
        if let Some(at) = self.arguments.iter().position(|given| given == name) {
            self.arguments.drain(at..at + 2);
        }
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// With this variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Without this variable, which it would have had.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Starts the process, and does not wait for anything.
    ///
    /// # Panics
    /// Where the binary does not start at all.
    #[must_use]
    pub fn spawn(self) -> Process {
        let file = |path| File::create(path).expect("output can be written");
        let child = Command::new(super::binary::path())
            .args(self.arguments)
            .env_clear()
            .envs(self.environment)
            .current_dir(self.home)
            .stdin(Stdio::null())
            .stdout(file(&self.output))
            .stderr(file(&self.complaints))
            .spawn()
            .expect("the binary starts");
        Process { child, output: self.output, complaints: self.complaints }
    }

    /// Starts a server and waits until it says where it answers.
    ///
    /// # Panics
    /// Where it ends instead, or takes too long.
    pub async fn start(self) -> Server {
        let mut process = self.spawn();
        let url = until("a server that says where it is", async || {
            if let Some(status) = process.has_ended() {
                panic!("the server ended with {status}: {}", process.complained());
            }
            address(&process.printed())
        })
        .await;
        Server { process, url }
    }

    /// Starts what is to be refused, and waits for its end; answers how it ended and what it said on
    /// standard error.
    ///
    /// # Panics
    /// Where it does not end.
    pub async fn refused(self) -> (ExitStatus, String) {
        let mut process = self.spawn();
        let status = process.ended().await;
        (status, process.complained())
    }
}

fn address(printed: &str) -> Option<String> {
    let line = printed.lines().find(|line| line.starts_with(ADDRESS))?;
    let url = line[ADDRESS.len()..].split_whitespace().next()?;
    // The line may be half written yet.
    line.contains("/docs").then(|| url.to_owned())
}

/// A process of the binary; it dies with this.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: PathBuf,
    complaints: PathBuf,
}

impl Process {
    /// How it ended, if it has.
    ///
    /// # Panics
    /// Where the system does not say.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the system says how a child is")
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it does not end.
    pub async fn ended(&mut self) -> ExitStatus {
        until("a process that ends", async || self.has_ended()).await
    }

    /// Everything on its standard output so far.
    #[must_use]
    pub fn printed(&self) -> String {
        let bytes = fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything on its standard error so far.
    #[must_use]
    pub fn complained(&self) -> String {
        let bytes = fs::read(&self.complaints).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a child can be signalled");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be over, and then both have nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that answers.
#[derive(Debug)]
pub struct Server {
    process: Process,
    url: String,
}

impl Server {
    /// Where it answers, such as `http://127.0.0.1:8080`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// A client that is logged in as the administrator.
    pub async fn client(&self) -> Client {
        Client::stranger(&self.url).login(LOGIN, PASSWORD).await
    }

    /// Presses Ctrl-C and does not wait.
    pub fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.ended().await
    }

    /// Asks it to end, as a system does that shuts down.
    ///
    /// # Panics
    /// Where it does not end well.
    pub async fn stop(mut self) {
        self.process.signal(Signal::TERM);
        let status = self.process.ended().await;
        assert!(status.success(), "{status}: {}", self.process.complained());
    }

    /// Ends it without a word.
    ///
    /// # Panics
    /// Where it had ended before.
    pub async fn kill(mut self) {
        let ended = self.process.has_ended();
        assert!(ended.is_none(), "it ended by itself: {ended:?}: {}", self.process.complained());
        self.process.signal(Signal::KILL);
        self.process.ended().await;
    }
}
