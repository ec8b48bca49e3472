//! Tokens to an expression: Jinja's grammar for expressions, which the classic one is a part of.
//!
//! The grammar is read here and not by minijinja because classic expressions must keep their results
//! (`and` answers booleans, `/` is exact where it can be, `items.0.x` is a path); see [`super::lower`].

use super::dialect::{Applied, CLASSIC, Dialect};
use super::error::Fault;
use super::functions;
use super::lexer::{Spotted, Token, syntax, tokens};
use super::path::{Path, Segment};
use super::syntax::{Argument, Expr, Operator};
use serde_json::{Number, Value};

/// How deep brackets, calls, filters and alternatives may nest.
const MAX_DEPTH: usize = 40;
/// How deep what was read may be: filters and members in a row lie in each other, too.
const MAX_TREE: usize = 64;
/// How long one expression may be, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// How many operands, arguments or elements may stand in a row. Literal lists may be longer.
const MAX_WIDTH: usize = 500;
/// What both of these bounds say.
const TOO_DEEP: &str = "the expression is nested too deeply";
/// Words that are no names.
const KEYWORDS: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];

/// Reads one expression, which must be all of `source`.
pub(crate) fn parse(source: &str) -> Result<Expr, Fault> {
    parse_dialect(source, &CLASSIC)
}

/// Reads one expression of a relative of the language.
pub(crate) fn parse_dialect(source: &str, dialect: &'static Dialect) -> Result<Expr, Fault> {
    whole(source, tokens, dialect, |parser| parser.expression())
}

/// Reads all of `source` with these tokens and this rule of grammar, within the bounds on length.
pub(crate) fn whole(
    source: &str,
    tokens: fn(&str) -> Result<Vec<Spotted>, Fault>,
    dialect: &'static Dialect,
    rule: fn(&mut Parser<'_>) -> Result<Expr, Fault>,
) -> Result<Expr, Fault> {
    if source.len() > MAX_LENGTH {
        return Err(syntax(source, 0, format!("the expression is longer than {MAX_LENGTH} bytes")));
    }
    let tokens = tokens(source)?;
    let mut parser = Parser { source, tokens, at: 0, depth: 0, dialect, lambdas: Vec::new() };
    if parser.tokens.is_empty() {
        return Err(syntax(source, 0, "the expression is empty"));
    }
    let expr = rule(&mut parser)?;
    match parser.peek() {
        Some(_) => Err(parser.unexpected("the end of the expression")),
        None if expr.depth() > MAX_TREE => Err(syntax(source, 0, TOO_DEEP)),
        None => Ok(expr),
    }
}

/// Tokens being read, and the rules of Jinja's grammar; a relative adds rules of its own.
pub(crate) struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Spotted>,
    at: usize,
    depth: usize,
    dialect: &'static Dialect,
    /// The arguments around this place that their function evaluates itself, and whether each has an
    /// element; only a relative knows such functions.
    pub(crate) lambdas: Vec<bool>,
}

impl Parser<'_> {
    /// The next token.
    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// The token after the next one.
    pub(crate) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1).map(|(token, _)| token)
    }

    /// Goes past the next token and answers it.
    pub(crate) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).map(|(token, _)| token.clone());
        self.at += usize::from(token.is_some());
        token
    }

    /// Where the next token begins, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.source.len(), |(_, offset)| *offset)
    }

    /// A syntax error at the next token.
    pub(crate) fn fault(&self, message: impl Into<String>) -> Fault {
        self.fault_at(self.offset(), message)
    }

    /// A syntax error at this offset.
    pub(crate) fn fault_at(&self, offset: usize, message: impl Into<String>) -> Fault {
        syntax(self.source, offset, message)
    }

    /// A syntax error that says what the next token should have been.
    pub(crate) fn unexpected(&self, wanted: &str) -> Fault {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(Token::Name(name)) => format!("`{name}`"),
            Some(Token::Number(number)) => format!("`{number}`"),
            Some(Token::Text(_)) => "a text".to_owned(),
            Some(Token::Mark(mark)) => format!("`{mark}`"),
        };
        self.fault(format!("expected {wanted}, found {found}"))
    }

    /// Goes past this mark, if it is next.
    pub(crate) fn mark(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Mark(next)) if *next == mark);
        self.at += usize::from(found);
        found
    }

    /// Goes past this word, if it is next.
    pub(crate) fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(next)) if next == word);
        self.at += usize::from(found);
        found
    }

    /// Goes past this mark, which must be next.
    pub(crate) fn expect(&mut self, mark: &str) -> Result<(), Fault> {
        if self.mark(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    /// Goes past a name, which must be next.
    pub(crate) fn name(&mut self, wanted: &str) -> Result<String, Fault> {
        match self.peek() {
            Some(Token::Name(name)) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    /// Reads what is one level deeper.
    pub(crate) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(self.fault(TOO_DEEP));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Refuses more parts in a row than there may be.
    pub(crate) fn bounded(&self, width: usize) -> Result<(), Fault> {
        if width > MAX_WIDTH { Err(self.fault("too many parts in a row")) } else { Ok(()) }
    }

    fn expression(&mut self) -> Result<Expr, Fault> {
        self.nested(Self::alternative)
    }

    fn alternative(&mut self) -> Result<Expr, Fault> {
        let then = self.or()?;
        if !self.word("if") {
            return Ok(then);
        }
        let test = self.or()?;
        let otherwise = if self.word("else") { Some(Box::new(self.expression()?)) } else { None };
        Ok(Expr::If { test: Box::new(test), then: Box::new(then), otherwise })
    }

    fn or(&mut self) -> Result<Expr, Fault> {
        let mut operands = vec![self.and()?];
        while self.word("or") {
            operands.push(self.and()?);
            self.bounded(operands.len())?;
        }
        Ok(self.logic(false, operands))
    }

    fn and(&mut self) -> Result<Expr, Fault> {
        let mut operands = vec![self.not()?];
        while self.word("and") {
            operands.push(self.not()?);
            self.bounded(operands.len())?;
        }
        Ok(self.logic(true, operands))
    }

    /// Operands of `and` or `or`, as this dialect means them.
    pub(crate) fn logic(&self, conjunction: bool, mut operands: Vec<Expr>) -> Expr {
        match (operands.len(), conjunction) {
            (1, _) => operands.remove(0),
            _ if self.dialect.deciding => Expr::Deciding { conjunction, operands },
            (_, true) => Expr::And(operands),
            (_, false) => Expr::Or(operands),
        }
    }

    fn not(&mut self) -> Result<Expr, Fault> {
        if self.word("not") {
            return self.nested(|parser| Ok(Expr::Not(Box::new(parser.not()?))));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::sum, |parser| {
            if parser.word("in") {
                return Some(Operator::In);
            }
            if matches!(parser.tokens.get(parser.at + 1), Some((Token::Name(next), _)) if next == "in")
                && parser.word("not")
            {
                parser.at += 1;
                return Some(Operator::NotIn);
            }
            parser.operator(&[
                Operator::Equal,
                Operator::NotEqual,
                Operator::Less,
                Operator::LessOrEqual,
                Operator::Greater,
                Operator::GreaterOrEqual,
            ])
        })
    }

    fn sum(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::concatenation, |parser| {
            parser.operator(&[Operator::Add, Operator::Subtract])
        })
    }

    fn concatenation(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::product, |parser| parser.operator(&[Operator::Concatenate]))
    }

    fn product(&mut self) -> Result<Expr, Fault> {
        use Operator::{Divide, FloorDivide, Multiply, Remainder};
        self.chain(Self::power, |parser| {
            parser.operator(&[Multiply, Divide, FloorDivide, Remainder])
        })
    }

    fn power(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::operand, |parser| parser.operator(&[Operator::Power]))
    }

    /// Goes past one of these operators, if it is next.
    pub(crate) fn operator(&mut self, choices: &[Operator]) -> Option<Operator> {
        choices.iter().copied().find(|choice| self.mark(choice.symbol()))
    }

    /// Operands and the operators between them, of one level of precedence.
    pub(crate) fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<Expr, Fault>,
        operator: fn(&mut Self) -> Option<Operator>,
    ) -> Result<Expr, Fault> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = operator(self) {
            rest.push((operator, operand(self)?));
            self.bounded(rest.len())?;
        }
        Ok(if rest.is_empty() { first } else { Expr::Chain { first: Box::new(first), rest } })
    }

    /// An operand with its filters and tests.
    fn operand(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.signed()?;
        for _ in 0..MAX_DEPTH {
            if self.mark("|") {
                let name = self.name("the name of a filter")?;
                let arguments = if self.mark("(") { self.arguments()? } else { Vec::new() };
                expr = self.filter(expr, name, arguments)?;
            } else if self.word("is") {
                expr = self.test(expr)?;
            } else {
                return Ok(expr);
            }
        }
        Err(self.fault("too many filters in a row"))
    }

    fn signed(&mut self) -> Result<Expr, Fault> {
        if !self.mark("-") {
            let primary = self.primary()?;
            return self.postfix(primary);
        }
        let operand = self.nested(Self::signed)?;
        let negative = match &operand {
            Expr::Literal(Value::Number(number)) => negated(number),
            _ => None,
        };
        Ok(negative.map_or_else(
            || Expr::Negate(Box::new(operand)),
            |number| Expr::Literal(Value::Number(number)),
        ))
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        match self.next() {
            Some(Token::Number(number)) => Ok(Expr::Literal(Value::Number(number))),
            Some(Token::Text(text)) => Ok(Expr::Literal(Value::String(text))),
            Some(Token::Name(name)) if !KEYWORDS.contains(&name.as_str()) => self.named(name),
            Some(Token::Mark("(")) => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Mark("[")) => self.list(),
            Some(Token::Mark("{")) => self.map(),
            _ => {
                self.at = start;
                Err(self.unexpected("a value"))
            }
        }
    }

    /// A list; one of literals is a literal itself.
    fn list(&mut self) -> Result<Expr, Fault> {
        let items = self.sequence("]", Self::expression)?;
        if let Some(literals) = items.iter().map(literal).collect() {
            return Ok(Expr::Literal(Value::Array(literals)));
        }
        self.bounded(items.len())?;
        Ok(Expr::List(items))
    }

    /// An object; one of literals is a literal itself.
    fn map(&mut self) -> Result<Expr, Fault> {
        let entries = self.sequence("}", |parser| {
            let key = parser.expression()?;
            parser.expect(":")?;
            Ok((key, parser.expression()?))
        })?;
        let literals = entries.iter().map(|(key, value)| match (literal(key)?, literal(value)?) {
            (Value::String(key), value) => Some((key, value)),
            _ => None,
        });
        if let Some(literals) = literals.collect() {
            return Ok(Expr::Literal(Value::Object(literals)));
        }
        self.bounded(entries.len())?;
        Ok(Expr::Map(entries))
    }

    fn named(&mut self, name: String) -> Result<Expr, Fault> {
        if self.mark("(") {
            return self.call(name);
        }
        Ok(match name.as_str() {
            "true" | "True" => Expr::Literal(Value::Bool(true)),
            "false" | "False" => Expr::Literal(Value::Bool(false)),
            "null" | "none" | "None" => Expr::Literal(Value::Null),
            _ => Expr::Path(Path::root_only(name)),
        })
    }

    /// A call is a known function, a filter written as a function, or a root that the scope answers.
    fn call(&mut self, name: String) -> Result<Expr, Fault> {
        let arguments = self.arguments()?;
        match (self.dialect.call)(&name, &arguments) {
            Ok(Some(expr)) => return Ok(expr),
            Ok(None) => {}
            Err(message) => return Err(self.fault(message)),
        }
        if let Some(arity) = functions::arity(&name) {
            if arguments.iter().any(|argument| argument.keyword.is_some()) {
                return Err(self.fault(format!("`{name}` takes no keyword arguments")));
            }
            if !arity.contains(&arguments.len()) {
                let (least, most) = arity.into_inner();
                let wanted =
                    if least == most { least.to_string() } else { format!("{least} to {most}") };
                return Err(self
                    .fault(format!("`{name}` takes {wanted} arguments, not {}", arguments.len())));
            }
            return Ok(Expr::Call { name, arguments });
        }
        if functions::is_filter(&name) {
            let mut arguments = arguments.into_iter();
            return match arguments.next() {
                Some(Argument { keyword: None, value }) => {
                    self.filter(value, name, arguments.collect())
                }
                _ => Err(self.fault(format!("`{name}` needs a value as its first argument"))),
            };
        }
        Ok(Expr::Path(Path::root_only(format!("{name}()"))))
    }

    fn filter(&self, input: Expr, name: String, arguments: Vec<Argument>) -> Result<Expr, Fault> {
        let name = match (self.dialect.filter)(&name) {
            Applied::Filter(name) => name.to_owned(),
            Applied::Made(make) => {
                return make(&name, input, arguments).map_err(|message| self.fault(message));
            }
            Applied::Nothing => return Ok(input),
        };
        if !functions::is_filter(&name) {
            return Err(self.fault(format!("there is no filter `{name}`")));
        }
        Ok(Expr::Filter { input: Box::new(input), name, arguments })
    }

    fn test(&mut self, input: Expr) -> Result<Expr, Fault> {
        let negated = self.word("not");
        let name = self.name("the name of a test")?;
        if !functions::is_test(&name) {
            return Err(self.fault(format!("there is no test `{name}`")));
        }
        let arguments = if self.mark("(") {
            self.arguments()?
        } else if self.starts_operand() {
            vec![Argument { keyword: None, value: self.signed()? }]
        } else {
            Vec::new()
        };
        let test = Expr::Test { input: Box::new(input), name, arguments };
        Ok(if negated { Expr::Not(Box::new(test)) } else { test })
    }

    fn starts_operand(&self) -> bool {
        match self.peek() {
            Some(Token::Name(name)) => !KEYWORDS.contains(&name.as_str()),
            Some(Token::Number(_) | Token::Text(_) | Token::Mark("[")) => true,
            _ => false,
        }
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, Fault> {
        let arguments = self.sequence(")", |parser| {
            let keyword = match (parser.peek(), parser.tokens.get(parser.at + 1)) {
                (Some(Token::Name(name)), Some((Token::Mark("="), _))) => Some(name.clone()),
                _ => None,
            };
            parser.at += if keyword.is_some() { 2 } else { 0 };
            Ok(Argument { keyword, value: parser.expression()? })
        })?;
        self.bounded(arguments.len())?;
        Ok(arguments)
    }

    /// Comma-separated parts up to `close`; a comma may trail.
    pub(crate) fn sequence<T>(
        &mut self,
        close: &str,
        part: fn(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut parts = Vec::new();
        while !self.mark(close) {
            parts.push(part(self)?);
            if !self.mark(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(parts)
    }

    fn postfix(&mut self, mut expr: Expr) -> Result<Expr, Fault> {
        for _ in 0..MAX_DEPTH {
            if self.mark(".") {
                let start = self.at;
                expr = match self.next() {
                    Some(Token::Name(name)) if self.calls_method(&name) => {
                        self.method(expr, &name)?
                    }
                    Some(Token::Name(name)) => {
                        follow(expr, Segment::name(&name), Value::String(name))
                    }
                    Some(Token::Number(number)) => {
                        follow(expr, Segment::name(&number.to_string()), number.into())
                    }
                    _ => {
                        self.at = start;
                        return Err(self.unexpected("the name of a member"));
                    }
                };
            } else if self.mark("[") {
                expr = self.subscript(expr)?;
            } else if matches!(self.peek(), Some(Token::Mark("("))) {
                return Err(self.fault("methods cannot be called; use a function or a filter"));
            } else {
                return Ok(expr);
            }
        }
        Err(self.fault("too many members in a row"))
    }

    /// Whether the name just read is a method's and its call follows.
    fn calls_method(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token::Mark("("))) && self.dialect.methods.contains(&name)
    }

    fn method(&mut self, base: Expr, name: &str) -> Result<Expr, Fault> {
        self.expect("(")?;
        let arguments = self.arguments()?;
        (self.dialect.method)(base, name, arguments).map_err(|message| self.fault(message))
    }

    fn subscript(&mut self, base: Expr) -> Result<Expr, Fault> {
        let mut bounds = [None, None, None];
        let mut colons = 0;
        loop {
            if self.mark("]") {
                break;
            }
            if colons < 2 && self.mark(":") {
                colons += 1;
            } else if bounds[colons].is_none() {
                bounds[colons] = Some(Box::new(self.expression()?));
            } else {
                return Err(self.unexpected("`]`"));
            }
        }
        if colons > 0 {
            return Ok(Expr::Slice { base: Box::new(base), bounds });
        }
        let [Some(key), _, _] = bounds else { return Err(self.unexpected("a key or an index")) };
        Ok(match (*key, base) {
            (Expr::Path(inner), Expr::Path(mut path)) => {
                path.push(Segment::Subscript(Box::new(inner)));
                Expr::Path(path)
            }
            (Expr::Literal(Value::String(key)), base) => {
                follow(base, Segment::Key(key.clone()), Value::String(key))
            }
            (Expr::Literal(Value::Number(number)), base) if number.is_i64() => {
                let index = number.as_i64().unwrap_or_default();
                follow(base, Segment::Index(index), number.into())
            }
            (key, base) => Expr::Item { base: Box::new(base), key: Box::new(key) },
        })
    }
}

/// One step further: within a path, or into something computed.
pub(crate) fn follow(base: Expr, segment: Segment, key: Value) -> Expr {
    match base {
        Expr::Path(mut path) => {
            path.push(segment);
            Expr::Path(path)
        }
        base => Expr::Item { base: Box::new(base), key: Box::new(Expr::Literal(key)) },
    }
}

/// The value of a literal.
pub(crate) fn literal(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::Literal(value) => Some(value.clone()),
        _ => None,
    }
}

/// The number with its sign changed, unless it is out of range.
pub(crate) fn negated(number: &Number) -> Option<Number> {
    if let Some(int) = number.as_i64() {
        return int.checked_neg().map(Number::from);
    }
    if let Some(int) = number.as_u64() {
        return i64::try_from(-i128::from(int)).ok().map(Number::from);
    }
    number.as_f64().and_then(|float| Number::from_f64(-float))
}
