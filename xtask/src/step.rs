//! One step of a chore: a command that is announced, run, and either watched or listened to.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The folder of the workspace: every step runs there, wherever the chore was called from.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder cargo builds into. This program lies in `<target>/<profile>/`, which holds whether the
/// folder was chosen by default, by the environment or by a configuration file.
pub fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    let target = program.ancestors().nth(2).context("this program lies in no target folder")?;
    Ok(target.to_owned())
}

/// A call of the cargo that called this program, with the words of `line` as arguments.
pub fn cargo(line: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(line.split_whitespace()).current_dir(root());
    command
}

/// Announces and runs `command`; anything but success is an error that names it.
pub fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| format!("cannot start {}", words(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", words(command));
    }
    Ok(())
}

/// What a command left behind that was listened to while it ran.
pub struct Heard {
    /// Whether it ended well.
    pub success: bool,
    /// The lines it wrote to the stream that was listened to, without line ends.
    pub lines: Vec<String>,
}

/// Which of a command's two streams to listen to; the other one goes where ours goes.
#[derive(Clone, Copy)]
pub enum Stream {
    /// The standard output.
    Out,
    /// The standard error.
    Err,
}

/// Announces and runs `command`, passes one of its streams on as it comes, and keeps its lines.
pub fn listen(command: &mut Command, stream: Stream) -> Result<Heard> {
    announce(command);
    match stream {
        Stream::Out => command.stdout(Stdio::piped()),
        Stream::Err => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("cannot start {}", words(command)))?;
    let mut lines = Vec::new();
    match stream {
        Stream::Out => {
            let from = child.stdout.take().context("the output was not piped")?;
            pass_on(from, &mut std::io::stdout(), &mut lines)?;
        }
        Stream::Err => {
            let from = child.stderr.take().context("the error stream was not piped")?;
            pass_on(from, &mut std::io::stderr(), &mut lines)?;
        }
    }
    let status = child.wait().with_context(|| format!("lost {}", words(command)))?;
    Ok(Heard { success: status.success(), lines })
}

fn pass_on(
    from: impl std::io::Read,
    to: &mut impl std::io::Write,
    lines: &mut Vec<String>,
) -> Result<()> {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    // By bytes, since a test may print what is not UTF-8.
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    to.flush()?;
    Ok(())
}

/// `always` or `never`: a command that is listened to sees a pipe and cannot tell by itself.
pub fn colour() -> &'static str {
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        "always"
    } else {
        "never"
    }
}

/// Whether a command of that name starts and ends well.
pub fn available(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn announce(command: &Command) {
    eprintln!("xtask: {}", words(command));
    // A terminal shows both streams as one text; keep its order.
    std::io::stdout().flush().ok();
}

/// The command as one would type it.
fn words(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![name.to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_reads_as_it_is_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "-p", "x"]);
        assert_eq!(words(&command), "cargo build -p x");
    }

    #[test]
    fn lines_are_passed_on_and_kept_even_when_they_are_not_text() {
        let (mut passed, mut kept) = (Vec::new(), Vec::new());
        pass_on(&b"one\n\xff two\r\nthree"[..], &mut passed, &mut kept).unwrap();
        assert_eq!(passed, b"one\n\xff two\r\nthree");
        assert_eq!(kept, ["one", "\u{fffd} two", "three"]);
    }

    #[test]
    fn a_program_that_is_not_there_is_not_available() {
        assert!(!available("no-such-program-anywhere", &[]));
    }
}
