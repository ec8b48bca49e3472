//! Which server is meant, and as whom: flags and environment first, then the profile.

use crate::args::Global;
use crate::base_url::BaseUrl;
use crate::client::{self, Client, Session};
use crate::credentials::{Store, Token};
use crate::exit::Usage;
use crate::files::Files;
use crate::profile::{self, Profile};
use anyhow::Context;
use std::env;

/// A server, and the profile through which it was chosen.
#[derive(Debug)]
pub struct Target {
    /// Name of the profile.
    pub profile: String,
    /// Base address of the server.
    pub url: BaseUrl,
    /// The profile's login name.
    pub login: Option<String>,
    files: Option<Files>,
}

impl Target {
    /// Reads the environment and the configuration file.
    ///
    /// # Errors
    /// When the configuration file cannot be used.
    pub fn resolve(global: &Global) -> anyhow::Result<Self> {
        let files = Files::locate(variable("ATTUNE_CLI_CONFIG").map(Into::into));
        let name = global.profile.clone().unwrap_or_else(|| profile::DEFAULT.to_owned());
        let stored = match &files {
            Some(files) => profile::load(&files.config, &name)?,
            None => None,
        };
        let unknown = stored.is_none() && name != profile::DEFAULT && global.url.is_none();
        if unknown {
            let hint = "create it with `attune login --profile NAME --url URL`";
            return Err(Usage(format!("there is no profile '{name}'; {hint}")).into());
        }
        let stored = stored.unwrap_or_default();
        let url = global.url.clone().or(stored.url).unwrap_or_default();
        Ok(Self { profile: name, url, login: stored.login, files })
    }

    /// A client that is logged in with `ATTUNE_TOKEN`, or as the profile is, or not at all.
    ///
    /// # Errors
    /// When the stored tokens cannot be read.
    pub fn client(&self) -> anyhow::Result<Client> {
        let session = match (variable("ATTUNE_TOKEN"), &self.files) {
            (Some(token), _) => Session::fixed(Token::new(token)),
            (None, Some(_)) => {
                let store = self.store()?;
                store
                    .load()?
                    .map_or_else(Session::anonymous, |tokens| Session::login(tokens, store))
            }
            (None, None) => Session::anonymous(),
        };
        Ok(Client::new(self.url.clone(), session)?)
    }

    /// A client that is not logged in.
    ///
    /// # Errors
    /// When this machine cannot do HTTPS.
    pub fn stranger(&self) -> Result<Client, client::Error> {
        Client::new(self.url.clone(), Session::anonymous())
    }

    /// Where the tokens of this profile are kept.
    ///
    /// # Errors
    /// When there is no home folder.
    pub fn store(&self) -> anyhow::Result<Store> {
        Ok(Store::new(self.files()?.credentials.clone(), &self.profile, &self.url))
    }

    /// Remembers address and login name in the profile.
    ///
    /// # Errors
    /// When the configuration file cannot be written.
    pub fn remember(&self, login: &str) -> anyhow::Result<()> {
        let profile = Profile { url: Some(self.url.clone()), login: Some(login.to_owned()) };
        Ok(profile::save(&self.files()?.config, &self.profile, &profile)?)
    }

    fn files(&self) -> anyhow::Result<&Files> {
        self.files.as_ref().context("there is no home folder; set ATTUNE_CLI_CONFIG to a file")
    }
}

/// An environment variable; set to nothing counts as not set.
pub fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
