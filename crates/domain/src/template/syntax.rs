//! What an expression is made of, once read.

use super::path::Path;
use serde_json::Value;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expr {
    /// A number, a text, `true`, `false` or `null`.
    Literal(Value),
    /// A name and the members followed from it.
    Path(Path),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{"a": b}`
    Map(Vec<(Expr, Expr)>),
    /// A member or an element of something computed.
    Item {
        /// What it is taken from.
        base: Box<Expr>,
        /// Which one.
        key: Box<Expr>,
    },
    /// `base[start:stop:step]`
    Slice {
        /// What it is taken from.
        base: Box<Expr>,
        /// Start, stop and step, each optional.
        bounds: [Option<Box<Expr>>; 3],
    },
    /// `not x`
    Not(Box<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `a and b and …`
    And(Vec<Expr>),
    /// `a or b or …`
    Or(Vec<Expr>),
    /// Operators of one level of precedence, applied from the left: `a + b - c`.
    Chain {
        /// The leftmost operand.
        first: Box<Expr>,
        /// The operators and what stands right of them.
        rest: Vec<(Operator, Expr)>,
    },
    /// `a if test else b`
    If {
        /// What decides.
        test: Box<Expr>,
        /// When it holds.
        then: Box<Expr>,
        /// When it does not; undefined if left out.
        otherwise: Option<Box<Expr>>,
    },
    /// A call of a known function.
    Call {
        /// Which function.
        name: String,
        /// What it is given.
        arguments: Vec<Argument>,
    },
    /// `input|name(…)`
    Filter {
        /// What is piped in.
        input: Box<Expr>,
        /// Which filter.
        name: String,
        /// Further arguments.
        arguments: Vec<Argument>,
    },
    /// `input is name(…)`; its negation is a `Not` around it.
    Test {
        /// What is asked about.
        input: Box<Expr>,
        /// Which test.
        name: String,
        /// Further arguments.
        arguments: Vec<Argument>,
    },
}

/// An argument, with its keyword if it has one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    /// `reverse` in `sort(reverse=true)`.
    pub(crate) keyword: Option<String>,
    /// The value.
    pub(crate) value: Expr,
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `~`
    Concatenate,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `//`
    FloorDivide,
    /// `%`
    Remainder,
    /// `**`
    Power,
}

impl Operator {
    /// Every operator; its place here is its number in lowered code.
    pub(crate) const ALL: [Self; 16] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::In,
        Self::NotIn,
        Self::Add,
        Self::Subtract,
        Self::Concatenate,
        Self::Multiply,
        Self::Divide,
        Self::FloorDivide,
        Self::Remainder,
        Self::Power,
    ];

    /// As it is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Concatenate => "~",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }

    /// Whether it answers yes or no.
    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Less
                | Self::LessOrEqual
                | Self::Greater
                | Self::GreaterOrEqual
                | Self::In
                | Self::NotIn
        )
    }
}

impl Expr {
    /// The parts this expression is made of.
    fn parts(&self) -> Vec<&Expr> {
        match self {
            Self::Literal(_) | Self::Path(_) => Vec::new(),
            Self::List(items) | Self::And(items) | Self::Or(items) => items.iter().collect(),
            Self::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            Self::Item { base, key } => vec![base, key],
            Self::Slice { base, bounds } => std::iter::once(base.as_ref())
                .chain(bounds.iter().flatten().map(Box::as_ref))
                .collect(),
            Self::Not(inner) | Self::Negate(inner) => vec![inner],
            Self::Chain { first, rest } => std::iter::once(first.as_ref())
                .chain(rest.iter().map(|(_, operand)| operand))
                .collect(),
            Self::If { test, then, otherwise } => {
                [test, then].into_iter().chain(otherwise).map(Box::as_ref).collect()
            }
            Self::Call { arguments, .. } => {
                arguments.iter().map(|argument| &argument.value).collect()
            }
            Self::Filter { input, arguments, .. } | Self::Test { input, arguments, .. } => {
                std::iter::once(input.as_ref())
                    .chain(arguments.iter().map(|argument| &argument.value))
                    .collect()
            }
        }
    }

    /// Every path the expression looks at, in the order of reading, repeated where it is.
    pub(crate) fn paths(&self) -> Vec<&Path> {
        let mut found = Vec::new();
        self.collect_paths(&mut found);
        found
    }

    fn collect_paths<'e>(&'e self, found: &mut Vec<&'e Path>) {
        if let Self::Path(path) = self {
            collect_path(path, found);
        }
        for part in self.parts() {
            part.collect_paths(found);
        }
    }
}

fn collect_path<'e>(path: &'e Path, found: &mut Vec<&'e Path>) {
    found.push(path);
    for inner in path.subscripts() {
        collect_path(inner, found);
    }
}
