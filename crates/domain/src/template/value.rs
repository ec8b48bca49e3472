//! JSON to the engine's values and back, counting the work.

use super::budget::Budget;
use super::error::Fault;
use super::number::Number;
use minijinja::Value as Computed;
use minijinja::value::ValueKind;
use serde_json::Value;

/// How deep a computed value may nest.
const MAX_DEPTH: usize = 100;

/// The engine's copy of a value.
pub(crate) fn from_json(json: &Value, budget: &Budget) -> Result<Computed, Fault> {
    budget.spend(1)?;
    Ok(match json {
        Value::Null => Computed::from(()),
        Value::Bool(flag) => Computed::from(*flag),
        Value::Number(number) => match Number::of_json(number) {
            Number::Int(int) => int_value(int),
            Number::Float(float) => Computed::from(float),
        },
        Value::String(text) => {
            budget.spend_read(text.len())?;
            Computed::from(text.as_str())
        }
        Value::Array(items) => Computed::from(
            items.iter().map(|item| from_json(item, budget)).collect::<Result<Vec<_>, _>>()?,
        ),
        Value::Object(map) => {
            let mut pairs = Vec::with_capacity(map.len());
            for (key, item) in map {
                budget.spend_read(key.len())?;
                pairs.push((key.as_str(), from_json(item, budget)?));
            }
            Computed::from_pairs(pairs)
        }
    })
}

/// The engine's integer, in its smallest form.
pub(crate) fn int_value(int: i128) -> Computed {
    i64::try_from(int).map_or_else(|_| Computed::from(int), Computed::from)
}

/// A computed value as JSON. `strict` makes undefined parts an error; otherwise they are null.
pub(crate) fn to_json(computed: &Computed, strict: bool, budget: &Budget) -> Result<Value, Fault> {
    to_json_within(computed, strict, budget, MAX_DEPTH)
}

fn to_json_within(
    computed: &Computed,
    strict: bool,
    budget: &Budget,
    depth: usize,
) -> Result<Value, Fault> {
    budget.spend(1)?;
    let depth = depth.checked_sub(1).ok_or(Fault::Limit { what: "nesting" })?;
    Ok(match computed.kind() {
        ValueKind::Undefined if strict => return Err(Fault::Undefined { path: None }),
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(computed.is_true()),
        ValueKind::Number => number_to_json(computed)?,
        ValueKind::String => {
            let text = computed.as_str().unwrap_or_default();
            budget.spend_output(text.len())?;
            Value::String(text.to_owned())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = items(computed)?;
            Value::Array(
                items
                    .map(|item| to_json_within(&item, strict, budget, depth))
                    .collect::<Result<_, _>>()?,
            )
        }
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in items(computed)? {
                let item = computed
                    .get_item(&key)
                    .map_err(|_| Fault::evaluation("a member cannot be read"))?;
                let name = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                budget.spend_output(name.len())?;
                map.insert(name, to_json_within(&item, strict, budget, depth)?);
            }
            Value::Object(map)
        }
        _ => return Err(Fault::evaluation("the result has no form in JSON")),
    })
}

/// The elements of a list or the keys of an object.
pub(crate) fn items(computed: &Computed) -> Result<impl Iterator<Item = Computed> + use<>, Fault> {
    computed
        .try_iter()
        .map_err(|_| Fault::evaluation(format!("{} has no elements", type_name(computed))))
}

fn number_to_json(computed: &Computed) -> Result<Value, Fault> {
    let number = match Number::of_value(computed) {
        Some(Number::Int(int)) => i64::try_from(int)
            .map(serde_json::Number::from)
            .or_else(|_| u64::try_from(int).map(serde_json::Number::from))
            .ok()
            .or_else(|| serde_json::Number::from_f64(int as f64)),
        Some(Number::Float(float)) => serde_json::Number::from_f64(float),
        None => None,
    };
    number.map(Value::Number).ok_or_else(|| Fault::evaluation("the result is not a finite number"))
}

/// What `type_of` answers.
pub(crate) fn type_name(computed: &Computed) -> &'static str {
    match computed.kind() {
        ValueKind::Undefined | ValueKind::None => "null",
        ValueKind::Bool => "bool",
        ValueKind::Number => "number",
        ValueKind::String => "string",
        ValueKind::Seq | ValueKind::Iterable => "array",
        _ => "object",
    }
}

/// Charges for looking at all of a value.
pub(crate) fn spend_on(computed: &Computed, budget: &Budget) -> Result<(), Fault> {
    spend_within(computed, budget, MAX_DEPTH)
}

fn spend_within(computed: &Computed, budget: &Budget, depth: usize) -> Result<(), Fault> {
    budget.spend(1)?;
    let depth = depth.checked_sub(1).ok_or(Fault::Limit { what: "nesting" })?;
    match computed.kind() {
        ValueKind::String => budget.spend_read(computed.as_str().map_or(0, str::len)),
        ValueKind::Seq | ValueKind::Iterable => {
            items(computed)?.try_for_each(|item| spend_within(&item, budget, depth))
        }
        ValueKind::Map => items(computed)?.try_for_each(|key| {
            let item = computed.get_item(&key).unwrap_or_default();
            spend_within(&item, budget, depth)
        }),
        _ => Ok(()),
    }
}

/// A value inside text: strings raw, null and undefined empty, composites compact JSON.
pub(crate) fn into_text(json: &Value, text: &mut String) {
    match json {
        Value::Null => {}
        Value::String(string) => text.push_str(string),
        other => text.push_str(&other.to_string()),
    }
}
