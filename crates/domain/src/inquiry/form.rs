//! A response schema as a form for people: fields to fill in, and what was filled in as an answer.
//!
//! Only what a schema says about its top-level properties becomes a field; whatever is deeper is asked for as JSON.
//! A schema that asks for nothing in particular becomes a yes or no, answered `{"approved": true}` or `false`.

use crate::schema::{Schema, Violation};
use serde_json::{Map, Value};

/// The property that two buttons ask for.
pub const APPROVED: &str = "approved";
/// The field that stands for the whole answer, where that is no object of known properties.
pub const WHOLE: &str = "response";

/// A form.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// What is to be filled in, in the order of the schema: `position`, then name.
    pub fields: Vec<Field>,
    /// Whether it is sent off by one of two buttons, approve and reject.
    pub decides: bool,
    /// Whether its only field is the whole answer.
    whole: bool,
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The property.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// More about it.
    pub description: Option<String>,
    /// Whether it must be there.
    pub required: bool,
    /// How it is filled in.
    pub input: Input,
    /// What it is filled in with at first.
    pub default: Option<Value>,
}

/// How a field is filled in.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Any text.
    Text,
    /// A number; whole or not.
    Number {
        /// Whether it must be a whole one.
        whole: bool,
    },
    /// Yes or no.
    Flag,
    /// One of these.
    Choice(Vec<Value>),
    /// JSON.
    Json,
}

impl Form {
    /// The form of a schema, flat or JSON Schema.
    #[must_use]
    pub fn of(schema: Option<&Value>) -> Self {
        let Ok(document) = Schema::document(schema) else { return Self::whole() };
        let Some(document) = document else { return Self::decision() };
        let properties = document.get("properties").and_then(Value::as_object);
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
            let is_object = document.get("type").is_some_and(|of| of == "object");
            let says_more = ["anyOf", "oneOf", "allOf", "$ref", "required", "patternProperties"];
            let plain = is_object && says_more.iter().all(|word| document.get(*word).is_none());
            return if plain { Self::decision() } else { Self::whole() };
        };
        let required = |name: &str| {
            let names = document.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|required| required == name))
        };
        let mut fields: Vec<_> = properties
            .iter()
            .map(|(name, about)| (position(about), Field::of(name, about, required(name))))
            .collect();
        fields.sort_by_key(|(position, _)| *position);
        let mut fields: Vec<Field> = fields.into_iter().map(|(_, field)| field).collect();
        let buttons = |field: &Field| field.name == APPROVED && field.input == Input::Flag;
        let decides = fields.iter().any(buttons);
        fields.retain(|field| !buttons(field));
        Self { fields, decides, whole: false }
    }

    fn decision() -> Self {
        Self { fields: vec![], decides: true, whole: false }
    }

    fn whole() -> Self {
        let field = Field {
            name: WHOLE.to_owned(),
            label: "Response".to_owned(),
            description: Some("JSON".to_owned()),
            required: true,
            input: Input::Json,
            default: None,
        };
        Self { fields: vec![field], decides: false, whole: true }
    }

    /// The answer that was filled in, as names and texts. What the schema makes of it is to be checked still.
    ///
    /// # Errors
    /// Fields that cannot be read as what they are.
    pub fn read(&self, filled: &[(String, String)]) -> Result<Value, Vec<Violation>> {
        let text_of = |name: &str| {
            filled.iter().find(|(given, _)| given == name).map(|(_, text)| text.as_str())
        };
        let mut answer = Map::new();
        let mut violations = Vec::new();
        for field in &self.fields {
            match field.read(text_of(&field.name).unwrap_or_default()) {
                Ok(Some(value)) => drop(answer.insert(field.name.clone(), value)),
                Ok(None) if field.required => {
                    violations.push(violation(field, "the value is missing"))
                }
                Ok(None) => {}
                Err(message) => violations.push(violation(field, message)),
            }
        }
        if self.decides {
            match text_of(APPROVED) {
                Some("true") => drop(answer.insert(APPROVED.to_owned(), Value::Bool(true))),
                Some("false") => drop(answer.insert(APPROVED.to_owned(), Value::Bool(false))),
                _ => violations.push(Violation {
                    path: APPROVED.to_owned(),
                    message: "expected true or false".to_owned(),
                }),
            }
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        Ok(if self.whole {
            answer.remove(WHOLE).unwrap_or_default()
        } else {
            Value::Object(answer)
        })
    }
}

fn violation(field: &Field, message: &str) -> Violation {
    Violation { path: field.name.clone(), message: message.to_owned() }
}

/// Properties with a position come first.
fn position(about: &Value) -> i64 {
    about.get("position").and_then(Value::as_i64).unwrap_or(i64::MAX)
}

impl Field {
    fn of(name: &str, about: &Value, required: bool) -> Self {
        let text = |key: &str| about.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            name: name.to_owned(),
            label: text("title").or_else(|| text("label")).unwrap_or_else(|| name.to_owned()),
            description: text("description"),
            required,
            input: Input::of(about),
            default: about.get("default").filter(|value| !value.is_null()).cloned(),
        }
    }

    /// What was filled in; `None` where nothing was.
    fn read(&self, text: &str) -> Result<Option<Value>, &'static str> {
        let trimmed = text.trim();
        if self.input == Input::Flag {
            // A box that is not ticked is not sent.
            return Ok(Some(Value::Bool(matches!(trimmed, "true" | "on"))));
        }
        if trimmed.is_empty() {
            return Ok(None);
        }
        match &self.input {
            Input::Text => Ok(Value::String(text.to_owned())),
            Input::Number { whole: true } => {
                trimmed.parse::<i64>().map(Value::from).map_err(|_| "expected a whole number")
            }
            Input::Number { whole: false } => {
                let number = serde_json::from_str::<serde_json::Number>(trimmed);
                number.map(Value::Number).map_err(|_| "expected a number")
            }
            Input::Choice(values) => values
                .iter()
                .find(|value| shown(value) == trimmed)
                .cloned()
                .ok_or("expected one of the values"),
            Input::Flag | Input::Json => serde_json::from_str(trimmed).map_err(|_| "expected JSON"),
        }
        .map(Some)
    }
}

impl Input {
    fn of(about: &Value) -> Self {
        if let Some(values) = about.get("enum").and_then(Value::as_array) {
            return Self::Choice(values.clone());
        }
        let kind = match about.get("type") {
            Some(Value::String(kind)) => kind.as_str(),
            // `["string", "null"]`: what is left empty is not sent.
            Some(Value::Array(kinds)) => {
                let mut named =
                    kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
                match (named.next(), named.next()) {
                    (Some(kind), None) => kind,
                    _ => "",
                }
            }
            _ => "",
        };
        match kind {
            "string" => Self::Text,
            "number" => Self::Number { whole: false },
            "integer" => Self::Number { whole: true },
            "boolean" => Self::Flag,
            _ => Self::Json,
        }
    }
}

/// A value as people read and send it: texts as they are, everything else as JSON.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
