//! Arguments that a function evaluates itself: for each element of a list, or only if it comes to that.

use super::engine::{ENGINE, Evaluation, fault};
use super::error::Fault;
use minijinja::value::{Object, ObjectRepr};
use minijinja::{Expression, Value};
use std::sync::Arc;

/// Units of work that entering the engine costs.
const ENTRY: usize = 20;
/// Bytes of lowered code that are run for one unit of work.
const CODE_PER_UNIT: usize = 16;

/// A compiled argument, over the slots and constants of the expression that it is part of.
#[derive(Debug)]
pub(crate) struct Lambda {
    compiled: Expression<'static, 'static>,
    work: usize,
}

impl Object for Lambda {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl Lambda {
    /// Compiles lowered code.
    pub(crate) fn compile(source: String) -> Result<Self, Fault> {
        let work = ENTRY + source.len() / CODE_PER_UNIT;
        let compiled = ENGINE.compile_expression_owned(source).map_err(|error| fault(&error))?;
        Ok(Self { compiled, work })
    }

    /// Its value for an element, or for the element of the evaluation around it.
    pub(crate) fn apply(
        &self,
        evaluation: &Evaluation,
        element: Option<&Value>,
    ) -> Result<Value, Fault> {
        evaluation.budget.spend(self.work)?;
        let inner = Evaluation {
            slots: Arc::clone(&evaluation.slots),
            constants: Arc::clone(&evaluation.constants),
            element: element.or(evaluation.element.as_ref()).cloned(),
            strict: evaluation.strict,
            budget: Arc::clone(&evaluation.budget),
        };
        let value = self.compiled.eval(Value::from_object(inner)).map_err(|error| fault(&error))?;
        if value.is_undefined() { evaluation.undefined() } else { Ok(value) }
    }
}
