//! `runtimes/*.yaml`: interpreters, described as data.

use crate::fields::{Context, Fields};
use crate::node::Node;
use crate::problem::Report;
use attune_domain::reference::ComponentRef;
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// What a runtime's file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuntimeDefinition {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Its name for machines.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// Its name for people: `name`, else derived from the ref.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// Other names by which a runner may be called.
    pub aliases: Vec<String>,
    /// Where interpreters come from, as written.
    pub distributions: Map<String, Value>,
    /// How one is installed, as written.
    pub installation: Option<Value>,
    /// Interpreter, environment and dependencies, as written.
    pub execution_config: Map<String, Value>,
    /// Versions, as written.
    pub versions: Vec<Value>,
}

impl RuntimeDefinition {
    pub(crate) fn read(node: &Node, context: Context<'_>, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        if fields.nameless() {
            return None;
        }
        let reference = fields.own_ref(context, false);
        // What is required comes last, so that the other fields have been looked at before.
        Some(Self {
            file: report.file.to_owned(),
            name: fields.text(&["name"]).unwrap_or_else(|| fields.label(reference.as_ref())),
            description: fields.text(&["description"]),
            aliases: fields.texts(&["aliases"]),
            distributions: fields.object(&["distributions"]),
            installation: fields.mapping("installation"),
            execution_config: fields.object(&["execution_config"]),
            versions: fields
                .list("versions")
                .into_iter()
                .filter_map(|(path, node)| Fields::of(node, &path, report).map(|_| node.to_value()))
                .collect(),
            reference: reference?,
        })
    }

    /// Whether a runner's `name` means this runtime, in any case.
    pub(crate) fn answers_to(&self, name: &str) -> bool {
        self.reference.as_str().eq_ignore_ascii_case(name)
            || self.name.eq_ignore_ascii_case(name)
            || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}
