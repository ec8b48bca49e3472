//! Secret paths: what lies there is taken out before anything is stored or shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;

/// The key by which the mark in place of a secret is recognised.
pub const MARK: &str = "$attune_secret";

/// Values that were taken out, with the way back. To be sealed, never stored as they are.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(Vec<(Vec<String>, Value)>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<String> = self.0.iter().map(|(path, _)| path.join(".")).collect();
        f.debug_tuple("Secrets").field(&paths).finish()
    }
}

/// The paths of all properties that are marked as secret, in depth.
pub(super) fn paths(properties: &Map<String, Value>) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    walk(properties, &mut Vec::new(), &mut found);
    found
}

fn walk(properties: &Map<String, Value>, at: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    for (name, property) in properties {
        at.push(name.clone());
        if property.get("secret") == Some(&Value::Bool(true)) {
            found.push(at.clone());
        } else if let Some(Value::Object(inner)) = property.get("properties") {
            walk(inner, at, found);
        }
        at.pop();
    }
}

fn mark() -> Value {
    json!({MARK: true, "redacted": true})
}

fn is_mark(value: &Value) -> bool {
    value.get(MARK) == Some(&Value::Bool(true))
}

pub(super) fn take(value: &mut Value, paths: &[Vec<String>]) -> Secrets {
    let mut taken = Vec::new();
    for path in paths {
        let found = path.iter().try_fold(&mut *value, |value, step| value.get_mut(step));
        if let Some(found) = found.filter(|found| !found.is_null() && !is_mark(found)) {
            taken.push((path.clone(), std::mem::replace(found, mark())));
        }
    }
    Secrets(taken)
}

impl Secrets {
    /// Whether nothing was taken out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the values back where their marks are.
    pub fn restore(&self, value: &mut Value) {
        for (path, secret) in &self.0 {
            let found = path.iter().try_fold(&mut *value, |value, step| value.get_mut(step));
            if let Some(found) = found.filter(|found| is_mark(found)) {
                found.clone_from(secret);
            }
        }
    }

    /// The texts to be struck out of whatever a run says: every leaf, and composites as JSON.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for (_, value) in &self.0 {
            leaves(value, &mut texts);
        }
        texts.retain(|text| !text.is_empty());
        texts
    }
}

fn leaves(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => texts.push(number.to_string()),
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => {
            texts.push(value.to_string());
            items.iter().for_each(|item| leaves(item, texts));
        }
        Value::Object(map) => {
            texts.push(value.to_string());
            map.values().for_each(|item| leaves(item, texts));
        }
    }
}
