//! The operators of expressions, with the classic rules: nothing is coerced, `/` is exact where it can
//! be, equality is deep and never fails, everything else fails on types it is not made for.

use super::engine::{Evaluation, is_composite};
use super::error::Fault;
use super::lower;
use super::number::Number;
use super::path::{character, position};
use super::syntax::Operator;
use super::value::{int_value, into_text, items, spend_on, to_json, type_name};
use minijinja::Value;
use minijinja::value::ValueKind;
use std::cmp::Ordering;

/// How deep values are compared.
const MAX_DEPTH: usize = 100;

/// Applies operators of one level from the left; comparisons in a row must all hold.
pub(crate) fn chain(evaluation: &Evaluation, arguments: &[Value]) -> Result<Value, Fault> {
    let [letters, first, rest @ ..] = arguments else {
        return Err(Fault::evaluation("an operator without operands"));
    };
    let operators = letters.as_str().unwrap_or_default().chars().filter_map(lower::operator);
    let mut left = first.clone();
    let mut answer = Value::UNDEFINED;
    for (operator, right) in operators.zip(rest) {
        if is_composite(&left) || is_composite(right) {
            spend_on(&left, &evaluation.budget)?;
            spend_on(right, &evaluation.budget)?;
        }
        answer = apply(evaluation, operator, &left, right)?;
        if !operator.is_comparison() {
            left = answer.clone();
        } else if answer.is_true() {
            left = right.clone();
        } else {
            break;
        }
    }
    Ok(answer)
}

fn apply(
    evaluation: &Evaluation,
    operator: Operator,
    left: &Value,
    right: &Value,
) -> Result<Value, Fault> {
    if left.is_undefined() || right.is_undefined() {
        let undefined = evaluation.undefined()?;
        return Ok(match operator {
            // Leniently, what is missing equals null.
            Operator::Equal => Value::from(is_null(left) && is_null(right)),
            Operator::NotEqual => Value::from(!(is_null(left) && is_null(right))),
            _ => undefined,
        });
    }
    Ok(match operator {
        Operator::Equal => Value::from(equal(left, right, MAX_DEPTH)?),
        Operator::NotEqual => Value::from(!equal(left, right, MAX_DEPTH)?),
        Operator::Less => Value::from(order(left, right, operator)?.is_lt()),
        Operator::LessOrEqual => Value::from(order(left, right, operator)?.is_le()),
        Operator::Greater => Value::from(order(left, right, operator)?.is_gt()),
        Operator::GreaterOrEqual => Value::from(order(left, right, operator)?.is_ge()),
        Operator::In => Value::from(contains(right, left)?),
        Operator::NotIn => Value::from(!contains(right, left)?),
        Operator::Add => add(evaluation, left, right)?,
        Operator::Unite if type_name(left) == "object" && type_name(right) == "object" => {
            let mut pairs = Vec::new();
            for side in [left, right] {
                for key in items(side)? {
                    let item = side.get_item(&key).unwrap_or_default();
                    pairs.push((key, item));
                }
            }
            Value::from_pairs(pairs)
        }
        Operator::Unite => add(evaluation, left, right)?,
        Operator::Concatenate => {
            let mut text = String::new();
            for side in [left, right] {
                let json = to_json(side, false, &evaluation.budget)?;
                into_text(&json, &mut text);
            }
            Value::from(text)
        }
        Operator::Subtract
        | Operator::Multiply
        | Operator::Divide
        | Operator::FloorDivide
        | Operator::Remainder
        | Operator::Power
        | Operator::Quotient
        | Operator::Modulo => match (Number::of_value(left), Number::of_value(right)) {
            (Some(left), Some(right)) => arithmetic(operator, left, right)?,
            _ => return Err(unsupported(operator, left, right)),
        },
    })
}

fn is_null(value: &Value) -> bool {
    value.is_undefined() || value.is_none()
}

fn unsupported(operator: Operator, left: &Value, right: &Value) -> Fault {
    Fault::evaluation(format!(
        "`{}` does not apply to {} and {}",
        operator.symbol(),
        type_name(left),
        type_name(right)
    ))
}

fn add(evaluation: &Evaluation, left: &Value, right: &Value) -> Result<Value, Fault> {
    if let (Some(left), Some(right)) = (Number::of_value(left), Number::of_value(right)) {
        return arithmetic(Operator::Add, left, right);
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        evaluation.budget.spend_output(left.len() + right.len())?;
        return Ok(Value::from([left, right].concat()));
    }
    if type_name(left) == "array" && type_name(right) == "array" {
        return Ok(Value::from(items(left)?.chain(items(right)?).collect::<Vec<_>>()));
    }
    Err(unsupported(Operator::Add, left, right))
}

fn arithmetic(operator: Operator, left: Number, right: Number) -> Result<Value, Fault> {
    let zero = match right {
        Number::Int(int) => int == 0,
        Number::Float(float) => float == 0.0,
    };
    use Operator::{Divide, FloorDivide, Modulo, Quotient, Remainder};
    if zero && matches!(operator, Divide | FloorDivide | Remainder | Quotient | Modulo) {
        return Err(Fault::evaluation("division by zero"));
    }
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        let exact = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide if left.checked_rem(right) != Some(0) => {
                return finite(left as f64 / right as f64);
            }
            Operator::Divide => left.checked_div(right),
            Operator::FloorDivide | Operator::Quotient => {
                let down = left
                    .checked_rem(right)
                    .is_some_and(|rest| rest != 0 && (rest < 0) != (right < 0));
                left.checked_div(right).map(|quotient| quotient - i128::from(down))
            }
            Operator::Remainder => left.checked_rem(right),
            Operator::Modulo => left.checked_rem(right).map(|rest| {
                if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest }
            }),
            Operator::Power if right < 0 => return finite((left as f64).powf(right as f64)),
            _ => u32::try_from(right).ok().and_then(|exponent| left.checked_pow(exponent)),
        };
        return exact.map(int_value).ok_or_else(|| Fault::evaluation("the number is too large"));
    }
    let (left, right) = (left.as_f64(), right.as_f64());
    finite(match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide | Operator::Quotient => left / right,
        Operator::FloorDivide => (left / right).floor(),
        Operator::Remainder => left % right,
        Operator::Modulo => left - (left / right).floor() * right,
        _ => left.powf(right),
    })
}

fn finite(float: f64) -> Result<Value, Fault> {
    if float.is_finite() {
        Ok(Value::from(float))
    } else {
        Err(Fault::evaluation("the number is too large"))
    }
}

/// Deep equality: 3 equals 3.0, and no other two types equal each other.
pub(crate) fn equal(left: &Value, right: &Value, depth: usize) -> Result<bool, Fault> {
    let depth = depth.checked_sub(1).ok_or(Fault::Limit { what: "nesting" })?;
    if type_name(left) != type_name(right) {
        return Ok(false);
    }
    Ok(match type_name(left) {
        "null" => true,
        "bool" => left.is_true() == right.is_true(),
        "string" => left.as_str() == right.as_str(),
        "number" => match (Number::of_value(left), Number::of_value(right)) {
            (Some(left), Some(right)) => left.order(right) == Some(Ordering::Equal),
            _ => false,
        },
        "array" => {
            let (mut left, mut right) = (items(left)?, items(right)?);
            loop {
                match (left.next(), right.next()) {
                    (None, None) => break true,
                    (Some(left), Some(right)) if equal(&left, &right, depth)? => {}
                    _ => break false,
                }
            }
        }
        _ if left.kind() != ValueKind::Map || right.kind() != ValueKind::Map => left == right,
        _ => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for key in items(left)? {
                let (left, right) = (
                    left.get_item(&key).unwrap_or_default(),
                    right.get_item(&key).unwrap_or_default(),
                );
                if right.is_undefined() || !equal(&left, &right, depth)? {
                    return Ok(false);
                }
            }
            true
        }
    })
}

/// Deep equality as functions need it.
pub(crate) fn same(left: &Value, right: &Value) -> Result<bool, Fault> {
    equal(left, right, MAX_DEPTH)
}

/// Numbers by value, texts by code point, arrays element by element; nothing else has an order.
pub(crate) fn order(left: &Value, right: &Value, operator: Operator) -> Result<Ordering, Fault> {
    ordering(left, right, MAX_DEPTH)?.ok_or_else(|| unsupported(operator, left, right))
}

fn ordering(left: &Value, right: &Value, depth: usize) -> Result<Option<Ordering>, Fault> {
    let depth = depth.checked_sub(1).ok_or(Fault::Limit { what: "nesting" })?;
    if let (Some(left), Some(right)) = (Number::of_value(left), Number::of_value(right)) {
        return Ok(left.order(right));
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(Some(left.cmp(right)));
    }
    if type_name(left) != "array" || type_name(right) != "array" {
        return Ok(None);
    }
    let (mut left, mut right) = (items(left)?, items(right)?);
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ok(Some(Ordering::Equal)),
            (None, Some(_)) => return Ok(Some(Ordering::Less)),
            (Some(_), None) => return Ok(Some(Ordering::Greater)),
            (Some(left), Some(right)) if equal(&left, &right, depth)? => {}
            (Some(left), Some(right)) => return ordering(&left, &right, depth),
        }
    }
}

/// Whether an array has the element, an object the key, or a text the part.
pub(crate) fn contains(container: &Value, part: &Value) -> Result<bool, Fault> {
    match (type_name(container), part.as_str()) {
        ("string", Some(part)) => Ok(container.as_str().is_some_and(|text| text.contains(part))),
        ("object", Some(key)) => Ok(!container.get_attr(key).unwrap_or_default().is_undefined()),
        ("array", _) => {
            for element in items(container)? {
                if same(&element, part)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (kind, _) => Err(Fault::evaluation(format!("{kind} cannot contain {}", type_name(part)))),
    }
}

/// A member, an element or a character; undefined where there is none.
pub(crate) fn item(_: &Evaluation, arguments: &[Value]) -> Result<Value, Fault> {
    let [base, key] = arguments else { return Err(Fault::evaluation("a member without a name")) };
    let found = match type_name(base) {
        "array" => {
            let index = key.as_i64().and_then(|index| position(index, base.len()?));
            index.and_then(|index| base.get_item_by_index(index).ok())
        }
        "string" => {
            let text = base.as_str().unwrap_or_default();
            key.as_i64().and_then(|index| character(text, index)).map(Value::from)
        }
        "object" => base.get_item(key).ok(),
        _ => None,
    };
    Ok(found.unwrap_or(Value::UNDEFINED))
}

/// A list literal.
pub(crate) fn list(_: &Evaluation, arguments: &[Value]) -> Result<Value, Fault> {
    Ok(Value::from(arguments.to_vec()))
}

/// A map literal: keys and values in turn.
pub(crate) fn map(_: &Evaluation, arguments: &[Value]) -> Result<Value, Fault> {
    let mut pairs = Vec::with_capacity(arguments.len() / 2);
    for pair in arguments.chunks_exact(2) {
        let key = pair[0]
            .as_str()
            .ok_or_else(|| Fault::evaluation("the keys of an object must be strings"))?;
        pairs.push((key, pair[1].clone()));
    }
    Ok(Value::from_pairs(pairs))
}

/// The minus sign.
pub(crate) fn negate(evaluation: &Evaluation, arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [value] if value.is_undefined() => evaluation.undefined(),
        [value] => match Number::of_value(value) {
            Some(number) => arithmetic(Operator::Subtract, Number::Int(0), number),
            None => Err(Fault::evaluation(format!("`-` does not apply to {}", type_name(value)))),
        },
        _ => Err(Fault::evaluation("`-` without an operand")),
    }
}

/// What is there, as it is.
pub(crate) fn defined(evaluation: &Evaluation, arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [value] if value.is_undefined() => evaluation.undefined(),
        [value] => Ok(value.clone()),
        _ => Err(Fault::evaluation("nothing to decide on")),
    }
}

/// Truthiness: null, false, 0, and whatever is empty are false.
pub(crate) fn truth(evaluation: &Evaluation, arguments: &[Value]) -> Result<Value, Fault> {
    match arguments {
        [value] if value.is_undefined() => evaluation.undefined().map(|_| Value::from(false)),
        [value] => Ok(Value::from(value.is_true())),
        _ => Err(Fault::evaluation("nothing to decide on")),
    }
}
