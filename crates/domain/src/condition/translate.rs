//! Expressions as terms, where they are nothing else.
//!
//! `event.payload.kind == 'deploy' and event.payload.size > 3` is how most conditions are written. As
//! terms they need no engine and can be indexed. Only what has exactly the same answers is translated: a
//! conjunction may be, since an error in one part makes the whole not hold; an alternative may not.

use super::Node;
use super::field::Field;
use super::operator::Operator as Test;
use super::term::{self, Term};
use crate::template::path::Segment;
use crate::template::syntax::{Expr, Operator};
use crate::template::{Expression, Path};

/// The node of an expression.
pub(super) fn expression(expression: Expression) -> Node {
    let parts = match expression.syntax() {
        Some(Expr::And(parts)) => parts.as_slice(),
        Some(other) => std::slice::from_ref(other),
        None => &[],
    };
    let mut terms: Vec<Node> =
        parts.iter().filter_map(term).map(Box::new).map(Node::Term).collect();
    if terms.is_empty() || terms.len() < parts.len() {
        // The terms still say cheaply, and to the index, when the whole cannot hold.
        terms.push(Node::Expression(expression));
    }
    if terms.len() == 1 { terms.remove(0) } else { Node::All(terms) }
}

/// A comparison of a place in the payload with a scalar.
fn term(expr: &Expr) -> Option<Term> {
    let Expr::Chain { first, rest } = expr else { return None };
    let [(operator, second)] = rest.as_slice() else { return None };
    let (path, operator, value) = match (first.as_ref(), second) {
        (Expr::Path(path), Expr::Literal(value)) => (path, *operator, value),
        (Expr::Literal(value), Expr::Path(path)) => (path, mirrored(*operator), value),
        _ => return None,
    };
    let ordered = value.is_number() || value.is_string();
    let value = value.clone();
    let test = match operator {
        Operator::Equal => Test::Equal(value),
        Operator::NotEqual => Test::NotEqual { value, of_missing: false },
        Operator::Less | Operator::LessOrEqual if ordered => {
            Test::Less { than: value, or_equal: operator == Operator::LessOrEqual }
        }
        Operator::Greater | Operator::GreaterOrEqual if ordered => {
            Test::Greater { than: value, or_equal: operator == Operator::GreaterOrEqual }
        }
        _ => return None,
    };
    Some(Term { field: field(path)?, test: term::Test::Fixed(test) })
}

/// The place in the payload that a path names, if it is one for every payload: an index would also reach
/// into text, which a field does not.
fn field(path: &Path) -> Option<Field> {
    let [payload, steps @ ..] = path.segments() else { return None };
    let is_name = |segment: &Segment| matches!(segment, Segment::Name { .. } | Segment::Key(_));
    let named_payload =
        matches!(payload, Segment::Name { name, .. } | Segment::Key(name) if name == "payload");
    let plain =
        path.root() == "event" && named_payload && !steps.is_empty() && steps.iter().all(is_name);
    plain.then(|| Field::exact(steps.to_vec()))
}

/// The operator with its sides changed.
fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        Operator::Equal | Operator::NotEqual => operator,
        // Nothing else becomes a term, so any operator that does not will do.
        _ => Operator::In,
    }
}
