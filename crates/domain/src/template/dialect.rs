//! In what the grammar's relatives differ from it: the Jinja of Orquesta has further calls and methods.

use super::syntax::{Argument, Expr};

/// What a relative of this language calls otherwise.
pub(crate) struct Dialect {
    /// A call with a meaning of its own there; `None` if it means what it always does.
    pub(crate) call: fn(&str, &[Argument]) -> Result<Option<Expr>, String>,
    /// The methods that can be called.
    pub(crate) methods: &'static [&'static str],
    /// A call of one of them.
    pub(crate) method: fn(Expr, &str, Vec<Argument>) -> Result<Expr, String>,
    /// What a filter there is here.
    pub(crate) filter: fn(&str) -> Applied<'_>,
    /// Whether `and` and `or` answer the operand that decides, and not whether it holds.
    pub(crate) deciding: bool,
}

/// What a filter of a relative comes to.
pub(crate) enum Applied<'n> {
    /// The filter of this name.
    Filter(&'n str),
    /// What this makes of its name, what is piped in, and further arguments.
    Made(fn(&str, Expr, Vec<Argument>) -> Result<Expr, String>),
    /// Nothing: what is piped in.
    Nothing,
}

/// The language itself.
pub(crate) const CLASSIC: Dialect = Dialect {
    call: |_, _| Ok(None),
    methods: &[],
    method: |_, name, _| Err(format!("there is no method `{name}`")),
    filter: |name| Applied::Filter(name),
    deciding: false,
};
