//! The Python programs that the cloud deployment is built and tried with: the emulator, `sam`,
//! `cargo lambda` and `cfn-lint`, in an environment of the project's own with versions pinned.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::step;

/// An environment that holds what `infra/requirements.txt` names.
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// The environment, made or renewed where it is not what the requirements say.
    pub fn ready() -> Result<Self> {
        let folder = super::emulator::home()?.join("venv");
        let wanted = step::root().join("infra/requirements.txt");
        let requirements = std::fs::read_to_string(&wanted)
            .with_context(|| format!("cannot read {}", wanted.display()))?;
        // Written last: an interrupted installation is made anew.
        let stamp = folder.join("installed.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
            return Ok(Self { folder });
        }
        let mut environment = Command::new("python3");
        step::run(environment.args(["-m", "venv", "--clear"]).arg(&folder))
            .context("Python 3 with its `venv` module is needed")?;
        let tools = Self { folder };
        let mut pip = tools.command("python");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        step::run(pip.arg("--requirement").arg(&wanted))?;
        std::fs::write(&stamp, requirements)
            .with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(tools)
    }

    /// Where a program lies.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// A call of a program, which finds the others, too. It runs at the root of the workspace.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        command
            .current_dir(step::root())
            .env("PATH", self.path())
            .env("SAM_CLI_TELEMETRY", "0")
            .env("PYTHONUNBUFFERED", "1");
        command
    }

    fn path(&self) -> OsString {
        let own = self.folder.join("bin");
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(own.clone()).chain(std::env::split_paths(&others));
        std::env::join_paths(all).unwrap_or_else(|_| Path::new(&own).as_os_str().to_owned())
    }
}
