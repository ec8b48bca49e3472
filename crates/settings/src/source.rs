//! Settings out of a file and out of the environment, each checked against the schema.

use crate::error::{Error, Origin};
use crate::schema::{self, Kind};
use std::path::Path;
use toml::{Table, Value};

/// What SAM keeps in the same file: the version of its format and its deploy parameters.
const KEYS_OF_SAM: [&str; 2] = ["version", "default"];

const VARIABLE_PREFIX: &str = "ATTUNE__";

/// Short names, for installations by script. An empty one counts as not set.
const SHORT_VARIABLES: [(&str, &str); 3] = [
    ("ATTUNE_DATA_DIR", "storage.data_dir"),
    ("ATTUNE_ADMIN_LOGIN", "auth.admin_login"),
    ("ATTUNE_ADMIN_PASSWORD", "auth.admin_password"),
];

/// A setting with a value that fits it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) setting: &'static str,
    pub(crate) value: config::Value,
}

/// The settings in the file at `path`.
pub(crate) fn file(path: &Path) -> Result<Vec<Found>, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Read { path: path.to_owned(), source })?;
    // The parser's own text quotes the line, which may be the one with the password.
    let table: Table = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        Error::Syntax {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            reason: error.message().to_owned(),
        }
    })?;
    let origin = Origin::File(path.to_owned());
    let mut found = Vec::new();
    for (section, content) in &table {
        if KEYS_OF_SAM.contains(&section.as_str()) {
            continue;
        }
        let Value::Table(content) = content else {
            return Err(unknown(section.clone(), origin));
        };
        if content.is_empty() && !schema::SETTINGS.iter().any(|(name, _)| is_in(name, section)) {
            return Err(unknown(section.clone(), origin));
        }
        for (key, value) in content {
            let name = format!("{section}.{key}");
            let Some((setting, kind)) = schema::find(&name) else {
                return Err(unknown(name, origin));
            };
            let value = kind.read(value).ok_or_else(|| wrong(setting, kind, origin.clone()))?;
            found.push(Found { setting, value });
        }
    }
    Ok(found)
}

/// The settings among the variables of the environment; the short names come last, so they win.
pub(crate) fn environment(variables: &[(String, String)]) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for (variable, text) in variables {
        let Some(name) = variable.strip_prefix(VARIABLE_PREFIX) else { continue };
        let name = name.to_lowercase().replace("__", ".");
        let origin = Origin::Variable(variable.clone());
        let Some((setting, kind)) = schema::find(&name) else {
            return Err(unknown(name, origin));
        };
        let value = kind.read_text(text).ok_or_else(|| wrong(setting, kind, origin))?;
        found.push(Found { setting, value });
    }
    for (variable, setting) in SHORT_VARIABLES {
        let given = variables.iter().find(|(name, value)| name == variable && !value.is_empty());
        found.extend(given.map(|(_, text)| Found { setting, value: text.as_str().into() }));
    }
    Ok(found)
}

impl Kind {
    /// The value, if it is of this kind as it stands: nothing is converted.
    fn read(self, value: &Value) -> Option<config::Value> {
        match (self, value) {
            (Self::Number(least, most), Value::Integer(number)) => {
                (least..=most).contains(number).then(|| (*number).into())
            }
            (Self::Flag, Value::Boolean(flag)) => Some((*flag).into()),
            (Self::Text | Self::Word(_), Value::String(text)) => self.accept(text),
            (Self::Texts, Value::Array(values)) => {
                let texts = values.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
                Some(texts.into())
            }
            _ => None,
        }
    }

    /// The value that a variable's text means.
    fn read_text(self, text: &str) -> Option<config::Value> {
        match self {
            Self::Number(..) => self.read(&Value::Integer(text.trim().parse().ok()?)),
            Self::Flag => self.read(&Value::Boolean(text.trim().parse().ok()?)),
            Self::Text | Self::Word(_) => self.accept(text),
            Self::Texts => {
                let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
                Some(texts.collect::<Vec<_>>().into())
            }
        }
    }

    fn accept(self, text: &str) -> Option<config::Value> {
        let fits = match self {
            Self::Word(words) => words.contains(&text),
            _ => !text.is_empty(),
        };
        fits.then(|| text.into())
    }
}

fn is_in(setting: &str, section: &str) -> bool {
    setting.split_once('.').is_some_and(|(known, _)| known == section)
}

fn unknown(setting: String, origin: Origin) -> Error {
    let expected = schema::expected(&setting);
    Error::Unknown { setting, origin, expected }
}

fn wrong(setting: &str, kind: Kind, origin: Origin) -> Error {
    Error::Wrong { setting: setting.to_owned(), origin, expected: kind.to_string() }
}
