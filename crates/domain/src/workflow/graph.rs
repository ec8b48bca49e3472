//! How the tasks of a workflow hang together.

use super::definition::{Condition, Definition, Quantity, Target, Task, TaskIndex, Work};
use crate::reference::ComponentRef;
use crate::template::{Path, Segment, Template};
use std::collections::{BTreeSet, HashMap};

/// The root by which an expression reads the result of the task that has just ended.
const RESULT: &str = "result()";

/// What follows from a workflow's tasks, worked out once.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    by_name: HashMap<String, TaskIndex>,
    inbound: Vec<Vec<TaskIndex>>,
    entry_points: Vec<TaskIndex>,
    circular: Vec<bool>,
    reads: Reads,
    /// The tasks that look at their own result when they have ended.
    looks_back: Vec<bool>,
}

/// The tasks whose results the expressions of a workflow may read by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Any: the name is computed.
    All,
    /// These, as far as there are such tasks.
    These(BTreeSet<String>),
}

impl Default for Reads {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Reads {
    /// Whether the result of this task may be read.
    #[must_use]
    pub fn contains(&self, task: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(task),
        }
    }
}

impl Graph {
    pub(super) fn of<'p>(tasks: &[Task], paths: impl Iterator<Item = &'p Path>) -> Self {
        let mut inbound = vec![Vec::new(); tasks.len()];
        for (from, task) in tasks.iter().enumerate() {
            for to in successors(task) {
                // A task that leads to itself does not wait for itself.
                if to != from && !inbound[to].contains(&from) {
                    inbound[to].push(from);
                }
            }
        }
        let entry_points = (0..tasks.len()).filter(|task| inbound[*task].is_empty()).collect();
        let by_name =
            tasks.iter().enumerate().map(|(index, task)| (task.name.clone(), index)).collect();
        let circular = (0..tasks.len()).map(|task| leads_to_itself(tasks, task)).collect();
        let looks_back = tasks.iter().map(looks_back).collect();
        Self { by_name, inbound, entry_points, circular, reads: reads(paths), looks_back }
    }
}

fn leads_to_itself(tasks: &[Task], from: TaskIndex) -> bool {
    let mut seen = vec![false; tasks.len()];
    let mut next: Vec<TaskIndex> = successors(&tasks[from]).collect();
    while let Some(task) = next.pop() {
        if task == from {
            return true;
        }
        if !std::mem::replace(&mut seen[task], true) {
            next.extend(successors(&tasks[task]));
        }
    }
    false
}

/// The tasks that a task's transitions lead to, repeated where they are.
fn successors(task: &Task) -> impl Iterator<Item = TaskIndex> {
    let targets = task.transitions.iter().flat_map(|transition| &transition.to);
    targets.filter_map(|target| match target {
        Target::Task(index) => Some(*index),
        _ => None,
    })
}

/// Whether a task's transitions or its retries look at what it came to, beyond whether it succeeded.
fn looks_back(task: &Task) -> bool {
    let asks = |when: &Option<Condition>| {
        let mut paths = when.iter().flat_map(|when| when.expression.paths());
        paths.any(|path| path.root() == RESULT)
    };
    let renders = |template: &Template| template.references().iter().any(|it| it.root() == RESULT);
    let computes = |quantity: &Quantity| match quantity {
        Quantity::Fixed(_) => false,
        Quantity::Rendered(template) => renders(template),
    };
    let transitions = task.transitions.iter().any(|transition| {
        let mut published = transition.publish.iter();
        asks(&transition.when) || published.any(|it| it.value.as_ref().is_none_or(renders))
    });
    let retries = task.retry.as_ref().is_some_and(|retry| {
        let quantities = [&retry.count, &retry.delay];
        retry.on_error.is_some() || asks(&retry.when) || quantities.into_iter().any(computes)
    });
    transitions || retries
}

fn actions_of(task: &Task) -> Vec<&ComponentRef> {
    match &task.work {
        Work::Nothing => Vec::new(),
        Work::Action(call) => vec![&call.action],
        Work::Parallel(branches) => branches.iter().map(|branch| &branch.call.action).collect(),
    }
}

fn reads<'p>(paths: impl Iterator<Item = &'p Path>) -> Reads {
    let mut names = BTreeSet::new();
    for path in paths.filter(|path| matches!(path.root(), "task" | "tasks")) {
        match path.segments().first() {
            Some(Segment::Name { name, .. } | Segment::Key(name)) => names.insert(name.clone()),
            _ => return Reads::All,
        };
    }
    Reads::These(names)
}

impl Definition {
    /// The place of the task of that name.
    #[must_use]
    pub fn task(&self, name: &str) -> Option<TaskIndex> {
        self.graph.by_name.get(name).copied()
    }

    /// The other tasks from which a transition leads to a task, each once, in their order.
    ///
    /// # Panics
    /// Where there is no such task.
    #[must_use]
    pub fn inbound(&self, task: TaskIndex) -> &[TaskIndex] {
        &self.graph.inbound[task]
    }

    /// The tasks that a run begins with: those that no other task leads to, in their order.
    #[must_use]
    pub fn entry_points(&self) -> &[TaskIndex] {
        &self.graph.entry_points
    }

    /// Whether a way leads from a task back to it.
    ///
    /// # Panics
    /// Where there is no such task.
    #[must_use]
    pub fn is_circular(&self, task: TaskIndex) -> bool {
        self.graph.circular[task]
    }

    /// The tasks whose results its expressions may read by name.
    #[must_use]
    pub fn refers_to(&self) -> &Reads {
        &self.graph.reads
    }

    /// Whether any expression may read what a task came to.
    ///
    /// # Panics
    /// Where there is no such task.
    #[must_use]
    pub fn reads_result_of(&self, task: TaskIndex) -> bool {
        self.graph.looks_back[task] || self.graph.reads.contains(&self.tasks[task].name)
    }

    /// The permission sets that its tasks name for their executions, repeated where they are.
    pub fn permission_set_refs(&self) -> impl Iterator<Item = &str> {
        let sets = self.tasks.iter().flat_map(|task| &task.permission_set_refs);
        sets.flatten().map(String::as_str)
    }

    /// The actions that its tasks execute, repeated where they are.
    pub fn actions(&self) -> impl Iterator<Item = &ComponentRef> {
        self.tasks.iter().flat_map(actions_of)
    }

    /// The actions that a task and those that follow it at once execute, repeated where they are.
    ///
    /// # Panics
    /// Where there is no such task.
    pub fn actions_from(&self, task: TaskIndex) -> impl Iterator<Item = &ComponentRef> {
        let task = &self.tasks[task];
        let following = successors(task).map(|task| &self.tasks[task]);
        std::iter::once(task).chain(following).flat_map(actions_of)
    }

    /// Which tasks a run may come to, by their place; as if `without` were not there.
    pub(super) fn reachable(&self, without: Option<TaskIndex>) -> Vec<bool> {
        let mut reached = vec![false; self.tasks.len()];
        let mut next: Vec<TaskIndex> = self.entry_points().to_vec();
        while let Some(task) = next.pop() {
            if Some(task) == without || std::mem::replace(&mut reached[task], true) {
                continue;
            }
            next.extend(successors(&self.tasks[task]));
        }
        reached
    }
}
