//! `triggers/*.yaml`: kinds of events.

use crate::fields::{Context, Fields};
use crate::node::Node;
use crate::problem::Report;
use crate::timer;
use attune_domain::cloud_event::{self, CloudEventSource};
use attune_domain::reference::ComponentRef;
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// What a trigger's file says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TriggerDefinition {
    /// The file, relative to the pack's root.
    pub file: PathBuf,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it is enabled; true if the file does not say.
    pub enabled: bool,
    /// Schema of a rule's `trigger_params`.
    pub parameters: Option<Value>,
    /// Schema of the payload.
    pub output: Option<Value>,
    /// A timer of its own, such as `{"type": "interval", "seconds": 10}`: the mapping under `timer`,
    /// or under `config` if its `type` is a timer's.
    pub timer: Option<Value>,
    /// Which events of the cloud are its events: the mapping under `config`, if its `type` is `cloud_event`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_event: Option<Value>,
}

impl TriggerDefinition {
    pub(crate) fn read(node: &Node, context: Context<'_>, report: Report<'_>) -> Option<Self> {
        let fields = Fields::of(node, "", report)?;
        if fields.nameless() {
            return None;
        }
        let reference = fields.own_ref(context, false);
        // What is required comes last, so that the other fields have been looked at before.
        Some(Self {
            file: report.file.to_owned(),
            label: fields.label(reference.as_ref()),
            description: fields.text(&["description"]),
            enabled: fields.flag(&["enabled"], true),
            parameters: fields.schema(&["parameters"]),
            output: fields.schema(&["output"]),
            timer: read_timer(&fields),
            cloud_event: read_cloud_event(&fields),
            reference: reference?,
        })
    }
}

fn read_timer(fields: &Fields<'_>) -> Option<Value> {
    let (name, config) = match fields.mapping("timer") {
        Some(config) => ("timer", config),
        None => ("config", fields.mapping("config").filter(timer::says_so)?),
    };
    timer::check(fields, name, None);
    Some(config)
}

fn read_cloud_event(fields: &Fields<'_>) -> Option<Value> {
    let config = fields.mapping("config").filter(cloud_event::says_so)?;
    if fields.mapping("timer").is_some() {
        let message = "a trigger has either a timer or events of the cloud, not both";
        fields.error(fields.place("config"), "config", message);
    }
    if let Err(error) = CloudEventSource::parse(&config) {
        let mut at = fields.place("config");
        let mut node = fields.find(&["config"]).map(|(_, node)| node);
        for key in error.keys() {
            node = node.and_then(|node| node.get(key));
            at = node.map_or(at, |node| node.at);
        }
        fields.error(at, &format!("config.{}", error.field), error.to_string());
    }
    Some(config)
}
