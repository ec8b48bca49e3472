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
    /// `a and b` or `a or b` that answers the operand which decides, as Python does.
    Deciding {
        /// Whether it is `and`.
        conjunction: bool,
        /// The operands, of which only those up to the deciding one are evaluated.
        operands: Vec<Expr>,
    },
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
    /// An argument that its function evaluates itself, for each element or when it is needed.
    Lambda(Box<Expr>),
    /// `$`: the element that the lambda around it is evaluated for.
    Element,
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
    /// `+` of YAQL: objects are merged, too.
    Unite,
    /// `/` of YAQL: of two integers it is rounded down.
    Quotient,
    /// `mod` of YAQL: the remainder has the sign of the divisor.
    Modulo,
}

impl Operator {
    /// Every operator; its place here is its number in lowered code.
    pub(crate) const ALL: [Self; 19] = [
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
        Self::Unite,
        Self::Quotient,
        Self::Modulo,
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
            Self::Add | Self::Unite => "+",
            Self::Subtract => "-",
            Self::Concatenate => "~",
            Self::Multiply => "*",
            Self::Divide | Self::Quotient => "/",
            Self::FloorDivide => "//",
            Self::Remainder => "%",
            Self::Power => "**",
            Self::Modulo => "mod",
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
            Self::Literal(_) | Self::Path(_) | Self::Element => Vec::new(),
            Self::List(items)
            | Self::And(items)
            | Self::Or(items)
            | Self::Deciding { operands: items, .. } => items.iter().collect(),
            Self::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            Self::Item { base, key } => vec![base, key],
            Self::Slice { base, bounds } => std::iter::once(base.as_ref())
                .chain(bounds.iter().flatten().map(Box::as_ref))
                .collect(),
            Self::Not(inner) | Self::Negate(inner) | Self::Lambda(inner) => vec![inner],
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

    /// How many expressions lie in each other, this one included.
    pub(crate) fn depth(&self) -> usize {
        // By a list of its own and not by recursion: this is what keeps recursion within bounds.
        let mut deepest = 0;
        let mut open = vec![(self, 1)];
        while let Some((expr, depth)) = open.pop() {
            deepest = deepest.max(depth);
            open.extend(expr.parts().into_iter().map(|part| (part, depth + 1)));
        }
        deepest
    }

    /// The same parts, to be changed.
    fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Literal(_) | Self::Path(_) | Self::Element => Vec::new(),
            Self::List(items)
            | Self::And(items)
            | Self::Or(items)
            | Self::Deciding { operands: items, .. } => items.iter_mut().collect(),
            Self::Map(entries) => {
                entries.iter_mut().flat_map(|(key, value)| [key, value]).collect()
            }
            Self::Item { base, key } => vec![base, key],
            Self::Slice { base, bounds } => std::iter::once(base.as_mut())
                .chain(bounds.iter_mut().flatten().map(Box::as_mut))
                .collect(),
            Self::Not(inner) | Self::Negate(inner) | Self::Lambda(inner) => vec![inner],
            Self::Chain { first, rest } => std::iter::once(first.as_mut())
                .chain(rest.iter_mut().map(|(_, operand)| operand))
                .collect(),
            Self::If { test, then, otherwise } => {
                [test, then].into_iter().chain(otherwise).map(Box::as_mut).collect()
            }
            Self::Call { arguments, .. } => {
                arguments.iter_mut().map(|argument| &mut argument.value).collect()
            }
            Self::Filter { input, arguments, .. } | Self::Test { input, arguments, .. } => {
                std::iter::once(input.as_mut())
                    .chain(arguments.iter_mut().map(|argument| &mut argument.value))
                    .collect()
            }
        }
    }

    /// Changes every path the expression looks at.
    pub(crate) fn change_paths(&mut self, change: &mut dyn FnMut(&mut Path)) {
        if let Self::Path(path) = self {
            change_path(path, change);
        }
        for part in self.parts_mut() {
            part.change_paths(change);
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

fn change_path(path: &mut Path, change: &mut dyn FnMut(&mut Path)) {
    for inner in path.subscripts_mut() {
        change_path(inner, change);
    }
    change(path);
}
