//! Checking values, by the `jsonschema` crate. Schemas come from packs, so nothing is fetched.

use super::error::{Error, Violation};
use crate::template::contains_template;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// Bytes of memory a compiled `pattern` may take.
const PATTERN_SIZE: usize = 1 << 20;
/// How many violations of one value are told.
const TOLD: usize = 50;
/// What stands for the value in messages.
const VALUE: &str = "the value";

/// Compiles JSON Schema. Patterns are linear in time: no look-around, no back-references.
pub(super) fn compile(schema: &Value) -> Result<Validator, Error> {
    jsonschema::options()
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(
            PatternOptions::regex().size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE),
        )
        .build(schema)
        .map_err(|error| Error::Invalid {
            at: error.instance_path().to_string(),
            message: error.masked_with(VALUE).to_string(),
        })
}

/// What is wrong with a value. With `templates`, nothing that only a rendering can tell.
pub(super) fn violations(validator: &Validator, value: &Value, templates: bool) -> Vec<Violation> {
    if validator.is_valid(value) {
        return Vec::new();
    }
    validator
        .iter_errors(value)
        .filter(|error| !(templates && depends_on_template(error)))
        .take(TOLD)
        .map(|error| Violation {
            path: dotted(&error),
            message: error.masked_with(VALUE).to_string(),
        })
        .collect()
}

/// Whether another value of some template could mend this: the value is a template, or a keyword that
/// judges a composite by its parts met one in it.
fn depends_on_template(error: &ValidationError<'_>) -> bool {
    use ValidationErrorKind as Kind;
    let value = error.instance();
    if let Value::String(text) = value.as_ref() {
        return contains_template(text);
    }
    let by_parts = matches!(
        error.kind(),
        Kind::AnyOf { .. }
            | Kind::OneOfNotValid { .. }
            | Kind::OneOfMultipleValid { .. }
            | Kind::Not { .. }
            | Kind::Enum { .. }
            | Kind::Constant { .. }
            | Kind::Contains
            | Kind::UniqueItems
            | Kind::UnevaluatedItems { .. }
            | Kind::UnevaluatedProperties { .. }
    );
    by_parts && holds_template(value)
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::String(text) => contains_template(text),
        Value::Array(items) => items.iter().any(holds_template),
        Value::Object(map) => map.values().any(holds_template),
        _ => false,
    }
}

/// The place of an error as people write it: `opts.hosts.0`.
fn dotted(error: &ValidationError<'_>) -> String {
    let pointer = error.instance_path().to_string();
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    steps.collect::<Vec<_>>().join(".")
}
