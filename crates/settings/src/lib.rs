//! The settings of the server: what they are, what they default to, and where they come from.
//!
//! A setting is named like `server.port`. It is looked for in three places, the later winning: the
//! defaults of this crate, the settings file (TOML: `[server]`, `port = 8080`), and the environment
//! (`ATTUNE__SERVER__PORT=8080`). Three have a short name besides, for installations by script:
//! `ATTUNE_DATA_DIR`, `ATTUNE_ADMIN_LOGIN` and `ATTUNE_ADMIN_PASSWORD`, which win over everything.
//!
//! The file is the one named on the command line, else by `ATTUNE_CONFIG`, else `samplconfig.toml` in
//! the current folder, else none. The same file serves `sam deploy`, whose tables are passed over.
//!
//! A name that is not known and a value of the wrong kind are errors, in either place: a misspelt
//! setting that silently keeps its default is found out too late. Errors name the setting, the place
//! and what is expected, and never the value, which may be a password.

mod duration;
mod error;
mod schema;
mod secret;
mod sections;
mod source;
#[cfg(test)]
mod tests;

pub use error::{Error, Origin};
pub use secret::Secret;
pub use sections::{
    Api, Auth, Inquiries, ListEnvelope, Log, LogFormat, Packs, Queues, Runner, Server, Storage,
    Sweep, Timers, Workflows,
};

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Looked for in the current folder when no other file is named.
pub const DEFAULT_FILE: &str = "samplconfig.toml";

/// Names the settings file.
pub const FILE_VARIABLE: &str = "ATTUNE_CONFIG";

/// Every setting, section by section.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the server listens, and what it accepts.
    pub server: Server,
    /// Shapes of answers.
    pub api: Api,
    /// Logins and tokens.
    pub auth: Auth,
    /// Where records are, and for how long.
    pub storage: Storage,
    /// Processes of actions and sensors.
    pub runner: Runner,
    /// Delivery of messages between the steps.
    pub queues: Queues,
    /// Repair of what a crash left behind.
    pub sweep: Sweep,
    /// Questions to people.
    pub inquiries: Inquiries,
    /// Bounds of workflows.
    pub workflows: Workflows,
    /// Timers.
    pub timers: Timers,
    /// Where packs come from.
    pub packs: Packs,
    /// What the server writes about itself.
    pub log: Log,
}

impl Settings {
    /// Reads the settings. `file` is the path given on the command line, if one was; `env` are the
    /// variables of the environment, of which only those that begin with `ATTUNE` matter.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let env: Vec<(String, String)> =
            env.filter(|(name, _)| name.starts_with("ATTUNE")).collect();
        let named = env.iter().find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
        let file = match (file, named) {
            (Some(file), _) => Some(file.to_owned()),
            (None, Some((_, file))) => Some(PathBuf::from(file)),
            (None, None) => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let mut found = match file {
            Some(file) => source::file(&file)?,
            None => Vec::new(),
        };
        found.extend(source::environment(&env)?);
        let mut layers = config::Config::builder();
        for found in found {
            layers = layers.set_override(found.setting, found.value).map_err(Error::combine)?;
        }
        layers.build().and_then(config::Config::try_deserialize).map_err(Error::combine)
    }

    /// Folder that installed packs are unpacked to: `packs.packs_dir`, within the data folder unless
    /// it is absolute.
    #[must_use]
    pub fn packs_dir(&self) -> PathBuf {
        self.storage.data_dir.join(&self.packs.packs_dir)
    }
}
