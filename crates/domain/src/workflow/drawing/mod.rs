//! Drawings of workflows: the tasks and what leads from one to another, and how a run of them stands.
//!
//! A [`Picture`] says what is to be seen; it is itself the drawing for programs, and what the server sends to whoever
//! wants to draw. It is written as Graphviz's DOT, as a Mermaid flowchart, as an SVG image of its own, and as text
//! for a terminal. Colour never says anything that is not said in words as well.

mod dot;
mod label;
mod layers;
mod mermaid;
mod palette;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use super::definition::{Call, Condition, Definition, Join, Target, Task, TaskIndex, Work};
use super::run::Run;
use super::standing::{Progress, Status};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// What is to be seen of a workflow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Its tasks, in the order of their definition.
    pub nodes: Vec<Node>,
    /// What leads from one to another, in the order of the transitions.
    pub edges: Vec<Edge>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// What kind it is of.
    pub kind: Kind,
    /// The action that it executes, where it is one.
    pub action: Option<String>,
    /// Where it stands; `None`, this is no picture of a run.
    pub status: Option<Status>,
    /// How often it was entered.
    pub visits: u32,
    /// How many of those that lead to it it waits for, where it does.
    pub join: Option<u32>,
    /// Its branches, where it is parallel.
    pub branches: Vec<Branch>,
    /// How far it has come, where it has several executions.
    pub progress: Option<Progress>,
}

/// What kind a task is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It executes an action.
    Action,
    /// It executes an action for each of several items.
    WithItems,
    /// It executes several actions at once.
    Parallel,
    /// It executes nothing.
    Nothing,
}

/// One of the executions of a parallel task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// What is executed.
    pub action: String,
    /// Where it stands; `None`, this is no picture of a run.
    pub status: Option<Status>,
}

/// A way on from a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The task it leads from.
    pub from: String,
    /// The task it leads to; `None`, see `command`.
    pub to: Option<String>,
    /// What it orders instead.
    pub command: Option<Command>,
    /// When it is followed, as its author wrote it; `None`, always.
    pub label: Option<String>,
    /// Whether it was followed; `None`, this is no picture of a run.
    pub taken: Option<bool>,
}

/// Where a transition leads that leads to no task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// To the workflow's failure.
    Fail,
    /// To nothing; a failure counts as dealt with.
    Noop,
    /// To nothing; a failure stays one.
    Continue,
    /// To the same task once more.
    Retry,
}

impl Command {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Noop => "noop",
            Self::Continue => "continue",
            Self::Retry => "retry",
        }
    }
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// As JSON.
    #[default]
    Json,
    /// In Graphviz's language.
    Dot,
    /// As a Mermaid flowchart.
    Mermaid,
    /// As an image.
    Svg,
    /// As lines for a terminal.
    Text,
}

/// No drawing is written like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{0}': expected json, dot, mermaid, svg or text")]
pub struct Unknown(pub String);

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Json, Self::Dot, Self::Mermaid, Self::Svg, Self::Text];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Dot => "dot",
            Self::Mermaid => "mermaid",
            Self::Svg => "svg",
            Self::Text => "text",
        }
    }

    /// What HTTP calls it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Dot => "text/vnd.graphviz",
            Self::Mermaid => "text/vnd.mermaid",
            Self::Svg => "image/svg+xml",
            Self::Text => "text/plain",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Unknown;

    fn from_str(word: &str) -> Result<Self, Unknown> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == word);
        found.ok_or_else(|| Unknown(word.to_owned()))
    }
}

impl Picture {
    /// A picture of a workflow, and of a run of it.
    #[must_use]
    pub fn of(definition: &Definition, run: Option<&Run>) -> Self {
        let tasks = definition.tasks.iter().enumerate();
        let nodes = tasks.map(|(at, task)| node(definition, at, task, run)).collect();
        let edges = definition.tasks.iter().flat_map(|task| edges(definition, task, run)).collect();
        Self { nodes, edges }
    }

    /// Writes it.
    #[must_use]
    pub fn render(&self, format: Format) -> String {
        match format {
            // Names and texts: nothing in it can fail to be JSON.
            Format::Json => serde_json::to_string_pretty(self).unwrap_or_default(),
            Format::Dot => dot::render(self),
            Format::Mermaid => mermaid::render(self),
            Format::Svg => svg::render(self),
            Format::Text => text::render(self),
        }
    }

    /// The places of nodes by their names.
    fn places(&self) -> HashMap<&str, usize> {
        self.nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect()
    }

    /// Whether an edge leads to the workflow's failure, which is drawn as one more node.
    fn fails(&self) -> bool {
        self.edges.iter().any(|edge| edge.command == Some(Command::Fail))
    }

    /// The edges that are drawn, with the places that they lead from and to; failure stands behind the last node.
    /// What leads nowhere is not drawn.
    fn lines(&self) -> Vec<(usize, usize, &Edge)> {
        let places = self.places();
        let line = |edge: &'_ Edge| {
            let from = *places.get(edge.from.as_str())?;
            let to = match (&edge.to, edge.command) {
                (Some(to), _) => *places.get(to.as_str())?,
                (None, Some(Command::Fail)) => self.nodes.len(),
                (None, Some(Command::Retry)) => from,
                (None, _) => return None,
            };
            Some((from, to))
        };
        let lines = self.edges.iter();
        lines.filter_map(|edge| line(edge).map(|(from, to)| (from, to, edge))).collect()
    }
}

fn node(definition: &Definition, at: TaskIndex, task: &Task, run: Option<&Run>) -> Node {
    let (kind, action, branches) = match &task.work {
        Work::Nothing => (Kind::Nothing, None, Vec::new()),
        Work::Action(call) => (Kind::Action, Some(call), Vec::new()),
        Work::Parallel(branches) => (Kind::Parallel, None, branches.iter().collect()),
    };
    let branch = |branch: &&super::definition::Branch| Branch {
        name: branch.name.clone(),
        action: branch.call.action.to_string(),
        status: run.map(|run| run.standing_of_branch(&task.name, &branch.name)),
    };
    let state = run.and_then(|run| run.tasks.get(&task.name));
    Node {
        name: task.name.clone(),
        kind: if task.items.is_some() { Kind::WithItems } else { kind },
        action: action.map(|Call { action, .. }| action.to_string()),
        status: run.map(|run| run.standing(&task.name)),
        visits: state.map_or(0, |state| state.visits),
        join: task.join.map(|join| match join {
            Join::All => u32::try_from(definition.inbound(at).len()).unwrap_or(u32::MAX),
            Join::Count(count) => count,
        }),
        branches: branches.iter().map(branch).collect(),
        progress: run.and_then(|run| run.progress(&task.name)),
    }
}

fn edges(definition: &Definition, task: &Task, run: Option<&Run>) -> Vec<Edge> {
    let followed = run.map(|run| run.tasks.get(&task.name).map(|state| &state.followed));
    let mut edges = Vec::new();
    for (number, transition) in task.transitions.iter().enumerate() {
        let taken = followed.map(|all| all.is_some_and(|all| all.contains(&number)));
        let label = transition.when.as_ref().map(condition);
        edges.extend(transition.to.iter().map(|target| {
            let (to, command) = match target {
                Target::Task(at) => (Some(definition.tasks[*at].name.clone()), None),
                Target::Fail => (None, Some(Command::Fail)),
                Target::Noop => (None, Some(Command::Noop)),
                Target::Continue => (None, Some(Command::Continue)),
                Target::Retry => (None, Some(Command::Retry)),
            };
            Edge { from: task.name.clone(), to, command, label: label.clone(), taken }
        }));
    }
    edges
}

/// A condition without the marks that say that it is one.
fn condition(condition: &Condition) -> String {
    let text = condition.text.trim();
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    let text = inside("{{", "}}").or_else(|| inside("<%", "%>")).unwrap_or(text);
    text.trim().to_owned()
}
