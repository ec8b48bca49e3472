//! Operators of terms: their names, what they take, and when they hold.

use super::compare::{contains, equal, moment, order};
use super::error::Fault;
use super::term::Search;
use crate::template::compile_pattern;
use chrono::{DateTime, Utc};
use regex::Regex;
use serde_json::Value;

/// An operator by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Equals,
    NotEquals,
    EqualsFolded,
    Contains { fold: bool, negated: bool },
    StartsWith { fold: bool },
    EndsWith { fold: bool },
    LessThan,
    GreaterThan,
    Wildcard,
    Regex { fold: bool },
    RegexAtStart,
    YoungerThan,
    OlderThan,
    Exists,
    NotExists,
    In,
    NotIn,
    Search,
}

impl Name {
    /// Reads a name of either tradition, in any case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "equals" | "eq" => Self::Equals,
            "not_equals" | "nequals" | "neq" => Self::NotEquals,
            "iequals" | "ieq" => Self::EqualsFolded,
            "contains" => Self::Contains { fold: false, negated: false },
            "icontains" => Self::Contains { fold: true, negated: false },
            "ncontains" => Self::Contains { fold: false, negated: true },
            "incontains" => Self::Contains { fold: true, negated: true },
            "starts_with" | "startswith" => Self::StartsWith { fold: false },
            "istartswith" => Self::StartsWith { fold: true },
            "ends_with" | "endswith" => Self::EndsWith { fold: false },
            "iendswith" => Self::EndsWith { fold: true },
            "less_than" | "lessthan" | "lt" => Self::LessThan,
            "greater_than" | "greaterthan" | "gt" => Self::GreaterThan,
            "matchwildcard" => Self::Wildcard,
            "matches" | "regex" => Self::Regex { fold: false },
            "iregex" => Self::Regex { fold: true },
            "matchregex" => Self::RegexAtStart,
            "timediff_lt" | "td_lt" => Self::YoungerThan,
            "timediff_gt" | "td_gt" => Self::OlderThan,
            "exists" => Self::Exists,
            "nexists" => Self::NotExists,
            "in" | "inside" => Self::In,
            "not_in" | "ninside" | "nin" => Self::NotIn,
            "search" => Self::Search,
            _ => return None,
        })
    }

    /// Whether it means something without a pattern. In criteria, all others never hold for null.
    pub(crate) fn admits_null(self) -> bool {
        matches!(self, Self::NotEquals | Self::Exists | Self::NotExists)
    }

    /// The operator with its operand. `written` is the name as the author wrote it.
    /// A search has no operand of this kind; see [`Search`].
    pub(crate) fn with(self, operand: &Value, written: &str) -> Result<Operator, Fault> {
        let wrong = |wanted| Fault::Operand { operator: written.to_owned(), wanted };
        let text = || operand.as_str().ok_or_else(|| wrong("a string"));
        let folded = |fold: bool| {
            text().map(|text| if fold { text.to_lowercase() } else { text.to_owned() })
        };
        let regex = |pattern: &str, fold| {
            compile_pattern(pattern, fold)
                .map(Operator::Regex)
                .map_err(|_| wrong("a regular expression"))
        };
        Ok(match self {
            Self::Equals => Operator::Equal(operand.clone()),
            Self::NotEquals => Operator::NotEqual { value: operand.clone(), of_missing: true },
            Self::EqualsFolded => Operator::EqualFolded(folded(true)?),
            Self::Contains { fold: true, negated } => {
                Operator::ContainsFolded { part: folded(true)?, negated }
            }
            Self::Contains { fold: false, negated } => {
                Operator::Contains { part: operand.clone(), negated }
            }
            Self::StartsWith { fold } => Operator::StartsWith { text: folded(fold)?, fold },
            Self::EndsWith { fold } => Operator::EndsWith { text: folded(fold)?, fold },
            Self::LessThan | Self::GreaterThan if !(operand.is_number() || operand.is_string()) => {
                return Err(wrong("a number or a string"));
            }
            Self::LessThan => Operator::Less { than: operand.clone(), or_equal: false },
            Self::GreaterThan => Operator::Greater { than: operand.clone(), or_equal: false },
            Self::Wildcard => regex(&glob(text()?), false)?,
            Self::Regex { fold } => regex(text()?, fold)?,
            Self::RegexAtStart => regex(&format!(r"(?s)\A(?:{})", text()?), false)?,
            Self::YoungerThan | Self::OlderThan => {
                let seconds = operand.as_f64().or_else(|| operand.as_str()?.trim().parse().ok());
                Operator::Age {
                    seconds: seconds.ok_or_else(|| wrong("a number of seconds"))?,
                    over: self == Self::OlderThan,
                }
            }
            Self::Exists => Operator::Exists,
            Self::NotExists => Operator::NotExists,
            Self::In | Self::NotIn
                if operand.is_null() || operand.is_boolean() || operand.is_number() =>
            {
                return Err(wrong("a list, a string or an object"));
            }
            Self::In => Operator::In { container: operand.clone(), negated: false },
            Self::NotIn => Operator::In { container: operand.clone(), negated: true },
            Self::Search => return Err(wrong("criteria of items")),
        })
    }
}

/// An operator with its operand, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) enum Operator {
    Equal(Value),
    NotEqual {
        value: Value,
        /// What it answers where the field is missing.
        of_missing: bool,
    },
    EqualFolded(String),
    Contains {
        part: Value,
        negated: bool,
    },
    ContainsFolded {
        part: String,
        negated: bool,
    },
    StartsWith {
        text: String,
        fold: bool,
    },
    EndsWith {
        text: String,
        fold: bool,
    },
    Less {
        than: Value,
        or_equal: bool,
    },
    Greater {
        than: Value,
        or_equal: bool,
    },
    Regex(Regex),
    /// How long ago a moment was, in seconds.
    Age {
        seconds: f64,
        over: bool,
    },
    Exists,
    NotExists,
    In {
        container: Value,
        negated: bool,
    },
    Search(Search),
    Never,
}

impl Operator {
    /// Whether it holds for what stands in the field; `None` if there is nothing.
    pub(crate) fn holds(&self, found: Option<&Value>, now: DateTime<Utc>) -> bool {
        let Some(value) = found else {
            return match self {
                Self::NotEqual { of_missing, .. } => *of_missing,
                Self::In { negated, .. } => *negated,
                Self::NotExists => true,
                _ => false,
            };
        };
        match self {
            Self::Equal(other) => equal(value, other),
            Self::NotEqual { value: other, .. } => !equal(value, other),
            Self::EqualFolded(text) => {
                value.as_str().is_some_and(|value| value.to_lowercase() == *text)
            }
            Self::Contains { part, negated } => {
                contains(value, part).is_some_and(|found| found != *negated)
            }
            Self::ContainsFolded { part, negated } => {
                contains_folded(value, part).is_some_and(|found| found != *negated)
            }
            Self::StartsWith { text, fold } => {
                on_text(value, *fold, |value| value.starts_with(text.as_str()))
            }
            Self::EndsWith { text, fold } => {
                on_text(value, *fold, |value| value.ends_with(text.as_str()))
            }
            Self::Less { than, or_equal } => order(value, than)
                .is_some_and(|order| if *or_equal { order.is_le() } else { order.is_lt() }),
            Self::Greater { than, or_equal } => order(value, than)
                .is_some_and(|order| if *or_equal { order.is_ge() } else { order.is_gt() }),
            Self::Regex(regex) => value.as_str().is_some_and(|value| regex.is_match(value)),
            Self::Age { seconds, over } => moment(value).is_some_and(|moment| {
                let age = now.signed_duration_since(moment).as_seconds_f64();
                if *over { age > *seconds } else { age < *seconds }
            }),
            Self::Exists => !value.is_null(),
            Self::NotExists => value.is_null(),
            Self::In { container, negated } => {
                contains(container, value).is_some_and(|found| found != *negated)
            }
            Self::Search(search) => search.holds(value, now),
            Self::Never => false,
        }
    }
}

fn on_text(value: &Value, fold: bool, test: impl Fn(&str) -> bool) -> bool {
    value.as_str().is_some_and(|value| if fold { test(&value.to_lowercase()) } else { test(value) })
}

fn contains_folded(container: &Value, part: &str) -> Option<bool> {
    match container {
        Value::String(text) => Some(text.to_lowercase().contains(part)),
        Value::Array(items) => {
            Some(items.iter().any(|item| on_text(item, true, |item| item == part)))
        }
        _ => None,
    }
}

/// A shell pattern over the whole text as a regular expression.
fn glob(pattern: &str) -> String {
    let mut regex = String::from(r"(?s)\A");
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => {
                // A bracket that closes at once holds `]`; one that never closes is itself.
                let skip = usize::from(rest.starts_with('!'));
                let body = skip + usize::from(rest[skip..].starts_with(']'));
                match rest[body..].find(']') {
                    Some(close) => {
                        let set = &rest[skip..body + close];
                        let negation = if skip == 1 { "^" } else { "" };
                        regex.push_str(&format!("[{negation}{}]", escaped_set(set)));
                        rest = &rest[body + close + 1..];
                    }
                    None => regex.push_str(r"\["),
                }
            }
            other => regex.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(r"\z");
    regex
}

/// The inside of a bracket: ranges keep their meaning, nothing else has any.
fn escaped_set(set: &str) -> String {
    let mut escaped = String::new();
    for next in set.chars() {
        if !next.is_alphanumeric() && next != '-' && !next.is_whitespace() {
            escaped.push('\\');
        }
        escaped.push(next);
    }
    escaped
}
