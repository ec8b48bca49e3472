//! Profiles: named servers and logins in the configuration file.
//!
//! ```toml
//! [profiles.default]
//! url = "http://127.0.0.1:8080"
//! login = "admin"
//! ```

use crate::base_url::BaseUrl;
use crate::files;
use std::io;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The profile that is meant when none is named.
pub const DEFAULT: &str = "default";

/// One `[profiles.<name>]` section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Base address of the server.
    pub url: Option<BaseUrl>,
    /// Login to ask a password for.
    pub login: Option<String>,
}

/// What can go wrong with the configuration file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The configuration file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// Not TOML.
    #[error("{} is not valid TOML", path.display())]
    Syntax {
        /// The configuration file.
        path: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// A value that cannot be used.
    #[error("{}: profiles.{profile}.{key} is {problem}", path.display())]
    Value {
        /// The configuration file.
        path: PathBuf,
        /// The section.
        profile: String,
        /// The key in the section.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// The profile called `name`, if the file has one.
///
/// # Errors
/// When the file cannot be read or the profile holds unusable values.
pub fn load(path: &Path, name: &str) -> Result<Option<Profile>, Error> {
    let document = parse(path)?;
    let Some(section) = document.get("profiles").and_then(|profiles| profiles.get(name)) else {
        return Ok(None);
    };
    let wrong = |key, problem: &dyn ToString| Error::Value {
        path: path.to_owned(),
        profile: name.to_owned(),
        key,
        problem: problem.to_string(),
    };
    let text = |key: &'static str| match section.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(key, &"not a string")),
    };
    let url = text("url")?
        .map(|url| url.parse().map_err(|error: crate::base_url::Error| wrong("url", &error)))
        .transpose()?;
    Ok(Some(Profile { url, login: text("login")? }))
}

/// Writes `profile` under `name` and keeps everything else that the file says. The file is left
/// untouched, comments included, if it says so already.
///
/// # Errors
/// When the file cannot be read or written.
pub fn save(path: &Path, name: &str, profile: &Profile) -> Result<(), Error> {
    if load(path, name)?.as_ref() == Some(profile) {
        return Ok(());
    }
    let mut document = parse(path)?;
    let section = subtable(subtable(&mut document, "profiles"), name);
    for (key, value) in
        [("url", profile.url.as_ref().map(ToString::to_string)), ("login", profile.login.clone())]
    {
        match value {
            Some(value) => section.insert(key.to_owned(), Value::String(value)),
            None => section.remove(key),
        };
    }
    files::replace(path, &document.to_string())
        .map_err(|source| Error::File { path: path.to_owned(), source })
}

fn parse(path: &Path) -> Result<Table, Error> {
    files::read(path)
        .map_err(|source| Error::File { path: path.to_owned(), source })?
        .parse()
        .map_err(|source| Error::Syntax { path: path.to_owned(), source })
}

/// The table under `key`, put there if something else or nothing is.
fn subtable<'a>(table: &'a mut Table, key: &str) -> &'a mut Table {
    let value = table.entry(key).or_insert_with(|| Value::Table(Table::new()));
    if !value.is_table() {
        *value = Value::Table(Table::new());
    }
    value.as_table_mut().expect("just made a table")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cli.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn profiles_are_read_by_name() {
        let (_folder, path) = file("[profiles.work]\nurl = 'https://a.example'\nlogin = 'me'\n");
        let work = load(&path, "work").unwrap().unwrap();
        assert_eq!(work.url.unwrap().to_string(), "https://a.example");
        assert_eq!(work.login.as_deref(), Some("me"));
        assert_eq!(load(&path, DEFAULT).unwrap(), None);
    }

    #[test]
    fn mistakes_name_the_file_and_the_key() {
        for (text, expected) in [
            ("[profiles", "not valid TOML"),
            ("[profiles.p]\nurl = 'ftp://x'", "profiles.p.url is the address must start with"),
            ("[profiles.p]\nlogin = 7", "profiles.p.login is not a string"),
        ] {
            let (_folder, path) = file(text);
            let message = load(&path, "p").unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains("cli.toml"), "{message}");
        }
    }

    #[test]
    fn saving_keeps_what_else_is_there() {
        let (_folder, path) = file("colour = true\n[profiles.work]\nlogin = 'me'\nnote = 'x'\n");
        let profile = Profile { url: Some(BaseUrl::default()), login: Some("you".into()) };
        save(&path, "work", &profile).unwrap();
        save(&path, "home", &profile).unwrap();
        assert_eq!(load(&path, "work").unwrap().as_ref(), Some(&profile));
        assert_eq!(load(&path, "home").unwrap().as_ref(), Some(&profile));
        let document: Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        assert_eq!(document["colour"].as_bool(), Some(true));
        assert_eq!(document["profiles"]["work"]["note"].as_str(), Some("x"));
    }

    #[test]
    fn saving_the_same_again_keeps_comments() {
        let text = "# mine\n[profiles.work]\nlogin = 'me'\n";
        let (_folder, path) = file(text);
        save(&path, "work", &Profile { url: None, login: Some("me".into()) }).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
