//! Actions.

use super::patch::RuntimeVersionConstraintPatch;
use super::placement::{PlacementChange, PlacementRequest, PlacementResponse, runtime_id};

use attune_domain::catalogue::Action;
use attune_domain::id::WorkflowId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An action to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateActionRequest {
    /// `pack.name`.
    #[serde(rename = "ref")]
    #[schema(example = "core.greet")]
    pub reference: String,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `actions/`, inline shell code, or a built-in's name.
    pub entrypoint: String,
    /// Id of a runtime.
    pub runtime: Option<i64>,
    /// Ref or alias of a runtime; `core.shell` if neither is given.
    pub runtime_ref: Option<String>,
    /// Constraint on the interpreter's version.
    pub runtime_version_constraint: Option<String>,
    /// Parameters.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Output.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// Permission sets of the executions' tokens.
    pub default_execution_permission_set_refs: Option<Vec<String>>,
    /// Whether it talks to model-context servers.
    pub accesses_mcp: Option<bool>,
    /// Retention and placement.
    #[serde(flatten)]
    pub placement: PlacementRequest,
}

/// Changes of an action; `null` or missing, unchanged.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct UpdateActionRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `actions/`, inline shell code, or a built-in's name.
    pub entrypoint: Option<String>,
    /// Id of a runtime.
    pub runtime: Option<i64>,
    /// Ref or alias of a runtime.
    pub runtime_ref: Option<String>,
    /// Constraint on the interpreter's version.
    pub runtime_version_constraint: Option<RuntimeVersionConstraintPatch>,
    /// Parameters.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Output.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// Permission sets of the executions' tokens.
    pub default_execution_permission_set_refs: Option<Vec<String>>,
    /// Whether it talks to model-context servers.
    pub accesses_mcp: Option<bool>,
    /// Retention and placement.
    #[serde(flatten)]
    pub placement: PlacementChange,
}

/// An action in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActionSummary {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its pack.
    pub pack_ref: String,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `actions/`, inline shell code, or a built-in's name.
    pub entrypoint: String,
    /// Id of the runtime; `null` where it is none of the built-in ones.
    pub runtime: Option<i64>,
    /// The runtime as written.
    pub runtime_ref: Option<String>,
    /// Constraint on the interpreter's version.
    pub runtime_version_constraint: Option<String>,
    /// Runtime to version constraint.
    #[schema(value_type = Object)]
    pub required_worker_runtimes: Value,
    /// Permission sets of the executions' tokens.
    pub default_execution_permission_set_refs: Vec<String>,
    /// Whether it talks to model-context servers.
    pub accesses_mcp: bool,
    /// Id of the workflow that it stands for.
    pub workflow_def: Option<i64>,
    /// Retention and placement.
    #[serde(flatten)]
    pub placement: PlacementResponse,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Action> for ActionSummary {
    fn from(action: Action) -> Self {
        let required = action.placement.required_worker_runtimes.clone();
        Self {
            id: action.id.get(),
            reference: action.reference.to_string(),
            pack_ref: action.pack_ref.to_string(),
            label: action.label,
            description: action.description,
            entrypoint: action.entrypoint,
            runtime: action.runtime.map(runtime_id),
            runtime_ref: action.runtime_ref,
            runtime_version_constraint: action.runtime_version_constraint,
            required_worker_runtimes: required.unwrap_or_else(|| json!({})),
            default_execution_permission_set_refs: action.default_execution_permission_set_refs,
            accesses_mcp: action.accesses_mcp,
            workflow_def: action.workflow_id.map(WorkflowId::get),
            placement: action.placement.into(),
            created: action.created,
            updated: action.updated,
        }
    }
}

/// An action.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActionResponse {
    /// What lists tell as well.
    #[serde(flatten)]
    pub summary: ActionSummary,
    /// Id of its pack.
    pub pack: i64,
    /// Parameters.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Output.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// Whether it came over the API.
    pub is_adhoc: bool,
}

impl From<Action> for ActionResponse {
    fn from(mut action: Action) -> Self {
        Self {
            pack: action.pack.get(),
            param_schema: action.param_schema.take(),
            out_schema: action.out_schema.take(),
            is_adhoc: action.is_adhoc,
            summary: action.into(),
        }
    }
}

/// An action that a search found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ActionSearchHit {
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its pack.
    pub pack_ref: String,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// The runtime as written.
    pub runtime_ref: Option<String>,
    /// Whether it stands for a workflow.
    pub is_workflow: bool,
    /// Whether it talks to model-context servers.
    pub accesses_mcp: bool,
}

impl From<Action> for ActionSearchHit {
    fn from(action: Action) -> Self {
        Self {
            reference: action.reference.to_string(),
            pack_ref: action.pack_ref.to_string(),
            label: action.label,
            description: action.description,
            is_workflow: action.workflow.is_some(),
            runtime_ref: action.runtime_ref,
            accesses_mcp: action.accesses_mcp,
        }
    }
}
