//! A server of our own for one scenario: a free port, an empty data folder, gone afterwards.
//!
//! The data folder lies beside the build and not in the system's temporary folder, which is often
//! kept in memory: a durable write that never reaches a disk is no measurement.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::http::{Connection, Request};
use crate::session::Credentials;

/// A running server. Dropping it ends the process and removes the data folder.
pub struct Server {
    process: Child,
    authority: String,
    credentials: Credentials,
    folder: TempDir,
}

impl Server {
    /// Starts `program` with a data folder below `scratch` and waits until it is healthy.
    pub async fn start(program: &Path, scratch: &Path) -> Result<Self> {
        std::fs::create_dir_all(scratch)?;
        let folder = tempfile::Builder::new().prefix("server-").tempdir_in(scratch)?;
        let log = File::create(log_of(folder.path()))?;
        let port = free_port()?;
        let credentials = Credentials { login: "load".to_owned(), password: password()? };
        let process = Command::new(program)
            .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir"])
            .arg(folder.path().join("data"))
            .env("ATTUNE_ADMIN_LOGIN", &credentials.login)
            .env("ATTUNE_ADMIN_PASSWORD", &credentials.password)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let authority = format!("127.0.0.1:{port}");
        let mut server = Self { process, authority, credentials, folder };
        server.wait_healthy().await?;
        Ok(server)
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The administrator it was started with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The physical memory the process holds, in MiB.
    pub fn resident_mib(&self) -> Result<f64> {
        self.memory_mib("VmRSS:")
    }

    /// The most memory that the process has held since its start, or since [`Server::forget_peak`].
    pub fn peak_mib(&self) -> Result<f64> {
        self.memory_mib("VmHWM:")
    }

    /// From now on [`Server::peak_mib`] counts anew.
    pub fn forget_peak(&self) -> Result<()> {
        let id = self.process.id().context("the server has ended")?;
        std::fs::write(format!("/proc/{id}/clear_refs"), "5")
            .context("the peak of a process's memory can be forgotten on Linux only")
    }

    fn memory_mib(&self, name: &str) -> Result<f64> {
        let id = self.process.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))
            .context("the memory of a process can be read on Linux only")?;
        memory_kib(&status, name)
            .map(|kib| kib as f64 / 1024.0)
            .context("the system does not tell how much memory the server holds")
    }

    /// Ends the process at once: the data folder goes with it, so there is nothing to save.
    pub async fn stop(mut self) -> Result<()> {
        self.process.kill().await.context("cannot end the server")
    }

    async fn wait_healthy(&mut self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended with {status}:\n{}", self.last_words());
            }
            if let Ok(mut connection) = Connection::open(&self.authority, None).await
                && let Ok(answer) = connection.send(&Request::get("/health")).await
                && answer.ok()
            {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("the server is not healthy after {PATIENCE:?}:\n{}", self.last_words());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The end of what the server wrote.
    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(log_of(self.folder.path())).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// A port that was free a moment ago. Somebody else may take it before the server does; then the
/// server ends and says so.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// A password for one run, known to nobody else.
fn password() -> Result<String> {
    use std::fmt::Write as _;
    use std::io::Read as _;

    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes).context("no source of randomness")?;
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

fn memory_kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_from_the_process_status() {
        let status = "Name:\tx\nVmHWM:\t   6144 kB\nVmRSS:\t   5120 kB\nThreads:\t1\n";
        assert_eq!(memory_kib(status, "VmRSS:"), Some(5120));
        assert_eq!(memory_kib(status, "VmHWM:"), Some(6144));
        assert_eq!(memory_kib("Name:\tx\n", "VmRSS:"), None);
    }

    /// A program of that text, which the system starts by its first line.
    fn program(folder: &Path, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;

        let program = folder.join("program");
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    const HEALTHY: &str = r#"#!/usr/bin/env python3
import http.server, os, sys
serve, host_flag, host, port_flag, port, data_flag, data = sys.argv[1:]
assert (serve, host_flag, port_flag, data_flag) == ("serve", "--host", "--port", "--data-dir")
assert os.environ["ATTUNE_ADMIN_LOGIN"] and len(os.environ["ATTUNE_ADMIN_PASSWORD"]) == 32
os.mkdir(data)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"#;

    #[tokio::test]
    async fn a_server_is_started_healthy_and_leaves_nothing_behind() {
        let scratch = tempfile::tempdir().unwrap();
        let server =
            Server::start(&program(scratch.path(), HEALTHY), scratch.path()).await.unwrap();
        assert!(server.resident_mib().unwrap() > 1.0);
        server.forget_peak().unwrap();
        assert!(server.peak_mib().unwrap() > 1.0);
        let (authority, folder) = (server.authority().to_owned(), server.folder.path().to_owned());
        assert!(folder.join("data").is_dir());
        server.stop().await.unwrap();
        assert!(!folder.exists());
        assert!(Connection::open(&authority, None).await.is_err());
    }

    #[tokio::test]
    async fn a_server_that_ends_at_once_is_an_error_with_its_last_words() {
        let scratch = tempfile::tempdir().unwrap();
        let program = program(scratch.path(), "#!/bin/sh\necho no luck today\nexit 3\n");
        let error = Server::start(&program, scratch.path()).await.err().unwrap().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no luck today"), "{error}");
    }
}
