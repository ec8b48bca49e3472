//! `permission_sets/*.yaml`: named sets of grants.

use crate::fields::{Context, Fields};
use crate::node::Node;
use crate::problem::Report;
use attune_domain::reference::ComponentRef;
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

const RESOURCES: [&str; 17] = [
    "packs",
    "actions",
    "queues",
    "rules",
    "triggers",
    "executions",
    "events",
    "enforcements",
    "inquiries",
    "keys",
    "artifacts",
    "runtimes",
    "workers",
    "retention",
    "identities",
    "permissions",
    "audit_log",
];
const ACTIONS: [&str; 11] = [
    "read",
    "create",
    "install",
    "configure",
    "update",
    "delete",
    "execute",
    "cancel",
    "respond",
    "manage",
    "decrypt",
];

/// What a permission set's file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PermissionSetDefinition {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// What it allows: any of these suffices.
    pub grants: Vec<Grant>,
}

/// What one grant allows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grant {
    /// A kind of resource, such as `rules`.
    pub resource: String,
    /// What may be done, such as `read`.
    pub actions: Vec<String>,
    /// On which of the resources; all, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Value>,
}

impl PermissionSetDefinition {
    pub(crate) fn read(node: &Node, context: Context<'_>, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        if fields.nameless() {
            return None;
        }
        let reference = fields.own_ref(context, false);
        if fields.find(&["grants"]).is_none() {
            fields.warning(fields.at, "grants", "missing, so the file is skipped");
            return None;
        }
        // What is required comes last, so that the other fields have been looked at before.
        Some(Self {
            file: report.file.to_owned(),
            label: fields.label(reference.as_ref()),
            description: fields.text(&["description"]),
            grants: fields
                .list("grants")
                .into_iter()
                .filter_map(|(path, node)| Grant::read(node, &path, report))
                .collect(),
            reference: reference?,
        })
    }
}

impl Grant {
    fn read(node: &Node, path: &str, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, path, report)?;
        fields.require(&["resource"]);
        fields.require(&["actions"]);
        let actions = fields.texts(&["actions"]);
        if let Some((name, node)) = fields.find(&["actions"]) {
            for word in actions.iter().filter(|word| !ACTIONS.contains(&word.as_str())) {
                fields.error(node.at, name, unknown(word, &ACTIONS));
            }
        }
        let resource = fields.text(&["resource"])?;
        if let Some((name, node)) = fields.find(&["resource"])
            && !RESOURCES.contains(&resource.as_str())
        {
            fields.error(node.at, name, unknown(&resource, &RESOURCES));
        }
        Some(Self { resource, actions, constraints: fields.mapping("constraints") })
    }
}

fn unknown(word: &str, words: &[&str]) -> String {
    format!("unknown word '{word}', expected one of {}", words.join(", "))
}
