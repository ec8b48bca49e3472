//! Building the functions: each a folder named after its binary, with the binary in it as `bootstrap`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result};

use super::tools::Tools;
use crate::step;

/// The functions that the template deploys, in the order an event meets them. Packages and binaries are
/// called the same.
pub const FUNCTIONS: [&str; 10] = [
    "ingest-event",
    "match-rules",
    "admit-execution",
    "run-action",
    "complete-execution",
    "advance-workflow",
    "wake-lane",
    "notify",
    "sweep",
    "api",
];

/// Which processors to build for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Lambda's arm64.
    Arm,
    /// Lambda's x86_64.
    X86,
    /// This machine, for an emulator that runs functions as its own processes.
    Host,
}

impl Architecture {
    /// The word in the template.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arm => "arm64",
            Self::X86 => "x86_64",
            Self::Host if cfg!(target_arch = "aarch64") => "arm64",
            Self::Host => "x86_64",
        }
    }
}

/// Builds with all optimisation; answers the folder of folders.
pub fn build(tools: &Tools, architecture: Architecture) -> Result<PathBuf> {
    let folder = step::root().join("target").join("lambda");
    let mut command = tools.command("cargo-lambda");
    command.args(["lambda", "build", "--profile", "function", "--lambda-dir"]).arg(&folder);
    command.args(match architecture {
        Architecture::Arm => ["--arm64"].as_slice(),
        Architecture::X86 => &["--x86-64"],
        Architecture::Host => &["--compiler", "cargo"],
    });
    step::run(command.args(packages()))?;
    Ok(folder)
}

/// Builds without optimisation for this machine, and no more: tests find the programs themselves.
pub fn compile() -> Result<()> {
    step::run(step::cargo("build").args(packages()))
}

/// Builds without optimisation for this machine; answers the folder of folders.
pub fn build_quickly() -> Result<PathBuf> {
    compile()?;
    let target = step::target_dir()?;
    let folder = target.join("lambda-dev");
    for name in FUNCTIONS {
        place(&target.join("debug").join(name), &folder.join(name))
            .with_context(|| format!("cannot pack {name}"))?;
    }
    Ok(folder)
}

fn packages() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().flat_map(|name| ["--package", name])
}

/// Puts a `bootstrap` into `folder` that starts `program` where it lies: the emulator runs functions on this
/// machine, and nine tenths of an unoptimised program are for a debugger, which every deployment would pack.
fn place(program: &Path, folder: &Path) -> Result<()> {
    // The time makes another package of another build; without it nothing would be deployed.
    let built = std::fs::metadata(program)?.modified()?.duration_since(UNIX_EPOCH)?;
    let program = program.to_str().context("its path is no text")?;
    let quoted = program.replace('\'', r"'\''");
    let script = format!("#!/bin/sh\n# built at {}\nexec '{quoted}'\n", built.as_millis());
    let bootstrap = folder.join("bootstrap");
    std::fs::create_dir_all(folder)?;
    std::fs::write(&bootstrap, script)?;
    std::fs::set_permissions(&bootstrap, Permissions::from_mode(0o755))?;
    Ok(())
}
