//! What an author writes: tasks, and what follows what.

use super::graph::Graph;
use crate::reference::ComponentRef;
use crate::template::{Expression, Template};

/// A workflow, ready to be run.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Which tradition its file follows.
    pub dialect: Dialect,
    /// Variables and their first values, in the order in which they are rendered.
    pub vars: Vec<(String, Template)>,
    /// The tasks; transitions name them by their place here.
    pub tasks: Vec<Task>,
    /// What its result consists of.
    pub output: Vec<(String, Template)>,
    /// What becomes of running children when it is cancelled.
    pub cancellation: Cancellation,
    /// Tasks that a run may enter, at most; `None`, as many as the server allows.
    pub step_limit: Option<u64>,
    pub(super) graph: Graph,
}

/// Which tradition a workflow's file follows. They differ in defaults and in what loops mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// A list of tasks. A task runs once, and again only where a cycle leads back to it.
    #[default]
    Classic,
    /// A mapping of tasks, as Orquesta has it. A task runs once for each arrival.
    Orquesta,
}

/// What becomes of running children of a cancelled workflow. What does not run yet is cancelled in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cancellation {
    /// They finish.
    #[default]
    AllowFinish,
    /// They are told to stop.
    CancelRunning,
}

/// A place in [`Definition::tasks`].
pub type TaskIndex = usize;

/// One task.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name, unique in the workflow.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// Runs only if this holds; else it is skipped, and counts as succeeded.
    pub when: Option<Condition>,
    /// Once for each item of a list, rather than once.
    pub items: Option<Items>,
    /// How often it is tried again after a failure.
    pub retry: Option<Retry>,
    /// Seconds to wait before it begins.
    pub delay: Option<Quantity>,
    /// Seconds that each of its children may take.
    pub timeout: Option<Quantity>,
    /// How many arrivals it waits for; `None`, it begins with the first.
    pub join: Option<Join>,
    /// What follows it. Every transition whose condition holds is followed.
    pub transitions: Vec<Transition>,
    /// Permission sets of its children's tokens; `None`, as the action has them.
    pub permission_set_refs: Option<Vec<String>>,
    /// Where its children may run: `worker_selector`, `worker_tolerations`, `worker_affinity`, as far as given.
    pub placement: Option<Template>,
}

/// What a task does.
#[derive(Clone, Debug)]
pub enum Work {
    /// Nothing: only what follows it matters.
    Nothing,
    /// It executes an action, or another workflow.
    Action(Call),
    /// It executes several at once, and ends when all have ended.
    Parallel(Vec<Branch>),
}

/// An action to be executed.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which.
    pub action: ComponentRef,
    /// With which parameters.
    pub input: Input,
}

/// One of the executions of a parallel task.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Its name, unique in the workflow like a task's; its result is found under it.
    pub name: String,
    /// What is executed.
    pub call: Call,
    /// Seconds that it may take.
    pub timeout: Option<Quantity>,
}

/// Parameters of a task's children.
#[derive(Clone, Debug)]
pub enum Input {
    /// The workflow's own, as they were given.
    Inherited,
    /// These. They must render to an object.
    Given(Template),
}

/// A number, or an expression that gives one.
#[derive(Clone, Debug)]
pub enum Quantity {
    /// This one.
    Fixed(f64),
    /// What this renders to.
    Rendered(Template),
}

/// A question with the answer yes or no.
#[derive(Clone, Debug)]
pub struct Condition {
    /// As the author wrote it.
    pub text: String,
    /// What it means.
    pub expression: Expression,
}

/// The list that a task goes through.
#[derive(Clone, Debug)]
pub struct Items {
    /// Renders to the list; what is no list is a list of one.
    pub list: Template,
    /// Names of an item's parts, where the author named them: then `item` is an object, and the list's elements
    /// are lists of as many values, or single values for one name.
    pub names: Vec<String>,
    /// Children at the same time, at most; `None`, no limit.
    pub concurrency: Option<Quantity>,
    /// Elements that one child gets together, as `item` and `batch`.
    pub batch_size: Option<Quantity>,
}

/// How a failed task is tried again. Of a task with items only those that failed.
#[derive(Clone, Debug)]
pub struct Retry {
    /// How often, at most.
    pub count: Quantity,
    /// Seconds before the first try.
    pub delay: Quantity,
    /// How the pause grows.
    pub backoff: Backoff,
    /// Seconds of the longest pause.
    pub max_delay: Option<f64>,
    /// Up to this part of a pause is left out at random, from 0 to 1, so that not all come at once.
    pub jitter: f64,
    /// Only while this holds of the outcome; `None`, whenever it failed.
    pub when: Option<Condition>,
    /// Only for errors whose text this pattern is found in.
    pub on_error: Option<String>,
}

/// How the pause before a retry grows, for the n-th retry, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// d
    #[default]
    Constant,
    /// d · n
    Linear,
    /// d · 2^(n−1)
    Exponential,
}

/// How many of the tasks before it a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// All that lead to it.
    All,
    /// This many different ones.
    Count(u32),
}

/// One way on from a task.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Whether it is followed; `None`, always.
    pub when: Option<Condition>,
    /// Variables that are set, in this order, before it is followed.
    pub publish: Vec<Publish>,
    /// Where it leads.
    pub to: Vec<Target>,
}

/// A variable that is set.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Its name.
    pub name: String,
    /// Its value; `None`, the whole result of the task.
    pub value: Option<Template>,
}

/// Where a transition leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a task.
    Task(TaskIndex),
    /// To the workflow's failure.
    Fail,
    /// To nothing; a failure counts as dealt with.
    Noop,
    /// To nothing; a failure stays one.
    Continue,
    /// To the same task once more.
    Retry,
}
