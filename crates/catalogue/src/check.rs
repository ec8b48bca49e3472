//! Checks of what people write: lengths, schemas, parameters, conditions.

use crate::error::{Error, name_of};
use attune_domain::condition::Condition;
use attune_domain::schema::Schema;
use attune_ports::records::Kind;
use serde_json::{Map, Value};

/// Characters of a label, at most.
const LABEL: usize = 255;
/// Characters of a pack's version, at most.
const VERSION: usize = 50;
/// Characters of an entry point, at most; inline code stands there too.
const ENTRYPOINT: usize = 65_536;

/// A label: 1 to 255 characters.
pub(crate) fn label(text: &str) -> Result<(), Error> {
    length("label", text, LABEL)
}

/// A version: semantic, 1 to 50 characters.
pub(crate) fn version(text: &str) -> Result<(), Error> {
    length("version", text, VERSION)?;
    semver::Version::parse(text)
        .map(drop)
        .map_err(|_| Error::Invalid(format!("version: '{text}' is not a semantic version")))
}

/// A workflow's version: 1 to 50 characters, whatever they are.
pub(crate) fn workflow_version(text: &str) -> Result<(), Error> {
    length("version", text, VERSION)
}

/// An entry point: not empty.
pub(crate) fn entrypoint(text: &str) -> Result<(), Error> {
    length("entrypoint", text, ENTRYPOINT)
}

fn length(field: &str, text: &str, most: usize) -> Result<(), Error> {
    let count = text.chars().count();
    if text.trim().is_empty() || count > most {
        return Err(Error::Invalid(format!("{field}: must have 1 to {most} characters")));
    }
    Ok(())
}

/// A schema, flat or JSON Schema.
pub(crate) fn schema(field: &str, schema: Option<&Value>) -> Result<(), Error> {
    Schema::parse(schema).map(drop).map_err(|error| Error::Invalid(format!("{field}: {error}")))
}

/// Something that must be an object.
pub(crate) fn object(field: &str, value: &Value) -> Result<(), Error> {
    if value.is_object() {
        return Ok(());
    }
    Err(Error::Invalid(format!("{field}: must be an object")))
}

/// Conditions of a rule.
pub(crate) fn conditions(conditions: &Value) -> Result<(), Error> {
    Condition::parse(conditions)
        .map(drop)
        .map_err(|error| Error::Invalid(format!("Invalid conditions: {error}")))
}

/// Parameters against the schema of an action or trigger; templates satisfy any type.
pub(crate) fn parameters(
    kind: Kind,
    reference: &str,
    schema: Option<&Value>,
    parameters: &Map<String, Value>,
) -> Result<(), Error> {
    let of = || format!("{} '{reference}'", name_of(kind).to_lowercase());
    let schema = Schema::parse(schema)
        .map_err(|error| Error::Invalid(format!("The schema of {} is unusable: {error}", of())))?;
    schema.validate(&Value::Object(parameters.clone())).map_err(|violations| {
        let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
        Error::Invalid(format!("Invalid parameters for {}: {}", of(), told.join("; ")))
    })
}
