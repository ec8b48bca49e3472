//! minijinja's expression engine, set up once for all expressions: our functions and operators, those of
//! its filters and tests whose work can be charged for, and nothing that reaches outside.

use super::budget::Budget;
use super::error::Fault;
use super::functions::{self, Definition};
use super::{operators, orquesta, value};
use minijinja::value::{Object, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, tests};
use std::sync::{Arc, LazyLock};

/// Prefix of looked-up paths in lowered code.
pub(crate) const SLOT: char = 's';
/// Prefix of constants in lowered code.
pub(crate) const CONSTANT: char = 'k';
/// Function of a chain of operators in lowered code.
pub(crate) const CHAIN: &str = "op_chain";
/// Function of members and elements in lowered code.
pub(crate) const ITEM: &str = "op_item";
/// Function of list literals in lowered code.
pub(crate) const LIST: &str = "op_list";
/// Function of map literals in lowered code.
pub(crate) const MAP: &str = "op_map";
/// Function of the minus sign in lowered code.
pub(crate) const NEGATE: &str = "op_negate";
/// Function of truthiness in lowered code.
pub(crate) const TRUTH: &str = "op_truth";
/// Function that lets pass what is defined, in lowered code.
pub(crate) const DEFINED: &str = "op_defined";
/// Name of the element that a lambda is evaluated for, in lowered code.
pub(crate) const ELEMENT: &str = "element";

/// Name of the evaluation itself in lowered code, for functions that charge or are strict.
const EVALUATION: &str = "evaluation";
/// Instructions per expression or lambda: neither has loops, so only an absurdly long one has that many.
const FUEL: u64 = 100_000;

type Body = fn(&Evaluation, &[Value]) -> Result<Value, Fault>;

/// The engine. It holds no data of anyone.
pub(crate) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::empty();
    engine.set_fuel(Some(FUEL));
    engine.set_undefined_behavior(minijinja::UndefinedBehavior::Chainable);
    // Operators see undefined operands themselves: `==` and literals may hold them.
    let operators: [(&'static str, Body); 7] = [
        (CHAIN, operators::chain),
        (ITEM, operators::item),
        (LIST, operators::list),
        (MAP, operators::map),
        (NEGATE, operators::negate),
        (TRUTH, operators::truth),
        (DEFINED, operators::defined),
    ];
    for (name, body) in operators {
        engine.add_function(name, move |state: &mut State, arguments: Rest<Value>| {
            body(&*Evaluation::of(state)?, &arguments).map_err(raise)
        });
    }
    for (name, filter) in borrowed_filters() {
        let admits_undefined = matches!(name, "default" | "d");
        engine.add_filter(name, move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
            charged(&filter, admits_undefined, state, arguments)
        });
    }
    for (name, test) in borrowed_tests() {
        let admits_undefined = matches!(name, "defined" | "undefined" | "none");
        engine.add_test(name, move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
            charged(&test, admits_undefined, state, arguments).map(|answer| answer.is_true())
        });
    }
    for definition in functions::TABLE.iter().chain(orquesta::FUNCTIONS) {
        engine.add_function(definition.name, move |state: &mut State, arguments: Rest<Value>| {
            own(definition, state, &arguments)
        });
        if definition.filter {
            engine.add_filter(definition.name, move |state: &mut State, arguments: Rest<Value>| {
                own(definition, state, &arguments)
            });
        }
    }
    engine
});

/// One evaluation: what its names stand for and what it may still spend.
#[derive(Debug)]
pub(crate) struct Evaluation {
    /// Values of the slots.
    pub(crate) slots: Arc<[Value]>,
    /// Literals of the expression.
    pub(crate) constants: Arc<[Value]>,
    /// The element that it is for, if it is that of a lambda.
    pub(crate) element: Option<Value>,
    /// Whether undefined values are errors.
    pub(crate) strict: bool,
    /// What is left to spend.
    pub(crate) budget: Arc<Budget>,
}

impl Object for Evaluation {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        if key == EVALUATION {
            return Some(Value::from_dyn_object(Arc::clone(self)));
        }
        if key == ELEMENT {
            return self.element.clone();
        }
        let (of, number) = match key.split_at_checked(1)? {
            ("s", number) => (self.slots.as_ref(), number),
            ("k", number) => (self.constants.as_ref(), number),
            _ => return None,
        };
        of.get(number.parse::<usize>().ok()?).cloned()
    }
}

impl Evaluation {
    fn of(state: &State) -> Result<Arc<Self>, Error> {
        state
            .lookup(EVALUATION)
            .and_then(|evaluation| evaluation.downcast_object())
            .ok_or_else(|| raise(Fault::evaluation("evaluated outside of an evaluation")))
    }

    /// What using an undefined value comes to: an error, or something undefined again.
    pub(crate) fn undefined(&self) -> Result<Value, Fault> {
        if self.strict { Err(Fault::Undefined { path: None }) } else { Ok(Value::UNDEFINED) }
    }
}

/// Calls one of our functions.
fn own(definition: &Definition, state: &State, arguments: &[Value]) -> Result<Value, Error> {
    let evaluation = Evaluation::of(state)?;
    if arguments.iter().any(Value::is_undefined) {
        return evaluation.undefined().map_err(raise);
    }
    if !definition.arity.contains(&arguments.len()) {
        return Err(raise(Fault::evaluation(format!(
            "`{}` takes other arguments",
            definition.name
        ))));
    }
    arguments
        .iter()
        .try_for_each(|argument| value::spend_on(argument, &evaluation.budget))
        .map_err(raise)?;
    (definition.body)(&evaluation, arguments).map_err(raise)
}

/// Calls a filter or test of minijinja after charging for what it is going to look at.
fn charged(
    body: &Value,
    admits_undefined: bool,
    state: &mut State,
    arguments: Rest<ValueOrKwargs>,
) -> Result<Value, Error> {
    let evaluation = Evaluation::of(state)?;
    let arguments = arguments.into_values();
    if !admits_undefined && arguments.iter().any(Value::is_undefined) {
        return evaluation.undefined().map_err(raise);
    }
    for argument in arguments.iter().filter(|argument| !argument.is_kwargs()) {
        value::spend_on(argument, &evaluation.budget).map_err(raise)?;
    }
    body.call(state, &arguments)
}

/// A fault on its way through the engine.
fn raise(fault: Fault) -> Error {
    Error::new(ErrorKind::InvalidOperation, "").with_source(fault)
}

/// What went wrong inside the engine. Its own errors may quote values, so only their kind is kept.
pub(crate) fn fault(error: &Error) -> Fault {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut kind = error.kind();
    while let Some(current) = cause {
        if let Some(fault) = current.downcast_ref::<Fault>() {
            return fault.clone();
        }
        if let Some(inner) = current.downcast_ref::<Error>() {
            kind = inner.kind();
        }
        cause = current.source();
    }
    match kind {
        ErrorKind::OutOfFuel => Fault::Limit { what: "instructions" },
        ErrorKind::UndefinedError => Fault::Undefined { path: None },
        kind => Fault::evaluation(kind.to_string()),
    }
}

/// Whether a value is neither scalar nor undefined.
pub(crate) fn is_composite(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Map)
}

/// Filters taken from minijinja. Left out are those whose output is not bounded by their input
/// (`replace`, `join`, `batch`, `indent`, `format`: some have a bounded twin in [`functions`]).
fn borrowed_filters() -> [(&'static str, Value); 32] {
    [
        ("abs", Value::from_function(filters::abs)),
        ("attr", Value::from_function(filters::attr)),
        ("bool", Value::from_function(filters::bool)),
        ("capitalize", Value::from_function(filters::capitalize)),
        ("count", Value::from_function(filters::length)),
        ("d", Value::from_function(filters::default)),
        ("default", Value::from_function(filters::default)),
        ("dictsort", Value::from_function(filters::dictsort)),
        ("first", Value::from_function(filters::first)),
        ("float", Value::from_function(filters::float)),
        ("groupby", Value::from_function(filters::groupby)),
        ("int", Value::from_function(filters::int)),
        ("items", Value::from_function(filters::items)),
        ("last", Value::from_function(filters::last)),
        ("length", Value::from_function(filters::length)),
        ("lines", Value::from_function(filters::lines)),
        ("list", Value::from_function(filters::list)),
        ("map", Value::from_function(filters::map)),
        ("max", Value::from_function(filters::max)),
        ("min", Value::from_function(filters::min)),
        ("reject", Value::from_function(filters::reject)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("reverse", Value::from_function(filters::reverse)),
        ("round", Value::from_function(filters::round)),
        ("select", Value::from_function(filters::select)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("sort", Value::from_function(filters::sort)),
        ("sum", Value::from_function(filters::sum)),
        ("title", Value::from_function(filters::title)),
        ("trim", Value::from_function(filters::trim)),
        ("unique", Value::from_function(filters::unique)),
        ("zip", Value::from_function(filters::zip)),
    ]
}

/// Tests taken from minijinja: those behind `is`, and behind `select` and `reject`.
fn borrowed_tests() -> [(&'static str, Value); 33] {
    [
        ("!=", Value::from_function(tests::is_ne)),
        ("<", Value::from_function(tests::is_lt)),
        ("<=", Value::from_function(tests::is_le)),
        ("==", Value::from_function(tests::is_eq)),
        (">", Value::from_function(tests::is_gt)),
        (">=", Value::from_function(tests::is_ge)),
        ("boolean", Value::from_function(tests::is_boolean)),
        ("defined", Value::from_function(tests::is_defined)),
        ("divisibleby", Value::from_function(tests::is_divisibleby)),
        ("endingwith", Value::from_function(tests::is_endingwith)),
        ("eq", Value::from_function(tests::is_eq)),
        ("equalto", Value::from_function(tests::is_eq)),
        ("even", Value::from_function(tests::is_even)),
        ("false", Value::from_function(tests::is_false)),
        ("float", Value::from_function(tests::is_float)),
        ("ge", Value::from_function(tests::is_ge)),
        ("gt", Value::from_function(tests::is_gt)),
        ("in", Value::from_function(tests::is_in)),
        ("integer", Value::from_function(tests::is_integer)),
        ("iterable", Value::from_function(tests::is_iterable)),
        ("le", Value::from_function(tests::is_le)),
        ("lower", Value::from_function(tests::is_lower)),
        ("lt", Value::from_function(tests::is_lt)),
        ("mapping", Value::from_function(tests::is_mapping)),
        ("ne", Value::from_function(tests::is_ne)),
        ("none", Value::from_function(tests::is_none)),
        ("number", Value::from_function(tests::is_number)),
        ("odd", Value::from_function(tests::is_odd)),
        ("sequence", Value::from_function(tests::is_sequence)),
        ("startingwith", Value::from_function(tests::is_startingwith)),
        ("string", Value::from_function(tests::is_string)),
        ("true", Value::from_function(tests::is_true)),
        ("undefined", Value::from_function(tests::is_undefined)),
    ]
}

/// Names of the filters taken from minijinja.
pub(crate) static BORROWED_FILTERS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| borrowed_filters().map(|(name, _)| name).to_vec());
/// Names of the tests taken from minijinja.
pub(crate) static BORROWED_TESTS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| borrowed_tests().map(|(name, _)| name).to_vec());
