//! JSON to conditions.

use super::error::{Error, Fault};
use super::field::Field;
use super::operator::{Name, Operator};
use super::term::{Search, Term, Test};
use super::{Node, translate};
use crate::template::{Expression, Template, contains_template};
use serde_json::{Map, Value};

/// How deep conditions may nest.
const MAX_DEPTH: usize = 32;

/// Reads a whole condition.
pub(super) fn condition(condition: &Value) -> Result<Node, Error> {
    Reader { at: Vec::new() }.form(condition, false)
}

/// A criterion's field, its operator, the operator as it is written, and the map both stand in.
type Criterion<'v> = (Field, Name, &'v str, &'v Map<String, Value>);

struct Reader {
    at: Vec<String>,
}

impl Reader {
    fn fault<T>(&self, fault: Fault) -> Result<T, Error> {
        Err(fault.at(&self.at))
    }

    fn within<T>(
        &mut self,
        step: impl ToString,
        read: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.at.push(step.to_string());
        let read = read(self);
        self.at.pop();
        read
    }

    /// Any form. A single term is one only inside of another form.
    fn form(&mut self, form: &Value, nested: bool) -> Result<Node, Error> {
        if self.at.len() > MAX_DEPTH {
            return self.fault(Fault::Shape);
        }
        match form {
            Value::Null => Ok(Node::Always),
            Value::Array(parts) => self.parts(parts).map(all),
            Value::Object(map) if map.is_empty() => Ok(Node::Always),
            Value::Object(map) if map.contains_key("expression") => self.expression(map),
            Value::Object(map)
                if map.keys().all(|key| matches!(key.as_str(), "all" | "any" | "not")) =>
            {
                self.groups(map)
            }
            Value::Object(map) if nested && map.contains_key("field") => self.term(map),
            Value::Object(map)
                if map
                    .keys()
                    .all(|key| Field::parse_criterion(key, Field::EVENT_ROOTS).is_some()) =>
            {
                self.criteria(map)
            }
            _ => self.fault(Fault::Shape),
        }
    }

    fn parts(&mut self, parts: &[Value]) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            nodes.push(self.within(at, |reader| reader.form(part, true))?);
        }
        Ok(nodes)
    }

    fn groups(&mut self, map: &Map<String, Value>) -> Result<Node, Error> {
        let mut nodes = Vec::with_capacity(map.len());
        for (key, group) in map {
            nodes.push(self.within(key, |reader| match (key.as_str(), group) {
                ("not", group) => Ok(Node::Not(Box::new(reader.form(group, true)?))),
                ("any", Value::Array(parts)) => reader.parts(parts).map(Node::Any),
                (_, Value::Array(parts)) => reader.parts(parts).map(all),
                _ => reader.fault(Fault::Key {
                    key: if key == "any" { "any" } else { "all" },
                    wanted: "a list",
                }),
            })?);
        }
        Ok(all(nodes))
    }

    fn expression(&mut self, map: &Map<String, Value>) -> Result<Node, Error> {
        let Some(text) = map.get("expression").and_then(Value::as_str) else {
            return self.fault(Fault::Key { key: "expression", wanted: "a string" });
        };
        match Expression::parse(text) {
            Ok(expression) => Ok(translate::expression(expression)),
            Err(error) => self.fault(Fault::Expression(error)),
        }
    }

    fn term(&mut self, map: &Map<String, Value>) -> Result<Node, Error> {
        let Some(field) = map.get("field").and_then(Value::as_str).and_then(Field::parse) else {
            return self.fault(Fault::Key { key: "field", wanted: "a dotted path" });
        };
        let Some(written) = map.get("operator").and_then(Value::as_str) else {
            return self.fault(Fault::Key { key: "operator", wanted: "the name of an operator" });
        };
        let name = self.name(written)?;
        let value = map.get("value").unwrap_or(&Value::Null);
        let operator = self.operator(name, written, value, map)?;
        Ok(Node::Term(Box::new(Term { field, test: Test::Fixed(operator) })))
    }

    fn name(&self, written: &str) -> Result<Name, Error> {
        Name::parse(written).ok_or_else(|| Fault::Operator(written.to_owned()).at(&self.at))
    }

    /// StackStorm's form: payload lookups to `{type, pattern}`, all of which must hold.
    fn criteria(&mut self, map: &Map<String, Value>) -> Result<Node, Error> {
        let mut nodes = Vec::with_capacity(map.len());
        for (key, criterion) in map {
            nodes.push(self.within(key, |reader| {
                let (field, name, written, criterion) =
                    reader.criterion(key, Field::EVENT_ROOTS, criterion)?;
                let pattern = criterion.get("pattern").unwrap_or(&Value::Null);
                let templated =
                    name != Name::Search && pattern.as_str().is_some_and(contains_template);
                let test = if templated {
                    let operand = Template::parse(pattern);
                    operand
                        .check()
                        .map_err(|mut errors| Fault::Expression(errors.remove(0)).at(&reader.at))?;
                    Test::Templated { name, operand }
                } else {
                    Test::Fixed(reader.pattern(name, written, pattern, criterion)?)
                };
                Ok(Node::Term(Box::new(Term { field, test })))
            })?);
        }
        Ok(all(nodes))
    }

    fn criterion<'v>(
        &self,
        key: &str,
        roots: &[&str],
        criterion: &'v Value,
    ) -> Result<Criterion<'v>, Error> {
        let Some(field) = Field::parse_criterion(key, roots) else {
            return self.fault(Fault::Shape);
        };
        let Some(map) = criterion.as_object() else { return self.fault(Fault::Shape) };
        let Some(written) = map.get("type").and_then(Value::as_str) else {
            return self.fault(Fault::Key { key: "type", wanted: "the name of an operator" });
        };
        Ok((field, self.name(written)?, written, map))
    }

    fn pattern(
        &mut self,
        name: Name,
        written: &str,
        pattern: &Value,
        criterion: &Map<String, Value>,
    ) -> Result<Operator, Error> {
        if pattern.is_null() && !name.admits_null() {
            return Ok(Operator::Never);
        }
        self.operator(name, written, pattern, criterion)
    }

    /// The operator with its operand; `map` is what both stand in.
    fn operator(
        &mut self,
        name: Name,
        written: &str,
        operand: &Value,
        map: &Map<String, Value>,
    ) -> Result<Operator, Error> {
        if name != Name::Search {
            return name.with(operand, written).map_err(|fault| fault.at(&self.at));
        }
        let (every_item, every_criterion) = match map.get("condition").and_then(Value::as_str) {
            Some("any") => (false, true),
            Some("all") => (true, true),
            Some("any2any") => (false, false),
            Some("all2any") => (true, false),
            _ => {
                return self.fault(Fault::Key {
                    key: "condition",
                    wanted: "`any`, `all`, `any2any` or `all2any`",
                });
            }
        };
        let Some(items) = operand.as_object() else {
            return self.fault(Fault::Operand {
                operator: written.to_owned(),
                wanted: "criteria of items",
            });
        };
        if self.at.len() > MAX_DEPTH {
            return self.fault(Fault::Shape);
        }
        let mut criteria = Vec::with_capacity(items.len());
        for (key, criterion) in items {
            criteria.push(self.within(key, |reader| {
                let (field, name, written, criterion) =
                    reader.criterion(key, Field::ITEM_ROOTS, criterion)?;
                let pattern = criterion.get("pattern").unwrap_or(&Value::Null);
                Ok((field, reader.pattern(name, written, pattern, criterion)?))
            })?);
        }
        Ok(Operator::Search(Search { every_item, every_criterion, criteria }))
    }
}

/// All of these.
fn all(mut nodes: Vec<Node>) -> Node {
    match nodes.len() {
        0 => Node::Always,
        1 => nodes.remove(0),
        _ => Node::All(nodes),
    }
}
