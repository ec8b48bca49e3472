//! What the expressions of a workflow may read.

use super::definition::{Definition, Dialect};
use super::run::{Outcome, Run};
use crate::Timestamp;
use crate::keystore;
use crate::template::Scope;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known while a run is planned. Who plans it has fetched it before.
pub struct Context<'a> {
    /// The workflow's parameters with their defaults, secrets opened.
    pub parameters: Value,
    /// The same as they were given, for tasks without an input of their own.
    pub given: Value,
    /// Its variables.
    pub vars: Map<String, Value>,
    /// Results of the tasks that its expressions read, as [`super::view`] shows them.
    pub results: BTreeMap<String, Arc<Value>>,
    /// The result of the task that the thread is at, once it has ended, shown likewise. Shared, as it may be large.
    pub result: Arc<Value>,
    /// Configuration of the workflow's pack.
    pub config: Value,
    /// The moment.
    pub now: Timestamp,
    /// For pauses before retries, from 0 up to 1.
    pub random: f64,
    /// Where `uuid()` takes ids from.
    pub uuid: &'a (dyn Fn() -> String + Sync),
}

/// The part that differs from expression to expression.
#[derive(Clone, Copy, Default)]
pub(crate) enum Local<'v> {
    /// Nothing.
    #[default]
    Nowhere,
    /// One of a task's items: the item, its number, and whether it is a batch.
    Item(&'v Value, u32, bool),
    /// After a task ended like this.
    After(Outcome),
}

impl Context<'_> {
    /// The names that an expression may use.
    pub(crate) fn scope<'s>(
        &'s self,
        definition: &Definition,
        run: &Run,
        local: Local<'s>,
    ) -> Scope<'s> {
        let mut scope = Scope::strict()
            .root("parameters", &self.parameters)
            .fallback("workflow")
            .now(self.now)
            .uuid(self.uuid)
            .root("config", &self.config)
            .fields("pack", vec![("config", Cow::Borrowed(&self.config))])
            .owned_root(
                "system",
                json!({
                    "workflow_start": run.started,
                    "execution_id": run.execution,
                    "workflow": run.workflow,
                    "timestamp": self.now,
                }),
            );
        for name in ["workflow", "vars", "variables"] {
            scope = scope.fields(name, fields(&self.vars));
        }
        for name in ["task", "tasks"] {
            let results = self.results.iter();
            let results = results.map(|(name, view)| (name.as_str(), Cow::Borrowed(&**view)));
            scope = scope.fields(name, results.collect());
        }
        if definition.dialect == Dialect::Orquesta {
            // What was published wins over what was given.
            let mut all = fields(&self.vars);
            if let Value::Object(parameters) = &self.parameters {
                let given = parameters.iter().filter(|(name, _)| !self.vars.contains_key(*name));
                all.extend(given.map(|(name, value)| (name.as_str(), Cow::Borrowed(value))));
            }
            all.retain(|(name, _)| !name.starts_with("__"));
            scope = scope.fields("ctx", all).owned_root("task_status", statuses(run));
        }
        self.local(scope, local)
    }

    /// The same for a task's input, in which the keystore's names are left for the runner.
    pub(crate) fn scope_of_input<'s>(
        &'s self,
        definition: &Definition,
        run: &Run,
        local: Local<'s>,
    ) -> Scope<'s> {
        let scope = self.scope(definition, run, local);
        let left = keystore::ROOTS.into_iter().filter(|root| !self.vars.contains_key(*root));
        left.fold(scope, Scope::defer)
    }

    fn local<'s>(&'s self, scope: Scope<'s>, local: Local<'s>) -> Scope<'s> {
        let outcome = match local {
            Local::Item(item, index, batch) => {
                let scope = scope.root("item", item).owned_root("index", index.into());
                return if batch { scope.root("batch", item) } else { scope };
            }
            Local::After(outcome) => Some(outcome),
            Local::Nowhere => None,
        };
        let is = |test: fn(Outcome) -> bool| Value::Bool(outcome.is_some_and(test));
        let scope = scope
            .owned_root("succeeded()", is(Outcome::is_success))
            .owned_root("failed()", is(Outcome::is_failure))
            .owned_root("timed_out()", is(|outcome| outcome == Outcome::TimedOut))
            .owned_root("completed()", is(|_| true));
        if outcome.is_some() { scope.root("result()", &self.result) } else { scope }
    }
}

fn fields(map: &Map<String, Value>) -> Vec<(&str, Cow<'_, Value>)> {
    map.iter().map(|(name, value)| (name.as_str(), Cow::Borrowed(value))).collect()
}

/// How tasks stand, in Orquesta's words.
fn statuses(run: &Run) -> Value {
    let word = |outcome: Option<Outcome>| outcome.map_or("running", Outcome::as_word);
    run.tasks.iter().map(|(name, task)| (name.clone(), Value::from(word(task.outcome)))).collect()
}
