//! JSON Schemas of the files of a pack, for editors to complete and check while one writes.
//!
//! They describe the form. What a schema cannot say, such as whether a task exists, [`crate::load`] does.

macro_rules! schemas {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../schemas/", $name, ".json")))),*]
    };
}

/// Every schema: the kind of file it is for, and its text.
pub const SCHEMAS: &[(&str, &str)] = schemas![
    "action",
    "pack",
    "permission_set",
    "policy",
    "queue",
    "rehearsal",
    "rule",
    "runtime",
    "sensor",
    "trigger",
    "workflow",
];

/// The schema of that kind of file.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    SCHEMAS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
