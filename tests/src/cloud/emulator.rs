//! The emulator of AWS that the tests talk to.
//!
//! Every test process starts one of its own, which takes half a second, on a free port and with nothing in
//! it; so tests do not meet, and two of them use two processors. It ends with its process however that ends:
//! a shell in between waits until its standard input is closed, which the system does for the dead, too.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Names the emulator's program (`ministack`).
pub const PROGRAM: &str = "ATTUNE_TEST_EMULATOR";
/// The region that it plays.
pub const REGION: &str = "eu-west-1";
/// The account that it plays.
pub const ACCOUNT: &str = "000000000000";

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts what comes after it, waits for the end of the input, and cleans up. An interrupt from the terminal
/// is the test's matter: it closes the input.
const KEEPER: &str = r#"
trap "" INT
"$0" > "$1/log" 2>&1 < /dev/null &
emulator=$!
cat > /dev/null
kill "$emulator"
wait "$emulator"
rm -rf "$1"
"#;

/// An emulator that runs.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    /// Its input is open as long as the emulator is to run.
    keeper: Child,
}

impl Emulator {
    /// The one of this process, started when it is first needed.
    ///
    /// # Panics
    /// Where there is none to be had.
    #[must_use]
    pub fn shared() -> &'static Self {
        static RUNNING: OnceLock<Emulator> = OnceLock::new();
        RUNNING.get_or_init(|| Self::start(None))
    }

    /// Where it answers, such as `http://127.0.0.1:4566`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The process that the emulator and all its functions descend from.
    #[must_use]
    pub fn root(&self) -> u32 {
        self.keeper.id()
    }

    /// Starts another one. Its functions reach AWS at `functions_endpoint`; `None`, at the emulator itself.
    ///
    /// # Panics
    /// Where there is none to be had.
    #[must_use]
    pub fn start(functions_endpoint: Option<&str>) -> Self {
        let program = program();
        // Between finding a free port and taking it somebody else may.
        for _ in 0..3 {
            if let Some(running) = Self::try_start(&program, functions_endpoint) {
                return running;
            }
        }
        panic!("{} does not start; run `cargo xtask test`, which sets it up", program.display());
    }

    fn try_start(program: &Path, functions_endpoint: Option<&str>) -> Option<Self> {
        let port = free_port();
        let endpoint = format!("http://127.0.0.1:{port}");
        // Removed by the keeper.
        let folder = tempfile::tempdir().expect("a temporary folder can be made").keep();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(program)
            .arg(&folder)
            .current_dir(&folder)
            .env("TMPDIR", &folder)
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("AWS_ENDPOINT_URL", functions_endpoint.unwrap_or(&endpoint))
            .env("IOT_MTLS_ENABLED", "0")
            .envs(
                ["AWS_REGION", "AWS_DEFAULT_REGION", "MINISTACK_REGION"].map(|name| (name, REGION)),
            )
            .envs(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, "test")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let since = Instant::now();
        while !is_healthy(port) {
            let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            if since.elapsed() > PATIENCE || log().contains("Error") {
                // It hears that its input ends.
                drop(keeper.stdin.take());
                let _ = keeper.wait();
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { endpoint, keeper })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It ends the emulator first.
        let _ = self.keeper.wait();
    }
}

/// What [`PROGRAM`] names; else the one that `cargo xtask` has set up.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os(PROGRAM) {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "{PROGRAM} names {}, which is no file", named.display());
        return named;
    }
    let test = std::env::current_exe().expect("this test has a path");
    let found = test.ancestors().map(|above| above.join("cloud/venv/bin/ministack"));
    let found = found.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "there is no emulator of AWS to test with: `cargo xtask test` sets it up, or {PROGRAM} names its program"
        )
    })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("a listener has an address").port()
}

fn is_healthy(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(
            b"GET /_ministack/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
