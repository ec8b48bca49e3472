//! `rules/*.yaml`: which event executes which action.

use crate::fields::{Context, Fields};
use crate::node::{Kind, Node};
use crate::problem::{Position, Report};
use crate::timer;
use attune_domain::reference::ComponentRef;
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::PathBuf;

/// What a rule's file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleDefinition {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it fires; true if the file does not say.
    pub enabled: bool,
    /// The trigger whose events it cares about.
    pub trigger_ref: ComponentRef,
    /// Settings of the trigger.
    pub trigger_params: Map<String, Value>,
    /// What it executes.
    pub action_ref: ComponentRef,
    /// Parameters with templates.
    pub action_params: Map<String, Value>,
    /// Which events: a mapping or a list; `{}` for all.
    pub conditions: Value,
    /// Permission sets of the execution's token; `None` inherits from the action.
    pub permission_set_refs: Option<Vec<String>>,
    /// Where `trigger_ref` stands, for what can be said once all files are read.
    #[serde(skip)]
    pub(crate) trigger_at: Position,
    /// Where `action_ref` stands.
    #[serde(skip)]
    pub(crate) action_at: Position,
}

impl RuleDefinition {
    pub(crate) fn read(node: &Node, context: Context<'_>, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        if fields.nameless() {
            return None;
        }
        let reference = fields.own_ref(context, true);
        fields.require(&["trigger_ref"]);
        fields.require(&["action_ref"]);
        let trigger_ref = fields.component_ref(context, "trigger_ref", true);
        let action_ref = fields.component_ref(context, "action_ref", true);
        if let Some(timer) = trigger_ref.as_ref().and_then(timer::trigger) {
            timer::check(&fields, "trigger_params", Some(timer));
        }
        // What is required comes last, so that the other fields have been looked at before.
        Some(Self {
            file: report.file.to_owned(),
            label: fields.label(reference.as_ref()),
            description: fields.text(&["description"]),
            enabled: fields.flag(&["enabled"], true),
            trigger_params: fields.object(&["trigger_params"]),
            action_params: fields.object(&["action_params"]),
            conditions: read_conditions(&fields),
            permission_set_refs: fields
                .text_or_texts(&["permission_set_refs", "permission_set_ref"])
                .map(|refs| refs.into_iter().map(|(_, text)| text).collect()),
            trigger_at: fields.place("trigger_ref"),
            action_at: fields.place("action_ref"),
            trigger_ref: trigger_ref?,
            action_ref: action_ref?,
            reference: reference?,
        })
    }
}

fn read_conditions(fields: &Fields<'_>) -> Value {
    match fields.find(&["conditions"]) {
        None => Value::Object(Map::new()),
        Some((_, node)) if matches!(node.kind, Kind::Map(_) | Kind::List(_)) => node.to_value(),
        Some((name, node)) => {
            let message = format!("expected a mapping or a list, found {}", node.describe());
            fields.error(node.at, name, message);
            Value::Null
        }
    }
}
