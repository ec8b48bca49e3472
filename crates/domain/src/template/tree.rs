//! A JSON value with expressions in its strings.

use super::budget::Budget;
use super::deferred::Rendered;
use super::error::Error;
use super::expression::Expression;
use super::path::Path;
use super::scope::{Mode, Scope};
use super::text::{self, Part};
use super::{error::Fault, value};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// A JSON value whose strings may hold expressions, ready to be rendered any number of times.
#[derive(Clone, Debug)]
pub struct Template {
    node: Node,
}

/// A path that a template looks at, and for which part of its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// JSON pointer of the string whose value depends on the path.
    pub at: String,
    /// What it looks at.
    pub path: Path,
}

impl Reference {
    /// The root that the path starts from.
    pub fn root(&self) -> &str {
        self.path.root()
    }
}

/// A brace as an expression, for text that is going to be read as a template once more.
const OPEN: &str = "{{ '{' }}";

#[derive(Clone, Debug)]
enum Node {
    /// Without any expression below it.
    Literal(Value),
    /// A string that is one expression.
    Whole {
        original: String,
        expression: Embedded,
    },
    /// A string with expressions in it.
    Text(Vec<Piece>),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A part of a string.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// Text that stands for itself.
    Literal(String),
    /// An expression.
    Expression(Embedded),
}

/// How a string is taken to pieces.
type Split = fn(&str) -> Vec<Piece>;

/// An expression as it stands in a text.
#[derive(Clone, Debug)]
pub(crate) struct Embedded {
    /// What stands between the braces.
    inner: String,
    /// Whether the text has it in another spelling than `inner`.
    respelled: bool,
    /// What it means, or why it means nothing.
    expression: Result<Expression, Error>,
    /// The same as classic rules read it: dots between names of any characters, `headers.user-agent`.
    plain: Option<Path>,
}

impl Template {
    /// Reads a template. Text that is no expression is found by [`Self::check`], and when it is rendered
    /// strictly; leniently it counts as missing.
    pub fn parse(template: &Value) -> Self {
        Self::of(template, pieces)
    }

    /// Reads a template of strings that are taken to pieces in this way.
    pub(crate) fn of(template: &Value, split: Split) -> Self {
        Self { node: Node::parse(template, split) }
    }

    /// The expressions that cannot be read, each with the dotted path of its key.
    pub fn check(&self) -> Result<(), Vec<Error>> {
        let mut errors = Vec::new();
        self.node.visit(&mut Vec::new(), &mut |at, embedded| {
            if let Err(error) = &embedded.expression {
                errors.push(error.clone().at(&at.join(".")));
            }
        });
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Whether there is no expression in it at all.
    pub fn is_literal(&self) -> bool {
        matches!(self.node, Node::Literal(_))
    }

    /// Every path that it looks at, in the order of its keys.
    pub fn references(&self) -> Vec<Reference> {
        let mut references = Vec::new();
        self.node.visit(&mut Vec::new(), &mut |at, embedded| {
            if let Ok(expression) = &embedded.expression {
                let at = pointer(at);
                references.extend(
                    expression
                        .paths()
                        .into_iter()
                        .map(|path| Reference { at: at.clone(), path: path.clone() }),
                );
            }
        });
        references
    }

    /// Where an expression looks at one of these roots and at something else besides, so that nobody who knows only
    /// the one or only the other can evaluate it.
    pub fn mixing(&self, roots: &[&str]) -> Vec<String> {
        let mut mixing = Vec::new();
        self.node.visit(&mut Vec::new(), &mut |at, embedded| {
            let Ok(expression) = &embedded.expression else { return };
            let paths = expression.paths();
            let ones = paths.iter().filter(|path| roots.contains(&path.root())).count();
            if ones > 0 && ones < paths.len() {
                mixing.push(pointer(at));
            }
        });
        mixing
    }

    /// Renders it. Expressions that touch a deferred root of the scope stay as they are written; see
    /// [`Self::render_for_later`] for a way to tell them from text that only looks like them.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        self.render_for_later(scope).map(|rendered| rendered.value)
    }

    /// Renders it and says which strings still hold expressions of deferred roots.
    ///
    /// A payload may well contain `{{ keystore.password }}`. Only the strings named here came from the
    /// template's author; a later reader must not evaluate any others.
    pub fn render_for_later(&self, scope: &Scope<'_>) -> Result<Rendered, Error> {
        let mut rendering =
            Rendering { scope, budget: Arc::default(), at: Vec::new(), deferred: Vec::new() };
        let value = rendering.node(&self.node)?;
        Ok(Rendered { value, deferred: rendering.deferred })
    }
}

/// The JSON pointer of a place.
pub(crate) fn pointer(at: &[Cow<'_, str>]) -> String {
    at.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// The pieces of a string in which `{{ … }}` is live.
fn pieces(text: &str) -> Vec<Piece> {
    let pieces = text::parts(text).into_iter().map(|part| match part {
        Part::Literal(literal) => Piece::Literal(literal.to_owned()),
        Part::Expression(inner) => Piece::Expression(Embedded::parse(inner)),
    });
    pieces.collect()
}

impl Node {
    fn parse(template: &Value, split: Split) -> Self {
        let node = match template {
            Value::String(text) => Self::parse_text(text, split),
            Value::Array(items) => {
                Self::Array(items.iter().map(|item| Self::parse(item, split)).collect())
            }
            Value::Object(map) => Self::Object(
                map.iter().map(|(key, item)| (key.clone(), Self::parse(item, split))).collect(),
            ),
            _ => Self::Literal(template.clone()),
        };
        let literal = match &node {
            Self::Array(items) => items.iter().all(|item| matches!(item, Self::Literal(_))),
            Self::Object(items) => items.iter().all(|(_, item)| matches!(item, Self::Literal(_))),
            _ => false,
        };
        if literal { Self::Literal(template.clone()) } else { node }
    }

    fn parse_text(text: &str, split: Split) -> Self {
        let mut pieces = split(text);
        let expressions =
            pieces.iter().filter(|piece| matches!(piece, Piece::Expression(_))).count();
        let blank = |piece: &Piece| match piece {
            Piece::Literal(literal) => literal.trim().is_empty(),
            Piece::Expression(_) => true,
        };
        if expressions == 1 && pieces.iter().all(blank) {
            pieces.retain(|piece| matches!(piece, Piece::Expression(_)));
        }
        match (expressions, pieces.pop()) {
            (1, Some(Piece::Expression(expression))) if pieces.is_empty() => {
                Self::Whole { original: text.to_owned(), expression }
            }
            (1.., Some(last)) => {
                pieces.push(last);
                Self::Text(pieces)
            }
            _ => Self::Literal(Value::String(text.to_owned())),
        }
    }

    fn visit<'n>(
        &'n self,
        at: &mut Vec<Cow<'n, str>>,
        see: &mut dyn FnMut(&[Cow<'_, str>], &'n Embedded),
    ) {
        match self {
            Self::Literal(_) => {}
            Self::Whole { expression, .. } => see(at, expression),
            Self::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Expression(expression) = piece {
                        see(at, expression);
                    }
                }
            }
            Self::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    at.push(Cow::Owned(index.to_string()));
                    item.visit(at, see);
                    at.pop();
                }
            }
            Self::Object(items) => {
                for (key, item) in items {
                    at.push(Cow::Borrowed(key));
                    item.visit(at, see);
                    at.pop();
                }
            }
        }
    }
}

impl Embedded {
    fn parse(inner: &str) -> Self {
        let inner = inner.trim();
        let expression = Expression::parse(&format!("{{{{{inner}}}}}"));
        let is_path = expression.as_ref().is_ok_and(Expression::is_path);
        let plain =
            !is_path && !inner.contains(|c: char| c.is_whitespace() || "\"'()[]{}|,".contains(c));
        Self {
            inner: inner.to_owned(),
            expression,
            plain: plain.then(|| Path::dotted(inner)).flatten(),
            respelled: false,
        }
    }

    /// An expression that was read already. `inner` is what a later reader of this language is left to
    /// read, if it comes to that.
    pub(crate) fn of(
        inner: String,
        respelled: bool,
        expression: Result<Expression, Error>,
    ) -> Self {
        Self { inner, respelled, expression, plain: None }
    }

    /// Its value; `None` where it is missing and the scope is lenient.
    fn value<'s>(
        &'s self,
        scope: &'s Scope<'_>,
        budget: &Arc<Budget>,
    ) -> Result<Option<Cow<'s, Value>>, Error> {
        if scope.mode() == Mode::Lenient {
            if let Some(found) = self.plain.as_ref().and_then(|plain| plain.resolve(scope)) {
                return Ok(Some(found));
            }
            let Ok(expression) = &self.expression else { return Ok(None) };
            return expression.value(scope, budget);
        }
        self.expression.as_ref().map_err(Error::clone)?.value(scope, budget)
    }

    fn is_deferred(&self, scope: &Scope<'_>) -> bool {
        self.expression.as_ref().is_ok_and(|expression| expression.is_deferred(scope))
    }
}

/// One rendering under way.
struct Rendering<'r, 's> {
    scope: &'r Scope<'s>,
    budget: Arc<Budget>,
    at: Vec<Cow<'r, str>>,
    deferred: Vec<String>,
}

impl<'r> Rendering<'r, '_> {
    fn node(&mut self, node: &'r Node) -> Result<Value, Error> {
        Ok(match node {
            Node::Literal(value) => value.clone(),
            Node::Whole { original, expression } => {
                if expression.is_deferred(self.scope) {
                    self.deferred.push(pointer(&self.at));
                    let respelled = || format!("{{{{ {} }}}}", expression.inner);
                    let left = expression.respelled.then(respelled);
                    return Ok(Value::String(left.unwrap_or_else(|| original.clone())));
                }
                let found =
                    self.located(expression.value(self.scope, &self.budget))?.unwrap_or_default();
                self.charge(&expression.inner, size(&found))?;
                found.into_owned()
            }
            Node::Text(pieces) => Value::String(self.text(pieces)?),
            Node::Array(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    self.at.push(Cow::Owned(index.to_string()));
                    rendered.push(self.node(item)?);
                    self.at.pop();
                }
                Value::Array(rendered)
            }
            Node::Object(items) => {
                let mut rendered = serde_json::Map::new();
                for (key, item) in items {
                    self.at.push(Cow::Borrowed(key));
                    rendered.insert(key.clone(), self.node(item)?);
                    self.at.pop();
                }
                Value::Object(rendered)
            }
        })
    }

    fn text(&mut self, pieces: &'r [Piece]) -> Result<String, Error> {
        let is_deferred = |piece: &Piece| match piece {
            Piece::Literal(_) => false,
            Piece::Expression(expression) => expression.is_deferred(self.scope),
        };
        let for_later = self.scope.has_deferred() && pieces.iter().any(is_deferred);
        if for_later {
            self.deferred.push(pointer(&self.at));
        }
        let mut text = String::new();
        for piece in pieces {
            match piece {
                // What stands for itself must do so for the later reader, too.
                Piece::Literal(literal)
                    if for_later && (literal.contains("{{") || literal.ends_with('{')) =>
                {
                    text.push_str(&literal.replace('{', OPEN));
                }
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Expression(expression)
                    if for_later && expression.is_deferred(self.scope) =>
                {
                    text.push_str("{{ ");
                    text.push_str(&expression.inner);
                    text.push_str(" }}");
                }
                Piece::Expression(expression) => {
                    let found = self
                        .located(expression.value(self.scope, &self.budget))?
                        .unwrap_or_default();
                    self.charge(&expression.inner, size(&found))?;
                    if for_later {
                        // This string is going to be read as a template again; the value is not one.
                        let mut value = String::new();
                        value::into_text(&found, &mut value);
                        text.push_str(&value.replace('{', OPEN));
                    } else {
                        value::into_text(&found, &mut text);
                    }
                }
            }
        }
        Ok(text)
    }

    fn charge(&self, inner: &str, bytes: usize) -> Result<(), Error> {
        self.located(self.budget.spend_output(bytes).map_err(|fault: Fault| fault.of(inner)))
    }

    fn located<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| error.at(&self.at.join(".")))
    }
}

/// Roughly the bytes a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 8,
        Value::Object(map) => {
            map.iter().map(|(key, item)| key.len() + size(item)).sum::<usize>() + 8
        }
    }
}
