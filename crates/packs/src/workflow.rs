//! `workflows/*.yaml` and the files that actions name as their `workflow_file`: graphs of tasks.

use crate::action::ActionDefinition;
use crate::fields::{Context, Fields};
use crate::node::{Kind, Node};
use crate::problem::{Position, Report};
use attune_domain::catalogue::Placement;
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use attune_domain::workflow::definition::{Dialect, Work};
use attune_domain::workflow::{Definition, Severity, signature};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The version of a workflow whose file has none.
const VERSION: &str = "1.0.0";

/// What a workflow's file says, and the action that executes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WorkflowDefinition {
    /// The file with the graph, relative to the pack's root.
    pub file: PathBuf,
    /// Its name, and that of the action that executes it.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// As the file writes it.
    pub version: String,
    /// Parameters, flat or JSON Schema.
    pub parameters: Option<Value>,
    /// Output, flat or JSON Schema.
    pub output: Option<Value>,
    /// Search words.
    pub tags: Vec<String>,
    /// The whole file, as written: what [`Definition::parse`] reads.
    pub graph: Value,
    /// Permission sets that its tasks name for their executions.
    pub permission_set_refs: Vec<String>,
    /// The actions that it executes, and where, for what can be said once all files are read.
    #[serde(skip)]
    pub(crate) calls: Vec<Call>,
}

/// A task's action.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) action: ComponentRef,
    pub(crate) field: String,
    pub(crate) at: Position,
}

impl WorkflowDefinition {
    /// Reads a workflow. What the `action` that names the file says of schemas and for people wins; without an action
    /// the file may leave its name to itself: `deploy.workflow.yaml` is `<pack>.deploy`.
    pub(crate) fn read(
        node: &Node,
        context: Context<'_>,
        report: Report<'_>,
        action: Option<&ActionDefinition>,
    ) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        let reference = match action {
            Some(action) => Some(action.reference.clone()),
            None => own_ref(&fields, context, report),
        };
        let graph = node.to_value();
        let written = fields.schema(&["parameters"]).or_else(|| signature::parameters(&graph));
        let parameters = action.and_then(|action| action.parameters.clone()).or(written);
        let output = signature::output(&graph).and_then(|_| fields.schema(&["output"]));
        let output = action.and_then(|action| action.output.clone()).or(output);
        let tags = fields.texts(&["tags"]);
        let (definition, problems) = Definition::check(&graph, parameters.as_ref());
        for problem in problems {
            let at = node.locate(&problem.field);
            match problem.severity {
                Severity::Error => report.error(at, &problem.field, problem.message),
                Severity::Warning => report.warning(at, &problem.field, problem.message),
            }
        }
        let description = fields.text(&["description"]);
        let label = fields.label(reference.as_ref());
        let version = version(&fields);
        let definition = definition?;
        Some(Self {
            file: report.file.to_owned(),
            reference: reference?,
            label: action.map_or(label, |action| action.label.clone()),
            description: action.and_then(|action| action.description.clone()).or(description),
            version,
            parameters,
            output,
            tags: action
                .map(|action| action.tags.clone())
                .filter(|it| !it.is_empty())
                .unwrap_or(tags),
            graph,
            permission_set_refs: definition.permission_set_refs().map(str::to_owned).collect(),
            calls: calls(&definition, node),
        })
    }

    /// The actions that it executes.
    pub fn actions(&self) -> impl Iterator<Item = &ComponentRef> {
        self.calls.iter().map(|call| &call.action)
    }

    /// The action that executes a workflow that no action's file names.
    pub(crate) fn companion(&self) -> ActionDefinition {
        ActionDefinition {
            file: self.file.clone(),
            reference: self.reference.clone(),
            label: self.label.clone(),
            description: self.description.clone(),
            runner: crate::Runner::Known(Runtime::Shell),
            entry_point: String::new(),
            workflow_file: Some(self.file.clone()),
            parameters: self.parameters.clone(),
            output: self.output.clone(),
            parameter_delivery: Default::default(),
            parameter_format: Default::default(),
            output_format: Default::default(),
            runtime_version: None,
            default_execution_permission_set_refs: Vec::new(),
            accesses_mcp: false,
            tags: self.tags.clone(),
            placement: Placement::default(),
            runner_at: Position::default(),
        }
    }
}

fn own_ref(fields: &Fields<'_>, context: Context<'_>, report: Report<'_>) -> Option<ComponentRef> {
    if fields.find(&["ref"]).is_some() {
        return fields.own_ref(context, false);
    }
    let full = format!("{}.{}", context.pack?, name_of(report.file));
    fields.to_ref(context, "ref", fields.at, &full, false)
}

/// The name that a workflow has by its file: `deploy` of `deploy.workflow.yaml`.
pub(crate) fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_suffix(".workflow").unwrap_or(&stem).to_owned()
}

/// The version; a number is taken for one as well, as Orquesta writes it.
fn version(fields: &Fields<'_>) -> String {
    match fields.find(&["version"]) {
        None => {
            fields.warning(fields.at, "version", format!("missing, so it counts as {VERSION}"));
            VERSION.to_owned()
        }
        Some((_, Node { kind: Kind::Number(number), .. })) => number.to_string(),
        Some(_) => fields.text(&["version"]).unwrap_or_default(),
    }
}

fn calls(definition: &Definition, node: &Node) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut add = |action: &ComponentRef, field: String| {
        let at = node.locate(&field);
        calls.push(Call { action: action.clone(), field, at });
    };
    for (index, task) in definition.tasks.iter().enumerate() {
        let field = match definition.dialect {
            Dialect::Classic => format!("tasks[{index}]"),
            Dialect::Orquesta => format!("tasks.{}", task.name),
        };
        match &task.work {
            Work::Nothing => {}
            Work::Action(call) => add(&call.action, format!("{field}.action")),
            Work::Parallel(branches) => {
                let tasks = format!("{field}.tasks");
                let listed =
                    matches!(node.find(&tasks).map(|node| &node.kind), Some(Kind::List(_)));
                for (index, branch) in branches.iter().enumerate() {
                    let field = match listed {
                        true => format!("{tasks}[{index}].action"),
                        false => format!("{tasks}.{}.action", branch.name),
                    };
                    add(&branch.call.action, field);
                }
            }
        }
    }
    calls
}
