//! What a write expects, as DynamoDB checks it.

use super::item::{self, Item};
use crate::table::{EXPIRES, NONCE, PARTITION, VERSION};
use attune_domain::Timestamp;
use attune_ports::records::Expect;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;

/// An expression with what its placeholders stand for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Expression {
    pub(super) text: String,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Item,
}

impl Expression {
    /// A placeholder for an attribute's name: many words are DynamoDB's own.
    pub(super) fn name(&mut self, attribute: &str) -> String {
        let placeholder = format!("#{attribute}");
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    /// A placeholder for a value.
    pub(super) fn value(&mut self, name: &str, value: AttributeValue) -> String {
        let placeholder = format!(":{name}");
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

/// What must hold for a write; `None`, nothing.
pub(super) fn of(expect: Expect, now: Timestamp) -> Option<Expression> {
    let mut condition = Expression::default();
    let mut expires = || {
        let expires = condition.name(EXPIRES);
        (expires, condition.value("now", item::number(now.timestamp_millis())))
    };
    condition.text = match expect {
        Expect::Any => return None,
        Expect::Absent => {
            let (expires, now) = expires();
            let partition = condition.name(PARTITION);
            format!("attribute_not_exists({partition}) OR {expires} <= {now}")
        }
        Expect::Version(version) => {
            let (expires, now) = expires();
            let held = condition.name(VERSION);
            let version = condition.value("version", item::number(version));
            format!("{held} = {version} AND (attribute_not_exists({expires}) OR {expires} > {now})")
        }
    };
    Some(condition)
}

/// That this very write has not happened yet: the SDK repeats a request whose answer was lost.
pub(super) fn first_time(nonce: &[u8]) -> Expression {
    let mut condition = Expression::default();
    let held = condition.name(NONCE);
    let own = condition.value("nonce", AttributeValue::B(Blob::new(nonce)));
    condition.text = format!("attribute_not_exists({held}) OR {held} <> {own}");
    condition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_stands_for_something() {
        let now = Timestamp::from_timestamp_millis(5).unwrap();
        assert_eq!(of(Expect::Any, now), None);
        for condition in [
            of(Expect::Absent, now).unwrap(),
            of(Expect::Version(3), now).unwrap(),
            first_time(&[1, 2]),
        ] {
            for placeholder in condition.names.keys().chain(condition.values.keys()) {
                assert!(condition.text.contains(placeholder.as_str()), "{condition:?}");
            }
            let used = condition.text.matches(['#', ':']).count();
            assert!(used >= condition.names.len() + condition.values.len());
        }
    }

    #[test]
    fn an_expired_record_counts_as_absent() {
        let now = Timestamp::from_timestamp_millis(5).unwrap();
        let absent = of(Expect::Absent, now).unwrap();
        assert_eq!(absent.text, "attribute_not_exists(#pk) OR #e <= :now");
        assert_eq!(absent.values[":now"], AttributeValue::N("5".to_owned()));
        let version = of(Expect::Version(3), now).unwrap();
        assert_eq!(version.text, "#v = :version AND (attribute_not_exists(#e) OR #e > :now)");
    }
}
