//! YAQL's grammar, as far as workflows use it.
//!
//! Operators bind as YAQL has it: members, signs, `=~`, `* / mod`, `+ -`, comparisons, `not`, `and`,
//! `or`. A bare name is text.

use super::names;
use super::vocabulary::{self, Given};
use crate::template::dialect::{Applied, Dialect};
use crate::template::error::Fault;
use crate::template::lexer::{Spotted, Token, tokens_of};
use crate::template::parser::{Parser, follow, literal, negated, whole};
use crate::template::path::Segment;
use crate::template::syntax::{Argument, Expr, Operator};
use serde_json::Value;

/// Longest first.
const MARKS: [&str; 28] = [
    "=>", "->", "==", "!=", "<=", ">=", "=~", "!~", "?.", "<", ">", "=", "+", "-", "*", "/", "%",
    "|", ".", ",", ":", "(", ")", "[", "]", "{", "}", "$",
];
/// Quotes around patterns.
const VERBATIM: char = '`';
/// Words that are no text.
const KEYWORDS: [&str; 5] = ["and", "or", "not", "in", "mod"];
/// How deep functions of elements may stand in each other's arguments.
const MAX_LAMBDAS: usize = 6;
/// How many members, calls and subscripts may follow one another.
const MAX_STEPS: usize = 40;

/// Nothing here is read by the rules that a dialect changes.
const PLAIN: Dialect = Dialect {
    call: |_, _| Ok(None),
    methods: &[],
    method: |_, name, _| Err(format!("there is no method `{name}`")),
    filter: |name| Applied::Filter(name),
    deciding: true,
};

/// Reads one expression, which must be all of `source`.
pub(super) fn parse(source: &str) -> Result<Expr, Fault> {
    whole(source, tokens, &PLAIN, |parser| parser.query())
}

fn tokens(source: &str) -> Result<Vec<Spotted>, Fault> {
    tokens_of(source, &MARKS, Some(VERBATIM))
}

impl Parser<'_> {
    fn query(&mut self) -> Result<Expr, Fault> {
        self.nested(Self::disjunction)
    }

    fn disjunction(&mut self) -> Result<Expr, Fault> {
        self.decision("or", Self::conjunction)
    }

    fn conjunction(&mut self) -> Result<Expr, Fault> {
        self.decision("and", Self::negation)
    }

    fn decision(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Result<Expr, Fault>,
    ) -> Result<Expr, Fault> {
        let mut operands = vec![operand(self)?];
        while self.word(word) {
            operands.push(operand(self)?);
            self.bounded(operands.len())?;
        }
        Ok(self.logic(word == "and", operands))
    }

    fn negation(&mut self) -> Result<Expr, Fault> {
        if self.word("not") {
            return self.nested(|parser| Ok(Expr::Not(Box::new(parser.negation()?))));
        }
        self.refuse_uncalled()?;
        let left = self.total()?;
        let Some(operator) = self.relation()? else { return Ok(left) };
        let right = self.total()?;
        if self.relation()?.is_some() {
            return Err(self.fault("comparisons do not stand in a row; join them with `and`"));
        }
        Ok(Expr::Chain { first: Box::new(left), rest: vec![(operator, right)] })
    }

    /// `succeeded and …` is always true, since a bare name is text; nobody means that.
    fn refuse_uncalled(&self) -> Result<(), Fault> {
        let alone = match self.peek_second() {
            None => true,
            Some(Token::Name(word)) => word == "and" || word == "or",
            Some(_) => false,
        };
        match self.peek() {
            Some(Token::Name(name)) if alone && names::is_function(name) => {
                Err(self.fault(format!("a function is called: `{name}()`")))
            }
            _ => Ok(()),
        }
    }

    fn relation(&mut self) -> Result<Option<Operator>, Fault> {
        if self.word("in") {
            return Ok(Some(Operator::In));
        }
        if matches!(self.peek_second(), Some(Token::Name(name)) if name == "in") && self.word("not")
        {
            return Ok(self.word("in").then_some(Operator::NotIn));
        }
        if matches!(self.peek(), Some(Token::Mark("=="))) {
            return Err(self.fault("equality is written `=` in YAQL"));
        }
        if self.mark("=") {
            return Ok(Some(Operator::Equal));
        }
        use Operator::{Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        Ok(self.operator(&[NotEqual, LessOrEqual, GreaterOrEqual, Less, Greater]))
    }

    fn total(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::term, |parser| parser.operator(&[Operator::Unite, Operator::Subtract]))
    }

    fn term(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::matching, |parser| {
            if parser.word("mod") {
                return Some(Operator::Modulo);
            }
            parser.operator(&[Operator::Multiply, Operator::Quotient])
        })
    }

    fn matching(&mut self) -> Result<Expr, Fault> {
        let text = self.sign()?;
        let negated = self.mark("!~");
        if !negated && !self.mark("=~") {
            return Ok(text);
        }
        let pattern = self.sign()?;
        let found = vocabulary::engine("regex_search", vec![text, pattern]);
        Ok(if negated { Expr::Not(Box::new(found)) } else { found })
    }

    fn sign(&mut self) -> Result<Expr, Fault> {
        if self.mark("-") {
            let operand = self.nested(Self::sign)?;
            return Ok(match &operand {
                Expr::Literal(Value::Number(number)) => negated(number)
                    .map(|number| Expr::Literal(Value::Number(number)))
                    .unwrap_or_else(|| Expr::Negate(Box::new(operand))),
                _ => Expr::Negate(Box::new(operand)),
            });
        }
        if self.mark("+") {
            return self.nested(Self::sign);
        }
        let atom = self.atom()?;
        self.steps(atom)
    }

    fn atom(&mut self) -> Result<Expr, Fault> {
        match self.peek().cloned() {
            Some(Token::Number(number)) => Ok(self.taken(Expr::Literal(Value::Number(number)))),
            Some(Token::Text(text)) => Ok(self.taken(Expr::Literal(Value::String(text)))),
            Some(Token::Name(name)) if !KEYWORDS.contains(&name.as_str()) => self.bare(name),
            Some(Token::Mark("(")) => {
                self.next();
                let inner = self.query()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Mark("[")) => {
                self.next();
                let list = list(self.sequence("]", Self::query)?);
                if let Expr::List(items) = &list {
                    self.bounded(items.len())?;
                }
                Ok(list)
            }
            Some(Token::Mark("{")) => {
                self.next();
                let entries = self.sequence("}", |parser| {
                    let key = parser.query()?;
                    parser.expect("=>")?;
                    Ok((key, parser.query()?))
                })?;
                self.bounded(entries.len())?;
                Ok(Expr::Map(entries))
            }
            Some(Token::Mark("$")) => self.element(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn taken(&mut self, expr: Expr) -> Expr {
        self.next();
        expr
    }

    fn element(&mut self) -> Result<Expr, Fault> {
        if !self.lambdas.contains(&true) {
            return Err(self.fault(
                "`$` is the element in a function of elements such as `where($ > 1)`; variables are \
                 `ctx().name`",
            ));
        }
        Ok(self.taken(Expr::Element))
    }

    /// A constant, a call, or a text without quotes.
    fn bare(&mut self, name: String) -> Result<Expr, Fault> {
        if matches!(self.peek_second(), Some(Token::Mark("("))) {
            let offset = self.offset();
            self.next();
            return self.call_of(None, &name, offset);
        }
        let constant = match name.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "True" | "False" | "None" => {
                return Err(self.fault(format!(
                    "`{name}` is text in YAQL; write `true`, `false` or `null`, or quote it"
                )));
            }
            _ => Value::String(name),
        };
        Ok(self.taken(Expr::Literal(constant)))
    }

    fn steps(&mut self, mut expr: Expr) -> Result<Expr, Fault> {
        for _ in 0..MAX_STEPS {
            if self.mark("?.") {
                let name = self.name("the name of a member")?;
                if matches!(self.peek(), Some(Token::Mark("("))) {
                    return Err(self.fault("`?.` is followed by a member, not by a call"));
                }
                expr = vocabulary::engine("yaql_member", vec![expr, text(name)]);
            } else if self.mark(".") {
                let offset = self.offset();
                let name = self.name("the name of a member or a method")?;
                expr = if matches!(self.peek(), Some(Token::Mark("("))) {
                    self.call_of(Some(expr), &name, offset)?
                } else {
                    follow(expr, Segment::name(&name), Value::String(name))
                };
            } else if self.mark("[") {
                expr = self.subscripted(expr)?;
            } else {
                return Ok(expr);
            }
        }
        Err(self.fault("too many members in a row"))
    }

    /// `base[key]`, or `base[key, default]`.
    fn subscripted(&mut self, base: Expr) -> Result<Expr, Fault> {
        let mut keys = self.sequence("]", Self::query)?;
        Ok(match (keys.pop(), keys.pop(), keys.is_empty()) {
            (Some(default), Some(key), true) => {
                vocabulary::engine("yaql_get", vec![base, key, default])
            }
            (Some(Expr::Literal(Value::String(key))), None, _) => {
                follow(base, Segment::Key(key.clone()), Value::String(key))
            }
            (Some(Expr::Literal(Value::Number(number))), None, _) if number.is_i64() => {
                let index = number.as_i64().unwrap_or_default();
                follow(base, Segment::Index(index), number.into())
            }
            (Some(key), None, _) => Expr::Item { base: Box::new(base), key: Box::new(key) },
            _ => return Err(self.unexpected("a key or an index")),
        })
    }

    /// A call of a function, or of a method of `receiver`, whose name stands at `offset`.
    fn call_of(
        &mut self,
        receiver: Option<Expr>,
        name: &str,
        offset: usize,
    ) -> Result<Expr, Fault> {
        if let Some(message) = vocabulary::stranger(name, receiver.is_some()) {
            return Err(self.fault_at(offset, message));
        }
        let row = vocabulary::find(name, receiver.is_some());
        let bound = row.is_some_and(vocabulary::Row::binds_element);
        if self.lambdas.len() == MAX_LAMBDAS {
            return Err(self.fault_at(offset, "functions are nested too deeply"));
        }
        let lazy = row.is_some_and(vocabulary::Row::is_lazy);
        self.expect("(")?;
        if lazy {
            self.lambdas.push(bound);
        }
        let given = self.sequence(")", |parser| {
            let value = parser.query()?;
            if parser.mark("=>") {
                return Ok(Given { key: Some(value), value: parser.query()? });
            }
            Ok(Given { key: None, value })
        })?;
        if lazy {
            self.lambdas.pop();
        }
        self.bounded(given.len())?;
        vocabulary::call(name, row, receiver, given)
            .map_err(|message| self.fault_at(offset, message))
    }
}

fn text(name: String) -> Expr {
    Expr::Literal(Value::String(name))
}

/// A list; one of literals is a literal itself.
pub(super) fn list(items: Vec<Expr>) -> Expr {
    match items.iter().map(literal).collect() {
        Some(literals) => Expr::Literal(Value::Array(literals)),
        None => Expr::List(items),
    }
}

/// Arguments without keywords.
pub(super) fn positional(values: Vec<Expr>) -> Vec<Argument> {
    values.into_iter().map(|value| Argument { keyword: None, value }).collect()
}
