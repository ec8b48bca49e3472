//! What a function is told by environment variables: names, addresses and numbers, nothing secret.
//!
//! | variable | whose | what |
//! |---|---|---|
//! | `ATTUNE_TABLE` | all | the table |
//! | `ATTUNE_BUCKET` | all | the bucket |
//! | `ATTUNE_QUEUES` | all | what queue URLs begin with |
//! | `ATTUNE_ROOT_KEY_SECRET`, `ATTUNE_TOKEN_KEY_SECRET` | all | names or ARNs of the two keys' secrets |
//! | `ATTUNE_STACK` | all | the stack's name: what names of EventBridge rules begin with, and of secrets to which parameters may refer |
//! | `ATTUNE_LOG` | all | what is logged: a level, or `target=level` pairs with commas; `info` |
//! | `ATTUNE_STATE_MACHINE` | who has to do with workflows | ARN of the state machine whose executions are their threads |
//! | `ATTUNE_TIMER_GROUP`, `ATTUNE_INGEST_ARN`, `ATTUNE_TIMER_ROLE`, `ATTUNE_TICKS` | who sets timers | schedule group, ARN of `ingest-event`, ARN of Scheduler's role, URL of the queue of ticks; all or none |
//! | `ATTUNE_INQUIRY_TIMEOUT_DAYS` | `api`, `run-action` | time for an answer where an inquiry does not say; 30 |
//!
//! Variables of one function alone stand in that function's crate.

use attune_aws::{Config, Timers};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A variable is missing or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(String),
    /// It is not of the expected form.
    #[error("the environment variable {name} is '{value}', which is not {expected}")]
    Invalid {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}

type Lookup = dyn Fn(&str) -> Option<String>;

/// Environment variables, by name.
pub struct Environment {
    lookup: Box<Lookup>,
}

impl Environment {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self { lookup: Box::new(|name| std::env::var(name).ok()) }
    }

    /// These, for tests.
    #[must_use]
    pub fn of(variables: &[(&str, &str)]) -> Self {
        let variables: std::collections::HashMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Self { lookup: Box::new(move |name| variables.get(name).cloned()) }
    }

    /// A variable; an empty one counts as not set.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.is_empty())
    }

    /// A variable that must be there.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn required(&self, name: &str) -> Result<String, Error> {
        self.optional(name).ok_or_else(|| Error::Missing(name.to_owned()))
    }

    /// A variable that is read as a `T`, such as a number; `default` where it is not set.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn parsed<T: FromStr>(
        &self,
        name: &str,
        expected: &'static str,
        default: T,
    ) -> Result<T, Error> {
        self.optional(name).map_or(Ok(default), |value| {
            value.parse().map_err(|_| Error::Invalid { name: name.to_owned(), value, expected })
        })
    }

    /// A `true` or `false`; `default` where it is not set.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Error> {
        self.parsed(name, "true or false", default)
    }

    /// How long people have time to answer an inquiry that does not say itself.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn inquiry_patience(&self) -> Result<Duration, Error> {
        let (name, expected) = ("ATTUNE_INQUIRY_TIMEOUT_DAYS", "a number of days");
        let days: u16 = self.parsed(name, expected, 30)?;
        Ok(Duration::from_secs(u64::from(days.max(1)) * 86_400))
    }

    /// What the stack consists of.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn stack(&self) -> Result<Config, Error> {
        Ok(Config {
            table: self.required("ATTUNE_TABLE")?,
            bucket: self.required("ATTUNE_BUCKET")?,
            queues: self.required("ATTUNE_QUEUES")?,
            root_key_secret: self.required("ATTUNE_ROOT_KEY_SECRET")?,
            token_key_secret: self.required("ATTUNE_TOKEN_KEY_SECRET")?,
            referable: format!("{}/actions/", self.required("ATTUNE_STACK")?),
            state_machine: self.optional("ATTUNE_STATE_MACHINE"),
            timers: self.timers()?,
            scratch: self.scratch(),
        })
    }

    fn timers(&self) -> Result<Option<Timers>, Error> {
        let names =
            ["ATTUNE_TIMER_GROUP", "ATTUNE_INGEST_ARN", "ATTUNE_TIMER_ROLE", "ATTUNE_TICKS"];
        if names.iter().all(|name| self.optional(name).is_none()) {
            return Ok(None);
        }
        let [group, target_arn, role_arn, ticks] = names.map(|name| self.required(name));
        Ok(Some(Timers {
            group: group?,
            target_arn: target_arn?,
            role_arn: role_arn?,
            ticks: ticks?,
            prefix: self.required("ATTUNE_STACK")?,
        }))
    }

    /// A folder for this process's files, below where a function may write. An emulator's functions share
    /// that place; in a cloud's, a process that was started again finds its former self's folder.
    fn scratch(&self) -> PathBuf {
        let writable = self.optional("TMPDIR").unwrap_or("/tmp".to_owned());
        PathBuf::from(writable).join(format!("attune-{}", std::process::id()))
    }

    /// A name that no other process has, for claims: by the function's name and the log stream, people find
    /// what it wrote.
    #[must_use]
    pub fn worker(&self) -> String {
        let part = |name| self.optional(name).unwrap_or_else(|| "unnamed".to_owned());
        let (function, stream) =
            (part("AWS_LAMBDA_FUNCTION_NAME"), part("AWS_LAMBDA_LOG_STREAM_NAME"));
        format!("{function}/{stream}/{:08x}", rand::random::<u32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [(&str, &str); 6] = [
        ("ATTUNE_TABLE", "t"),
        ("ATTUNE_BUCKET", "b"),
        ("ATTUNE_QUEUES", "https://sqs/1/s-"),
        ("ATTUNE_ROOT_KEY_SECRET", "root"),
        ("ATTUNE_TOKEN_KEY_SECRET", "token"),
        ("ATTUNE_STACK", "s"),
    ];

    const TIMERS: [(&str, &str); 4] = [
        ("ATTUNE_TIMER_GROUP", "g"),
        ("ATTUNE_INGEST_ARN", "arn:i"),
        ("ATTUNE_TIMER_ROLE", "arn:r"),
        ("ATTUNE_TICKS", "https://sqs/1/s-ticks"),
    ];

    #[test]
    fn timers_are_named_completely_or_not_at_all() {
        let without = Environment::of(&NAMES).stack().unwrap();
        assert_eq!((without.table.as_str(), without.timers.is_none()), ("t", true));
        let with = Environment::of(&[&NAMES[..], &TIMERS].concat()).stack().unwrap();
        let timers = with.timers.unwrap();
        assert_eq!((timers.group.as_str(), timers.prefix.as_str()), ("g", "s"));
        let half = Environment::of(&[&NAMES[..], &TIMERS[..2]].concat()).stack();
        assert_eq!(half.unwrap_err(), Error::Missing("ATTUNE_TIMER_ROLE".into()));
    }

    #[test]
    fn an_empty_name_is_none() {
        let mut names = NAMES;
        names[1].1 = "";
        let error = Environment::of(&names).stack().unwrap_err();
        assert_eq!(error.to_string(), "the environment variable ATTUNE_BUCKET is not set");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let environment = Environment::of(&[("N", "many"), ("F", "yes"), ("E", "")]);
        assert_eq!(environment.parsed("E", "a number", 7), Ok(7));
        let error = environment.parsed("N", "a number", 7).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment variable N is 'many', which is not a number"
        );
        assert!(environment.flag("F", false).is_err());
        assert_eq!(environment.flag("E", true), Ok(true));
    }
}
