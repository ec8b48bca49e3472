//! What a sweep is told by the environment.
//!
//! | variable | what |
//! |---|---|
//! | `ATTUNE_ADMIN_LOGIN` | login name of the first identity; `admin` |
//! | `ATTUNE_ADMIN_SECRET` | name or ARN of the secret that is its password |
//! | `ATTUNE_RETENTION_DAYS` | how long events, enforcements and ended executions are kept; 30 |
//! | `ATTUNE_LOAD_DEMO` | whether the core pack's demo rule is installed; `true` |

use attune_function::Environment;
use attune_function::environment::Error;
use std::time::Duration;

/// How a stack is looked after.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Login name of the first identity.
    pub admin_login: String,
    /// How long events, enforcements and ended executions are kept.
    pub keep: Duration,
    /// Whether the core pack's demo rule is installed.
    pub load_demo: bool,
}

impl Settings {
    /// As the environment says.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn read(environment: &Environment) -> Result<Self, Error> {
        let days: u32 = environment.parsed("ATTUNE_RETENTION_DAYS", "a number of days", 30)?;
        Ok(Self {
            admin_login: environment.optional("ATTUNE_ADMIN_LOGIN").unwrap_or("admin".to_owned()),
            keep: Duration::from_secs(u64::from(days) * 24 * 60 * 60),
            load_demo: environment.flag("ATTUNE_LOAD_DEMO", true)?,
        })
    }
}
