//! The list of all settings: their names, and what values they take.
//!
//! The structs of [`crate::sections`] say the same to the compiler; this list says it to whoever
//! mistypes a setting, before any value is converted. A test holds the two together.

use std::fmt;

/// What values a setting takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A whole number within bounds, both included.
    Number(i64, i64),
    /// Yes or no.
    Flag,
    /// A text that is not empty.
    Text,
    /// Texts; in the environment, separated by commas.
    Texts,
    /// One of a few words.
    Word(&'static [&'static str]),
}

/// What is expected, as errors say it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(least, most) => write!(f, "a whole number from {least} to {most}"),
            Self::Flag => f.write_str("true or false"),
            Self::Text => f.write_str("a text that is not empty"),
            Self::Texts => f.write_str("a list of texts"),
            Self::Word(words) => write!(f, "one of '{}'", words.join("', '")),
        }
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const KIB: i64 = 1 << 10;
const GIB: i64 = 1 << 30;
/// A century: enough to mean "for ever", small enough for every type of date.
const CENTURY_DAYS: i64 = 36_525;

/// Every setting, in the order of the sample file.
pub(crate) const SETTINGS: &[(&str, Kind)] = &[
    ("server.host", Kind::Text),
    ("server.port", Kind::Number(0, 65_535)),
    ("server.max_body_bytes", Kind::Number(KIB, GIB)),
    ("server.upload_max_bytes", Kind::Number(KIB, 64 * GIB)),
    ("server.cors_origins", Kind::Texts),
    ("server.public_url", Kind::Text),
    ("server.shutdown_grace_seconds", Kind::Number(0, HOUR)),
    ("api.list_envelope", Kind::Word(&["data", "items"])),
    ("auth.allow_self_registration", Kind::Flag),
    ("auth.access_token_seconds", Kind::Number(MINUTE, 365 * DAY)),
    ("auth.refresh_token_seconds", Kind::Number(MINUTE, 3_650 * DAY)),
    ("auth.admin_login", Kind::Text),
    ("auth.admin_password", Kind::Text),
    ("storage.data_dir", Kind::Text),
    ("storage.group_commit_linger_us", Kind::Number(0, 1_000_000)),
    ("storage.cache_mib", Kind::Number(1, 1 << 20)),
    ("storage.event_retention_days", Kind::Number(1, CENTURY_DAYS)),
    ("storage.execution_retention_days", Kind::Number(1, CENTURY_DAYS)),
    ("runner.max_processes", Kind::Number(0, 100_000)),
    ("runner.native_concurrency", Kind::Number(1, 100_000)),
    ("runner.default_timeout_seconds", Kind::Number(1, 365 * DAY)),
    ("runner.term_grace_seconds", Kind::Number(0, HOUR)),
    ("runner.max_output_bytes", Kind::Number(KIB, GIB)),
    ("runner.python", Kind::Text),
    ("runner.node", Kind::Text),
    ("runner.shell", Kind::Text),
    ("queues.max_receives", Kind::Number(1, 1_000)),
    ("queues.visibility_seconds", Kind::Number(1, 12 * HOUR)),
    ("sweep.interval_seconds", Kind::Number(1, DAY)),
    ("inquiries.default_timeout_days", Kind::Number(1, 3_650)),
    ("workflows.step_limit", Kind::Number(1, 1_000_000)),
    ("timers.catch_up", Kind::Flag),
    ("packs.dirs", Kind::Texts),
    ("packs.packs_dir", Kind::Text),
    ("packs.load_demo", Kind::Flag),
    ("log.level", Kind::Text),
    ("log.format", Kind::Word(&["text", "json"])),
];

/// The setting called `name`.
pub(crate) fn find(name: &str) -> Option<(&'static str, Kind)> {
    SETTINGS.iter().find(|(known, _)| *known == name).copied()
}

/// What may stand where `name`, which is not known, was found: the settings of its section, or the
/// sections where that is not known either.
pub(crate) fn expected(name: &str) -> String {
    let split = |name: &'static str| name.split_once('.').unwrap_or((name, ""));
    let section = name.split('.').next().unwrap_or_default();
    let settings: Vec<&str> = SETTINGS
        .iter()
        .map(|(name, _)| split(name))
        .filter(|(known, _)| *known == section)
        .map(|(_, setting)| setting)
        .collect();
    if !settings.is_empty() {
        return format!("one of '{}' in [{section}]", settings.join("', '"));
    }
    let mut sections: Vec<&str> = SETTINGS.iter().map(|(name, _)| split(name).0).collect();
    sections.dedup();
    format!("one of the sections '{}'", sections.join("', '"))
}
