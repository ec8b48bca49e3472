//! The definitions that packs and the API bring in: packs, actions, workflows, triggers, sensors, rules.

use crate::Timestamp;
use crate::cloud_event::CloudEventSource;
use crate::id::{ActionId, IdentityId, PackId, RuleId, SensorId, TriggerId, WorkflowId};
use crate::payload::Payload;
use crate::reference::{ComponentRef, PackRef};
use crate::runtime::Runtime;
use crate::sealed::Sealed;
use crate::timer::TimerSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A pack: a named, versioned set of definitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pack {
    /// Wire id; survives registering again.
    pub id: PackId,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: PackRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// As the manifest writes it; semver advised.
    pub version: String,
    /// Schema of `config`, flat or JSON Schema.
    pub conf_schema: Value,
    /// Values that templates read as `pack.config`, secrets replaced by a mark.
    pub config: Value,
    /// The secret values taken out of `config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
    /// Free data of the author.
    pub meta: Value,
    /// Search words.
    pub tags: Vec<String>,
    /// Runtimes it names, for information.
    pub runtime_deps: Vec<String>,
    /// Refs of packs it needs.
    pub dependencies: Vec<String>,
    /// Whether it ships with Attune.
    pub is_standard: bool,
    /// Folder with its files, where it has one.
    pub path: Option<String>,
    /// When it first came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// How parameters reach a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterDelivery {
    /// On standard input.
    #[default]
    Stdin,
    /// In a file named by `ATTUNE_PARAMETER_FILE`.
    File,
}

impl ParameterDelivery {
    /// The word in action files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdin => "stdin",
            Self::File => "file",
        }
    }
}

/// How parameters are written for a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterFormat {
    /// One compact object on one line.
    #[default]
    Json,
    /// A block mapping.
    Yaml,
    /// `key='value'` lines.
    Dotenv,
}

impl ParameterFormat {
    /// The word in action files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Dotenv => "dotenv",
        }
    }
}

/// How a process's standard output is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// Never parsed.
    #[default]
    Text,
    /// The whole text, else its last line.
    Json,
    /// The whole document.
    Yaml,
    /// Every line that parses.
    Jsonl,
}

/// Wire fields about retention and placement that Attune keeps and returns as they came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Placement {
    /// `versions`, `days`, `hours` or `minutes`.
    pub log_retention_policy: Option<String>,
    /// How many of those.
    pub log_retention_limit: Option<i32>,
    /// `versions`, `days`, `hours` or `minutes`.
    pub artifact_retention_policy: Option<String>,
    /// How many of those.
    pub artifact_retention_limit: Option<i32>,
    /// Labels a worker must have.
    pub worker_selector: Option<Value>,
    /// Taints it tolerates.
    pub worker_tolerations: Option<Value>,
    /// Preferences among workers.
    pub worker_affinity: Option<Value>,
    /// Runtime to version constraint.
    pub required_worker_runtimes: Option<Value>,
}

/// An action: something that can be executed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Wire id; survives registering again.
    pub id: ActionId,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack: PackId,
    /// That pack's ref.
    pub pack_ref: PackRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `actions/`, inline shell code, or a built-in's name.
    pub entrypoint: String,
    /// What it runs on; `None` where the runner's name is none of ours.
    pub runtime: Option<Runtime>,
    /// The runner's name as written.
    pub runtime_ref: Option<String>,
    /// Constraint on the interpreter's version.
    pub runtime_version_constraint: Option<String>,
    /// Parameters, flat or JSON Schema.
    pub param_schema: Option<Value>,
    /// Output, for redaction.
    pub out_schema: Option<Value>,
    /// How parameters reach the process.
    #[serde(default)]
    pub parameter_delivery: ParameterDelivery,
    /// How they are written.
    #[serde(default)]
    pub parameter_format: ParameterFormat,
    /// How standard output is read.
    #[serde(default)]
    pub output_format: OutputFormat,
    /// Permission sets of the token that its process gets; none, no token.
    #[serde(default)]
    pub default_execution_permission_set_refs: Vec<String>,
    /// Whether it talks to model-context servers; kept for clients.
    #[serde(default)]
    pub accesses_mcp: bool,
    /// Retention and placement as given.
    #[serde(default)]
    pub placement: Placement,
    /// Digest of the graph that it runs, where it is a workflow; see [`Workflow::digest`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Wire id of that workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// Whether it came over the API and not from a pack's files.
    pub is_adhoc: bool,
    /// When it first came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A workflow: a graph of tasks, executed as the action of the same ref.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// Wire id; survives registering again.
    pub id: WorkflowId,
    /// Its name, and that of the action that executes it.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack: PackId,
    /// That pack's ref.
    pub pack_ref: PackRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// As its file writes it.
    pub version: String,
    /// Parameters, flat or JSON Schema.
    pub param_schema: Option<Value>,
    /// Output, flat or JSON Schema.
    pub out_schema: Option<Value>,
    /// The graph, as [`crate::workflow::Definition::parse`] reads it; a large one lies in its blob.
    pub definition: Payload,
    /// SHA-256 of the canonical graph, in hexadecimal: the name under which runs find what they started with.
    pub digest: String,
    /// Search words.
    pub tags: Vec<String>,
    /// Whether it came over the API and not from a pack's files.
    pub is_adhoc: bool,
    /// When it first came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// Webhook door of a trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// `wh_` and 32 hexadecimal digits; the last part of the address.
    pub key: String,
}

/// A trigger: a kind of event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Wire id; survives registering again.
    pub id: TriggerId,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// The pack it belongs to, if any.
    pub pack: Option<PackId>,
    /// That pack's ref.
    pub pack_ref: Option<PackRef>,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Kept for clients: disabling a trigger stops neither webhooks nor matching.
    pub enabled: bool,
    /// Schema of a rule's `trigger_params`.
    pub param_schema: Option<Value>,
    /// Schema of the payload.
    pub out_schema: Option<Value>,
    /// Open while webhooks are enabled.
    pub webhook: Option<Webhook>,
    /// A timer of its own.
    pub timer: Option<Timer>,
    /// Which events of the cloud are its events; it has either this or a timer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud_event: Option<CloudEventSource>,
    /// Whether it came over the API.
    pub is_adhoc: bool,
    /// When it first came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A timer on a rule, a sensor or a trigger: when it ticks and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timer {
    /// When it ticks.
    pub spec: TimerSpec,
    /// The moment of enabling, which interval grids start from.
    pub anchor: Timestamp,
    /// Grows with every change, so that a tick of an older setting is recognised and dropped.
    pub generation: i64,
}

/// A sensor: watches something and emits events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sensor {
    /// Wire id; survives registering again.
    pub id: SensorId,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack: Option<PackId>,
    /// That pack's ref.
    pub pack_ref: Option<PackRef>,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Whether it emits.
    pub enabled: bool,
    /// File under the pack's `sensors/`.
    pub entrypoint: String,
    /// The runner's name as written.
    pub runtime_ref: String,
    /// Triggers it may emit for.
    pub trigger_refs: Vec<ComponentRef>,
    /// Schema of `config`.
    pub param_schema: Option<Value>,
    /// Its configuration, secrets replaced by a mark; may hold a timer's.
    pub config: Option<Value>,
    /// The secret values taken out of `config`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
    /// The timer that `config` describes, if it describes one.
    pub timer: Option<Timer>,
    /// Retention and placement as given.
    #[serde(default)]
    pub placement: Placement,
    /// Whether it came over the API.
    pub is_adhoc: bool,
    /// When it first came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A rule: when an event of `trigger_ref` fulfils `conditions`, execute `action_ref`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Wire id; survives registering again.
    pub id: RuleId,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack: PackId,
    /// That pack's ref.
    pub pack_ref: PackRef,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// The trigger's id while it exists.
    pub trigger: Option<TriggerId>,
    /// Which events it cares about.
    pub trigger_ref: ComponentRef,
    /// Settings of the trigger, such as a timer's interval.
    pub trigger_params: Map<String, Value>,
    /// The action's id while it exists.
    pub action: Option<ActionId>,
    /// What it executes.
    pub action_ref: ComponentRef,
    /// Parameters with templates, literal secrets replaced by a mark.
    pub action_params: Map<String, Value>,
    /// The secret values taken out of `action_params`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Sealed>,
    /// Which of those events.
    pub conditions: Value,
    /// Whether it fires.
    pub enabled: bool,
    /// The timer that `trigger_params` describe, while the rule is enabled.
    pub timer: Option<Timer>,
    /// Permission sets of the execution's token; `None` inherits from the action.
    pub permission_set_refs: Option<Vec<String>>,
    /// Who made it; its executions run in this name.
    pub owner_identity: Option<IdentityId>,
    /// Whether it came over the API.
    pub is_adhoc: bool,
    /// When it first came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}
