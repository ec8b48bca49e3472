//! `actions/*.yaml`: what can be executed.

use crate::fields::{Context, Fields};
use crate::node::Node;
use crate::placement;
use crate::problem::{Position, Report};
use crate::runner::Runner;
use attune_domain::catalogue::{OutputFormat, ParameterDelivery, ParameterFormat, Placement};
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use serde::Serialize;
use serde_json::Value;
use std::path::{Component, Path, PathBuf};

const DELIVERIES: [(&str, ParameterDelivery); 2] =
    [("stdin", ParameterDelivery::Stdin), ("file", ParameterDelivery::File)];
const PARAMETER_FORMATS: [(&str, ParameterFormat); 3] = [
    ("json", ParameterFormat::Json),
    ("yaml", ParameterFormat::Yaml),
    ("dotenv", ParameterFormat::Dotenv),
];
const OUTPUT_FORMATS: [(&str, OutputFormat); 4] = [
    ("text", OutputFormat::Text),
    ("json", OutputFormat::Json),
    ("yaml", OutputFormat::Yaml),
    ("jsonl", OutputFormat::Jsonl),
];

/// What an action's file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionDefinition {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// What runs it; shell if the file does not say.
    pub runner: Runner,
    /// File under `actions/`, inline shell code, or a built-in's name; may be empty.
    pub entry_point: String,
    /// The workflow's file relative to the pack's root, for an action that is a workflow.
    pub workflow_file: Option<PathBuf>,
    /// Parameters, flat or JSON Schema.
    pub parameters: Option<Value>,
    /// Output, flat or JSON Schema.
    pub output: Option<Value>,
    /// How parameters reach the process.
    pub parameter_delivery: ParameterDelivery,
    /// How they are written.
    pub parameter_format: ParameterFormat,
    /// How standard output is read.
    pub output_format: OutputFormat,
    /// Constraint on the interpreter's version.
    pub runtime_version: Option<String>,
    /// Permission sets of the token that its process gets; none, no token.
    pub default_execution_permission_set_refs: Vec<String>,
    /// Whether it talks to model-context servers.
    pub accesses_mcp: bool,
    /// Search words of a workflow.
    pub tags: Vec<String>,
    /// Retention and placement.
    pub placement: Placement,
    /// Where `runner_type` stands, for what can be said once all files are read.
    #[serde(skip)]
    pub(crate) runner_at: Position,
}

impl ActionDefinition {
    pub(crate) fn read(node: &Node, context: Context<'_>, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        if fields.nameless() {
            return None;
        }
        let reference = fields.own_ref(context, false);
        let runner = fields
            .text(&["runner_type"])
            .map_or(Runner::Known(Runtime::Shell), |name| Runner::from_name(&name));
        let entry_point = fields.text(&["entry_point"]).unwrap_or_default();
        let workflow_file = read_workflow_file(&fields, context);
        if fields.find(&["workflow_file"]).is_none() {
            check_entry_point(&fields, context, "actions", &runner, &entry_point);
        }
        // What is required comes last, so that the other fields have been looked at before.
        Some(Self {
            file: report.file.to_owned(),
            label: fields.label(reference.as_ref()),
            description: fields.text(&["description"]),
            runner,
            entry_point,
            workflow_file,
            parameters: fields.schema(&["parameters"]),
            output: fields.schema(&["output"]),
            parameter_delivery: fields.word("parameter_delivery", &DELIVERIES).unwrap_or_default(),
            parameter_format: fields
                .word("parameter_format", &PARAMETER_FORMATS)
                .unwrap_or_default(),
            output_format: fields.word("output_format", &OUTPUT_FORMATS).unwrap_or_default(),
            runtime_version: fields.text(&["runtime_version"]),
            default_execution_permission_set_refs: fields
                .texts(&["default_execution_permission_set_refs"]),
            accesses_mcp: fields.flag(&["accesses_mcp"], false),
            tags: fields.texts(&["tags"]),
            placement: placement::read(&fields),
            runner_at: fields.place("runner_type"),
            reference: reference?,
        })
    }
}

/// Checks that an entry point that must be a file under `folder` stays in the pack, and warns where
/// it is not there. Shell code may be inline and native built-ins have no file, so only interpreters are sure to
/// need one.
pub(crate) fn check_entry_point(
    fields: &Fields<'_>,
    context: Context<'_>,
    folder: &str,
    runner: &Runner,
    entry_point: &str,
) {
    let at = fields.place("entry_point");
    if fields.find(&["entry_point"]).is_some_and(|(_, node)| node.as_text().is_none()) {
        return; // What is no text is reported already.
    }
    if entry_point.is_empty() {
        fields.warning(at, "entry_point", "missing, so there is nothing to run");
    } else if matches!(runner.runtime(), Some(Runtime::Python | Runtime::Node)) {
        match within(Path::new(folder), entry_point) {
            Some(path) if !context.root.join(&path).is_file() => {
                fields.warning(at, "entry_point", format!("no file {}", path.display()));
            }
            Some(_) => {}
            None => fields.error(at, "entry_point", "expected a path that stays in the pack"),
        }
    }
}

fn read_workflow_file(fields: &Fields<'_>, context: Context<'_>) -> Option<PathBuf> {
    let text = fields.text(&["workflow_file"])?;
    let (name, node) = fields.find(&["workflow_file"])?;
    let Some(path) = within(Path::new("actions"), &text) else {
        fields.error(node.at, name, "expected a path that stays in the pack");
        return None;
    };
    if !context.root.join(&path).is_file() {
        fields.error(node.at, name, format!("no file {}", path.display()));
        return None;
    }
    Some(path)
}

/// Joins `text` to `base` and takes out `.` and `..`; `None` where that leaves the pack.
fn within(base: &Path, text: &str) -> Option<PathBuf> {
    let mut path = base.to_owned();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_pack() {
        for (text, path) in [
            ("a.py", Some("actions/a.py")),
            ("./lib/../a.py", Some("actions/a.py")),
            ("../workflows/w.yaml", Some("workflows/w.yaml")),
            ("../../etc/passwd", None),
            ("/etc/passwd", None),
        ] {
            assert_eq!(within(Path::new("actions"), text), path.map(PathBuf::from), "{text}");
        }
    }
}
