//! The emulator of AWS that `cloud up` leaves running: one process, known by a file that holds its id.
//! Tests do not use it; each starts its own.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::tools::Tools;
use crate::step;

/// Where it listens unless told otherwise: the port that such emulators have.
pub const PORT: u16 = 4566;
/// The region it plays.
const REGION: &str = "eu-west-1";
/// How long it may take to start, or to write what it knows and end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of everything that the cloud chores leave behind.
pub fn home() -> Result<PathBuf> {
    let folder = step::target_dir()?.join("cloud");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// What the emulator says.
pub fn log() -> Result<PathBuf> {
    Ok(home()?.join("emulator.log"))
}

/// Process id and port, one a line.
fn note() -> Result<PathBuf> {
    Ok(home()?.join("emulator.pid"))
}

fn state() -> Result<PathBuf> {
    Ok(home()?.join("state"))
}

/// An emulator that answers.
pub struct Emulator {
    pid: u32,
    port: u16,
}

impl Emulator {
    /// The one that runs, if one does.
    pub fn running() -> Option<Self> {
        let note = std::fs::read_to_string(note().ok()?).ok()?;
        let mut lines = note.lines();
        let pid = lines.next()?.parse().ok()?;
        let port = lines.next()?.parse().ok()?;
        is_emulator(pid).then_some(Self { pid, port })
    }

    /// The one that runs, or a new one that goes on where the last one ended.
    pub fn start(tools: &Tools, port: u16) -> Result<Self> {
        if let Some(running) = Self::running() {
            if running.port != port {
                bail!(
                    "the emulator runs on port {}; `cargo xtask cloud down` ends it",
                    running.port
                );
            }
            running.wait_until_it_answers()?;
            return Ok(running);
        }
        if answers(port) {
            bail!("somebody else listens on port {port}; `--port` names another");
        }
        let log = File::create(log()?).context("cannot write the emulator's log")?;
        let state = state()?;
        let mut command = tools.command("ministack");
        command
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("MINISTACK_REGION", REGION)
            .env("IOT_MTLS_ENABLED", "0")
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", state.join("services"))
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", state.join("objects"))
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // An interrupt from the terminal is not meant for it.
            .process_group(0);
        point(&mut command, port);
        let child = command.spawn().context("cannot start the emulator")?;
        let emulator = Self { pid: child.id(), port };
        std::fs::write(note()?, format!("{}\n{port}\n", emulator.pid))
            .context("cannot note the emulator's process id")?;
        emulator.wait_until_it_answers()?;
        Ok(emulator)
    }

    /// Its address, such as `http://127.0.0.1:4566`.
    pub fn endpoint(&self) -> String {
        endpoint(self.port)
    }

    /// Makes a command that speaks to AWS speak to this instead.
    pub fn point(&self, command: &mut Command) {
        point(command, self.port);
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        let start = Instant::now();
        while !answers(self.port) {
            if !is_emulator(self.pid) || start.elapsed() > PATIENCE {
                bail!("the emulator does not start; see {}", log()?.display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// Ends the emulator that runs, if one does, and waits until it has written what it knows.
pub fn stop() -> Result<()> {
    let Some(Emulator { pid, .. }) = Emulator::running() else {
        eprintln!("xtask: no emulator runs");
        return Ok(());
    };
    step::run(Command::new("kill").arg(pid.to_string()))?;
    let start = Instant::now();
    while is_emulator(pid) {
        if start.elapsed() > PATIENCE {
            bail!("the emulator, process {pid}, does not end");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_file(note()?).context("cannot forget the emulator's process id")
}

/// Removes what the emulator kept.
pub fn wipe() -> Result<()> {
    let state = state()?;
    match std::fs::remove_dir_all(&state) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", state.display()))
        }
        _ => Ok(()),
    }
}

fn point(command: &mut Command, port: u16) {
    command
        .env("AWS_ENDPOINT_URL", endpoint(port))
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        // The emulator takes any; without some, clients look for real ones.
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN");
}

fn endpoint(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}

/// Whether the process exists, still runs, and is no other that was given the same number.
fn is_emulator(pid: u32) -> bool {
    let Ok(heard) =
        Command::new("ps").args(["-o", "stat=,args=", "-p"]).arg(pid.to_string()).output()
    else {
        return false;
    };
    let line = String::from_utf8_lossy(&heard.stdout);
    !line.trim_start().starts_with('Z') && line.contains("ministack")
}

/// Whether an emulator on this port says that it is well.
fn answers(port: u16) -> bool {
    ask(port).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn ask(port: u16) -> std::io::Result<String> {
    let wait = Duration::from_secs(2);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream.write_all(
        b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
