//! The tokens of logins, in a file of their own that only its owner can read.

use crate::base_url::BaseUrl;
use crate::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A bearer token. It has no `Display`, and its `Debug` shows nothing, so that none is ever
/// printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Wraps the text of a token.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, for a request's header or body.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What a login or a refresh answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Goes with every request; lives about an hour.
    pub access_token: Token,
    /// Buys the next pair; lives about a week.
    pub refresh_token: Token,
}

/// The credentials file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The credentials file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// The file is damaged. The parser's own words are withheld: they quote the file.
    #[error("{} is damaged; remove it and log in again", path.display())]
    Damaged {
        /// The credentials file.
        path: PathBuf,
    },
}

/// The login of one profile at one server.
///
/// Tokens are bound to the address they were issued by: with another `--url` the same profile has
/// no tokens, so none is ever shown to a stranger.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    profile: String,
    url: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    url: String,
    #[serde(flatten)]
    tokens: Tokens,
}

impl Store {
    /// The place for the tokens of `profile` at `url`.
    pub fn new(path: PathBuf, profile: &str, url: &BaseUrl) -> Self {
        Self { path, profile: profile.to_owned(), url: url.to_string() }
    }

    /// The stored tokens, if there are any for this profile and this address.
    ///
    /// # Errors
    /// When the file exists and cannot be used.
    pub fn load(&self) -> Result<Option<Tokens>, Error> {
        let entry = parse(&self.path)?.profiles.remove(&self.profile);
        Ok(entry.filter(|entry| entry.url == self.url).map(|entry| entry.tokens))
    }

    /// Stores tokens in place of the profile's former ones.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn save(&self, tokens: &Tokens) -> Result<(), Error> {
        let mut document = parse(&self.path)?;
        let entry = Entry { url: self.url.clone(), tokens: tokens.clone() };
        document.profiles.insert(self.profile.clone(), entry);
        write(&self.path, &document)
    }

    /// Forgets the profile's tokens, whatever their address. Answers whether there were any.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn remove(&self) -> Result<bool, Error> {
        let mut document = parse(&self.path)?;
        let removed = document.profiles.remove(&self.profile).is_some();
        if removed {
            write(&self.path, &document)?;
        }
        Ok(removed)
    }
}

fn parse(path: &Path) -> Result<Document, Error> {
    let text = files::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|_| Error::Damaged { path: path.to_owned() })
}

fn write(path: &Path, document: &Document) -> Result<(), Error> {
    let file = |source| Error::File { path: path.to_owned(), source };
    let text = toml::to_string(document).map_err(|error| file(io::Error::other(error)))?;
    files::replace(path, &text).map_err(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Tokens {
        Tokens {
            access_token: Token::new(format!("access-{text}")),
            refresh_token: Token::new(format!("refresh-{text}")),
        }
    }

    #[test]
    fn tokens_belong_to_a_profile_and_an_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.toml");
        let here = BaseUrl::default();
        let there: BaseUrl = "https://other.example".parse().unwrap();
        let store = Store::new(path.clone(), "work", &here);
        assert_eq!(store.load().unwrap(), None);
        store.save(&tokens("a")).unwrap();
        assert_eq!(store.load().unwrap(), Some(tokens("a")));
        assert_eq!(Store::new(path.clone(), "work", &there).load().unwrap(), None);
        assert_eq!(Store::new(path.clone(), "home", &here).load().unwrap(), None);

        Store::new(path, "home", &here).save(&tokens("b")).unwrap();
        assert!(store.remove().unwrap());
        assert!(!store.remove().unwrap());
        assert_eq!(store.load().unwrap(), None);
    }

    #[test]
    fn neither_debug_output_nor_errors_show_a_token() {
        assert!(!format!("{:?}", tokens("hush")).contains("hush"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.toml");
        std::fs::write(&path, "[profiles.p]\nurl = 'u'\naccess_token = hush").unwrap();
        let error = Store::new(path, "p", &BaseUrl::default()).load().unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hush"));
    }
}
