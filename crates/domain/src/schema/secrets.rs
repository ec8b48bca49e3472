//! Secret values: where they stand, taking them out, putting them back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;

/// How deep secret paths go.
const MAX_DEPTH: usize = 32;
/// The member by which a redacted value is recognised.
pub const MARK: &str = "$attune_secret";

/// What a secret begins with that only names one which lies elsewhere: `secretsmanager:<name>`.
pub const REFERENCE: &str = "secretsmanager:";

/// One step of a path to secret values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Into a member of an object.
    Member(String),
    /// Into every element of an array.
    Each,
}

/// Values taken out of a document, each with its place. Serialised, they are what is to be encrypted.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Secrets(Vec<Secret>);

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Secret {
    /// JSON pointer to its place.
    at: String,
    value: Value,
}

impl Secrets {
    /// Whether nothing was taken out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// JSON pointers to the places.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|secret| secret.at.as_str())
    }

    /// Names of the secrets elsewhere that values refer to, each once.
    pub fn references(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self.0.iter().filter_map(|secret| referred(&secret.value)) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// Puts `text` in place of every reference to the secret called `name`.
    pub fn resolve(&mut self, name: &str, text: &str) {
        for secret in self.0.iter_mut().filter(|secret| referred(&secret.value) == Some(name)) {
            secret.value = Value::String(text.to_owned());
        }
    }

    /// Puts the values back; see [`restore`].
    pub fn restore(&self, value: &mut Value) {
        restore(value, self);
    }

    /// The values as they would show in output; see [`texts`].
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().flat_map(|secret| texts(&secret.value)).collect()
    }
}

/// The name that a value refers to, if it does.
fn referred(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix(REFERENCE).filter(|name| !name.is_empty())
}

/// Only how many there are: a log is no place for them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} values)", self.0.len())
    }
}

/// A secret value as it would show in output, which is where it has to be struck out of: texts and
/// numbers on every level, and composites as compact JSON. Booleans and null are no secrets that
/// anyone could find.
pub fn texts(secret: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    collect_texts(secret, &mut texts);
    texts
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => texts.push(text.clone()),
        Value::Number(number) => texts.push(number.to_string()),
        Value::Array(items) => {
            texts.push(value.to_string());
            items.iter().for_each(|item| collect_texts(item, texts));
        }
        Value::Object(map) => {
            texts.push(value.to_string());
            map.values().for_each(|item| collect_texts(item, texts));
        }
    }
}

/// The value that stands where a secret was.
pub fn redacted() -> Value {
    json!({MARK: true, "redacted": true})
}

/// Whether a value is what stands where a secret was.
pub fn is_redacted(value: &Value) -> bool {
    value.get(MARK) == Some(&Value::Bool(true))
}

/// Puts secret values back where they were taken from. A place that meanwhile holds something else, or is
/// gone, is left alone.
pub fn restore(value: &mut Value, secrets: &Secrets) {
    for secret in &secrets.0 {
        if let Some(place) = value.pointer_mut(&secret.at).filter(|place| is_redacted(place)) {
            place.clone_from(&secret.value);
        }
    }
}

/// The paths that a schema calls secret. Below a secret there is nothing more to find.
pub(super) fn paths(schema: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    collect(schema, &mut Vec::new(), &mut found);
    found
}

fn collect(schema: &Value, at: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if at.len() > MAX_DEPTH {
        return;
    }
    if schema.get("secret") == Some(&Value::Bool(true)) {
        found.push(at.clone());
        return;
    }
    for (name, property) in
        schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        at.push(Step::Member(name.clone()));
        collect(property, at, found);
        at.pop();
    }
    if let Some(items) = schema.get("items") {
        at.push(Step::Each);
        collect(items, at, found);
        at.pop();
    }
    for keyword in ["allOf", "anyOf", "oneOf"] {
        // Whichever alternative a value is of: better one value too many hidden than one too few.
        for part in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            collect(part, at, found);
        }
    }
}

/// Takes out the values at those paths.
pub(super) fn take(paths: &[Vec<Step>], value: &mut Value) -> Secrets {
    let mut secrets = Secrets::default();
    for path in paths {
        take_at(path, value, &mut String::new(), &mut secrets);
    }
    secrets
}

fn take_at(path: &[Step], value: &mut Value, at: &mut String, secrets: &mut Secrets) {
    let length = at.len();
    match path {
        [] if value.is_null() || is_redacted(value) => {}
        [] => {
            secrets.0.push(Secret { at: at.clone(), value: std::mem::replace(value, redacted()) })
        }
        _ if is_redacted(value) => {}
        [Step::Member(name), rest @ ..] => {
            if let Some(member) = value.get_mut(name) {
                at.push('/');
                at.push_str(&name.replace('~', "~0").replace('/', "~1"));
                take_at(rest, member, at, secrets);
            }
        }
        [Step::Each, rest @ ..] => {
            for (index, item) in value.as_array_mut().into_iter().flatten().enumerate() {
                at.push('/');
                at.push_str(&index.to_string());
                take_at(rest, item, at, secrets);
                at.truncate(length);
            }
        }
    }
    at.truncate(length);
}
