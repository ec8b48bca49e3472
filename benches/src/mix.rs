//! A thousand rules of one trigger, of which an event concerns one or none: mostly equalities, as
//! rules are, and some that no index can help with. The load program and the micro-benchmark of the
//! condition index use the same mix, so that their numbers can be held against each other.

use serde_json::{Value, json};

/// Rules in all.
pub const RULES: usize = 1_000;
/// Rules that hold for one value each: those below this number.
const EQUALITIES: usize = 900;
/// Rules that compare and never hold: those from [`EQUALITIES`] to below this number.
const COMPARISONS: usize = 950;

/// The value that event `number` carries: every rule's in turn, the ones nobody wants first.
fn value(number: usize) -> usize {
    RULES - 1 - number % RULES
}

/// The payload of event `number`.
pub fn payload(number: usize) -> Value {
    json!({ "n": value(number), "kind": "order" })
}

/// Whether a rule wants event `number`; no event is wanted by two.
pub fn wanted(number: usize) -> bool {
    value(number) < EQUALITIES
}

/// The conditions of rule `rule`, below [`RULES`].
pub fn conditions(rule: usize) -> Value {
    if rule < EQUALITIES {
        json!([{ "field": "n", "operator": "equals", "value": rule }])
    } else if rule < COMPARISONS {
        json!([{ "field": "n", "operator": "greater_than", "value": 1_000_000 + rule }])
    } else {
        json!({ "any": [
            { "field": "n", "operator": "equals", "value": -1 },
            { "all": [
                { "field": "kind", "operator": "equals", "value": "order" },
                { "field": "n", "operator": "less_than", "value": 0 },
            ] },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_events_concerns_every_rule_once_and_ends_with_a_wanted_one() {
        let mut values: Vec<usize> = (0..RULES).map(value).collect();
        assert!(values[0] >= EQUALITIES && values[RULES - 1] < EQUALITIES);
        values.sort_unstable();
        assert_eq!(values, (0..RULES).collect::<Vec<_>>());
    }
}
