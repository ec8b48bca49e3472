//! Prepares a process: what is started, where, with which input and environment.

use crate::{
    config::Config,
    encoding,
    entrypoint::{self, Entry},
    environment::{self, absolute},
    inline,
    redaction::Redaction,
};
use attune_domain::{catalogue::ParameterDelivery, runtime::Runtime};
use attune_ports::runner::Invocation;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{DirBuilder, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempPath;

/// The folder for short-lived files, within the work folder.
pub(crate) const SCRATCH: &str = "scratch";

/// Why a process cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Entrypoint(#[from] entrypoint::Error),
    #[error(transparent)]
    Encoding(#[from] encoding::Error),
    #[error("interpreter {0} was not found")]
    Interpreter(String),
    #[error("could not write a file for the action")]
    Scratch(#[source] io::Error),
}

/// A process ready to be started.
pub(crate) struct Launch {
    pub(crate) command: Command,
    /// What is written to its standard input; without it, the input is empty.
    pub(crate) input: Option<String>,
    /// A script or a parameter file that exists as long as this does.
    pub(crate) scratch: Option<TempPath>,
}

/// Prepares the process of an invocation.
pub(crate) fn prepare(
    config: &Config,
    inherited: &BTreeMap<String, OsString>,
    invocation: &Invocation,
    redaction: &Redaction,
) -> Result<Launch, Error> {
    let pack_dir = invocation.pack_dir.as_deref();
    let entry = entrypoint::resolve(pack_dir, &invocation.entrypoint, invocation.runtime)?;
    let (mut input, mut scratch, mut parameter_file) = (None, None, None);
    let file = match entry {
        Entry::Inline => {
            let script = inline::script(&invocation.entrypoint, &invocation.parameters);
            let path = write_scratch(config, &script, 0o600)?;
            let file = path.to_path_buf();
            scratch = Some(path);
            file
        }
        Entry::File(file) => {
            let mut document =
                encoding::encode(&invocation.parameters, invocation.parameter_format)?;
            match invocation.parameter_delivery {
                ParameterDelivery::Stdin => {
                    document.push('\n');
                    input = Some(document);
                }
                ParameterDelivery::File => {
                    let path = write_scratch(config, &document, 0o400)?;
                    parameter_file = Some(path.to_path_buf());
                    scratch = Some(path);
                }
            }
            file
        }
    };

    let search = inherited.get("PATH").map(OsString::as_os_str);
    let interpreters = &config.interpreters;
    let mut command = match invocation.runtime {
        Runtime::Native => Command::new(&file),
        Runtime::Shell => script(&interpreters.shell, search, &file)?,
        Runtime::Node => script(&interpreters.node, search, &file)?,
        Runtime::Python => {
            let mut python = Command::new(program(&interpreters.python, search)?);
            // Unbuffered, so that what it prints can be read while it runs.
            python.arg("-u").arg(&file);
            python
        }
    };
    command.env_clear().envs(inherited).envs(environment::protocol(
        config,
        invocation,
        parameter_file.as_deref(),
        redaction,
    ));
    if let Some(pack_dir) = pack_dir.map(absolute) {
        let lib = pack_dir.join("lib");
        if invocation.runtime == Runtime::Python && lib.is_dir() {
            command.env("PYTHONPATH", lib);
        }
        // Executables run where the server runs; everything else in its pack's folder.
        if invocation.runtime != Runtime::Native {
            command.current_dir(pack_dir);
        }
    }
    let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(Launch { command, input, scratch })
}

fn script(interpreter: &Path, search: Option<&OsStr>, file: &Path) -> Result<Command, Error> {
    let mut command = Command::new(program(interpreter, search)?);
    command.arg(file);
    Ok(command)
}

/// The absolute path of a program. Looked up here rather than by the system, which could not take
/// its quicker way of starting a process when it has to search another `PATH` than ours.
fn program(name: &Path, search: Option<&OsStr>) -> Result<PathBuf, Error> {
    let missing = || Error::Interpreter(name.display().to_string());
    if name.components().count() > 1 {
        return if name.is_file() { Ok(absolute(name)) } else { Err(missing()) };
    }
    std::env::split_paths(search.unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|candidate| {
            candidate.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        })
        .ok_or_else(missing)
}

/// Writes a file with a name of its own. It may hold secrets: only this user gets at it, it is
/// removed after the run, and `reap` removes what a crash left behind.
fn write_scratch(config: &Config, text: &str, mode: u32) -> Result<TempPath, Error> {
    let dir = absolute(&config.work_dir).join(SCRATCH);
    let create =
        || tempfile::Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(&dir);
    let write = || {
        let mut file = create().or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
                create()
            }
            _ => Err(error),
        })?;
        file.write_all(text.as_bytes())?;
        Ok(file.into_temp_path())
    };
    write().map_err(Error::Scratch)
}
