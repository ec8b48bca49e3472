//! Setting a stack up after its deployment: the core pack and the first identity, once for each version of
//! the code.

use crate::Settings;
use async_trait::async_trait;
use attune_catalogue::Origin;
use attune_packs::builtin;
use attune_ports::records::{Commit, Key, Kind};
use attune_ports::{Ports, Record, Unavailable, records};
use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The demo that the core pack brings.
const DEMO: &str = "core.timer_10s_echo";

/// Where the first identity's password is.
#[async_trait]
pub trait Password: Send + Sync {
    /// Reads it.
    ///
    /// # Errors
    /// [`Unavailable`] where it cannot be had.
    async fn read(&self) -> Result<String, Unavailable>;
}

/// Why a stack is not set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port does not answer, or the password cannot be had.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The mark could not be written.
    #[error(transparent)]
    Records(#[from] records::Error),
    /// The core pack's files could not be written.
    #[error("the core pack's files cannot be written")]
    Files(#[from] std::io::Error),
    /// The core pack is broken, which tests of the code exclude.
    #[error("the core pack cannot be read: {0}")]
    Pack(attune_packs::Errors),
    /// The core pack could not be installed.
    #[error("the core pack cannot be installed")]
    Install(#[source] attune_catalogue::Error),
    /// The first identity could not be made.
    #[error("the first identity cannot be made: {0}")]
    Admin(String),
}

/// The code that set the stack up last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// Its version.
    version: Version,
    /// Digest of the core pack's files, which change between versions too while they are made.
    core: String,
}

impl Mark {
    /// That of this code.
    fn own() -> Self {
        let mut digest = Sha256::new();
        for (path, content) in builtin::CORE {
            for part in [path, content] {
                digest.update((part.len() as u64).to_be_bytes());
                digest.update(part);
            }
        }
        let version = env!("CARGO_PKG_VERSION").parse().unwrap_or(Version::new(0, 0, 0));
        Self { version, core: hex::encode(digest.finalize()) }
    }

    /// Whether this code is to set up again what the other has. While a deployment replaces newer code by
    /// older or the other way round, both may sweep: the newer one's work stands.
    fn replaces(&self, other: &Self) -> bool {
        self.version > other.version || (self.version == other.version && self.core != other.core)
    }
}

/// Sets the stack up unless this code, or newer code, has done so; answers whether it did.
///
/// # Errors
/// See [`Error`]. What was done remains, and the next sweep does it again without harm.
pub(crate) async fn ensure(
    ports: &Ports,
    settings: &Settings,
    password: &dyn Password,
) -> Result<bool, Error> {
    let key = Key::new("setup", "");
    let own = Mark::own();
    let found = ports.records.get(&key).await?;
    // A mark that cannot be read is nobody's.
    let found = found.and_then(|record| record.decode::<Mark>().ok());
    if found.is_some_and(|found| !own.replaces(&found)) {
        return Ok(false);
    }
    install_core(ports, settings).await?;
    let password = password.read().await?;
    attune_api::ensure_admin(ports, &settings.admin_login, Some(password))
        .await
        .map_err(|error| Error::Admin(error.to_string()))?;
    ports.records.commit(Commit::new().put(Record::new(Kind::Marker, key, &own))).await?;
    tracing::info!(version = %own.version, "the stack is set up");
    Ok(true)
}

async fn install_core(ports: &Ports, settings: &Settings) -> Result<(), Error> {
    let staging = ports.pack_files.staging().await?;
    let root = staging.path().join("core");
    builtin::write_to(&root)?;
    let mut pack = attune_packs::load(&root).map_err(Error::Pack)?;
    if !settings.load_demo {
        pack.rules.retain(|rule| rule.reference.as_str() != DEMO);
    }
    // Its actions are built into the runner: no files of it are needed later.
    let installed = attune_catalogue::install(ports, &pack, None, Origin::Startup)
        .await
        .map_err(Error::Install)?;
    for warning in installed.warnings {
        tracing::warn!(pack = %installed.pack.reference, "{warning}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_code_sets_up_again_and_older_code_does_not() {
        let mark = |version: &str, core: &str| Mark {
            version: version.parse().unwrap(),
            core: core.to_owned(),
        };
        let rows = [
            ("0.2.0", "a", "0.1.0", "a", true),
            ("0.1.0", "a", "0.2.0", "b", false),
            ("0.1.0", "a", "0.1.0", "a", false),
            ("0.1.0", "a", "0.1.0", "b", true),
            ("0.10.0", "a", "0.9.0", "b", true),
        ];
        for (own, own_core, other, other_core, expected) in rows {
            let replaces = mark(own, own_core).replaces(&mark(other, other_core));
            assert_eq!(replaces, expected, "{own} {own_core} after {other} {other_core}");
        }
    }
}
