//! What an author asks: the parameters of `core.ask`, or `__inquiry` in a result.

use crate::id::IdentityId;
use crate::schema::{self, Schema};
use chrono::TimeDelta;
use serde_json::Value;

/// Longest prompt, in characters.
const MAX_PROMPT_CHARS: usize = 10_000;
/// Largest response schema, in bytes of JSON.
const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// Longest time for an answer.
const LONGEST: TimeDelta = TimeDelta::days(3_650);

/// A question that can be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is asked, 1 to 10000 characters.
    pub prompt: String,
    /// What an answer looks like; `None`, anything is one.
    pub response_schema: Option<Value>,
    /// Who alone may answer.
    pub assigned_to: Option<Person>,
    /// How long there is time, more than nothing; `None`, as is usual.
    pub timeout: Option<TimeDelta>,
}

/// Somebody, as an author names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// By the identity's id.
    Id(IdentityId),
    /// By the login name.
    Login(String),
}

/// Why something is no question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not even an object.
    #[error("a question must be an object")]
    NotAnObject,
    /// There is nothing asked, or too much.
    #[error("prompt: expected a text of 1 to {MAX_PROMPT_CHARS} characters")]
    Prompt,
    /// What an answer looks like is not said in a usable way.
    #[error("response_schema: {0}")]
    Schema(#[from] schema::Error),
    /// The schema is over 64 KiB.
    #[error("response_schema: more than {MAX_SCHEMA_BYTES} bytes of JSON")]
    SchemaTooLarge,
    /// Answers are kept and shown, so they cannot be secret.
    #[error("response_schema: an answer cannot be secret, since it is kept with the execution")]
    SecretAnswer,
    /// Nobody is named like that.
    #[error("assigned_to: expected an identity's id or login name")]
    Person,
    /// No such time.
    #[error("timeout_seconds: expected a number over 0, and ten years at most")]
    Timeout,
}

impl Question {
    /// Reads `{prompt, response_schema?, assigned_to?, timeout_seconds?}`; null counts as missing.
    ///
    /// # Errors
    /// [`Error`] with the first member that is wrong.
    pub fn read(value: &Value) -> Result<Self, Error> {
        let map = value.as_object().ok_or(Error::NotAnObject)?;
        let member = |name: &str| map.get(name).filter(|value| !value.is_null());
        let prompt = member("prompt").and_then(Value::as_str).ok_or(Error::Prompt)?;
        let mut question = Self::new(prompt, member("response_schema").cloned())?;
        question.assigned_to = member("assigned_to").map(Person::read).transpose()?;
        question.timeout = member("timeout_seconds").map(seconds).transpose()?;
        Ok(question)
    }

    /// A question to anybody, with time as is usual.
    ///
    /// # Errors
    /// [`Error::Prompt`], [`Error::Schema`] and its like.
    pub fn new(prompt: &str, response_schema: Option<Value>) -> Result<Self, Error> {
        if prompt.trim().is_empty() || prompt.chars().count() > MAX_PROMPT_CHARS {
            return Err(Error::Prompt);
        }
        let response_schema = response_schema.filter(|schema| !schema.is_null());
        if let Some(schema) = &response_schema
            && schema.to_string().len() > MAX_SCHEMA_BYTES
        {
            return Err(Error::SchemaTooLarge);
        }
        if !Schema::parse(response_schema.as_ref())?.secret_paths().is_empty() {
            return Err(Error::SecretAnswer);
        }
        let prompt = prompt.to_owned();
        Ok(Self { prompt, response_schema, assigned_to: None, timeout: None })
    }
}

impl Person {
    fn read(value: &Value) -> Result<Self, Error> {
        match value {
            Value::Number(id) => id.as_i64().map(|id| Self::Id(IdentityId::new(id))),
            Value::String(text) if !text.trim().is_empty() => {
                let text = text.trim();
                let id = text.parse().ok().map(Self::Id);
                Some(id.unwrap_or_else(|| Self::Login(text.to_owned())))
            }
            _ => None,
        }
        .ok_or(Error::Person)
    }
}

/// Seconds as a number, or as the text of one, which templates make.
fn seconds(value: &Value) -> Result<TimeDelta, Error> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let millis = number.filter(|seconds| seconds.is_finite()).map(|seconds| seconds * 1_000.0);
    millis
        .filter(|millis| (1.0..=LONGEST.num_milliseconds() as f64).contains(millis))
        .map(|millis| TimeDelta::milliseconds(millis as i64))
        .ok_or(Error::Timeout)
}
