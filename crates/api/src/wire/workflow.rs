//! Workflows.

use attune_catalogue::workflows::WorkflowChange;
use attune_domain::catalogue::Workflow;
use attune_domain::workflow::Problem;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A workflow to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateWorkflowRequest {
    /// `pack.name`.
    #[serde(rename = "ref")]
    #[schema(example = "deploy.rollout")]
    pub reference: String,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Any text.
    #[schema(min_length = 1, max_length = 50)]
    pub version: String,
    /// Parameters.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Output.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// The graph, as its file would have it.
    #[schema(value_type = Object)]
    pub definition: Value,
    /// Search words.
    pub tags: Option<Vec<String>>,
}

/// Changes of a workflow; `null` or missing, unchanged.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct UpdateWorkflowRequest {
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Any text.
    #[schema(min_length = 1, max_length = 50)]
    pub version: Option<String>,
    /// Parameters.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Output.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// Another graph. Runs that have begun go on with the old one.
    #[schema(value_type = Option<Object>)]
    pub definition: Option<Value>,
    /// Search words.
    pub tags: Option<Vec<String>>,
}

impl From<UpdateWorkflowRequest> for WorkflowChange {
    fn from(request: UpdateWorkflowRequest) -> Self {
        Self {
            label: request.label,
            description: request.description,
            version: request.version,
            param_schema: request.param_schema,
            out_schema: request.out_schema,
            definition: request.definition,
            tags: request.tags,
        }
    }
}

/// A workflow as an editor saves it: its ref is `<pack_ref>.<name>`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct SaveWorkflowFileRequest {
    /// The part of its ref behind the dot.
    #[schema(example = "rollout")]
    pub name: String,
    /// For people.
    #[schema(min_length = 1, max_length = 255)]
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// Any text.
    #[schema(min_length = 1, max_length = 50)]
    pub version: String,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// The graph.
    #[schema(value_type = Object)]
    pub definition: Value,
    /// Parameters.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Output.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// Search words.
    pub tags: Option<Vec<String>>,
}

/// A workflow in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkflowSummary {
    /// Its id.
    pub id: i64,
    /// Its name, and that of the action that executes it.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its pack.
    pub pack_ref: String,
    /// For people.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// As its file writes it.
    pub version: String,
    /// Search words.
    pub tags: Vec<String>,
    /// When it came.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Workflow> for WorkflowSummary {
    fn from(workflow: Workflow) -> Self {
        Self {
            id: workflow.id.get(),
            reference: workflow.reference.to_string(),
            pack_ref: workflow.pack_ref.to_string(),
            label: workflow.label,
            description: workflow.description,
            version: workflow.version,
            tags: workflow.tags,
            created: workflow.created,
            updated: workflow.updated,
        }
    }
}

/// A workflow.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkflowResponse {
    /// What lists tell as well.
    #[serde(flatten)]
    pub summary: WorkflowSummary,
    /// Id of its pack.
    pub pack: i64,
    /// Parameters.
    #[schema(value_type = Option<Object>)]
    pub param_schema: Option<Value>,
    /// Output.
    #[schema(value_type = Option<Object>)]
    pub out_schema: Option<Value>,
    /// The graph.
    #[schema(value_type = Object)]
    pub definition: Value,
}

impl WorkflowResponse {
    /// The workflow with its graph, wherever that lies.
    #[must_use]
    pub fn of(mut workflow: Workflow, graph: Value) -> Self {
        Self {
            pack: workflow.pack.get(),
            param_schema: workflow.param_schema.take(),
            out_schema: workflow.out_schema.take(),
            definition: graph,
            summary: workflow.into(),
        }
    }
}

/// What became of a workflow's file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkflowSyncResult {
    /// The workflow's ref.
    pub ref_name: String,
    /// Whether it is new.
    pub created: bool,
    /// Its id.
    pub workflow_def_id: i64,
    /// What its author should look at.
    pub warnings: Vec<String>,
}

/// What became of a pack's workflow files.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PackWorkflowSyncResponse {
    /// The pack.
    pub pack_ref: String,
    /// How many files could be read.
    pub loaded_count: usize,
    /// How many workflows are stored.
    pub registered_count: usize,
    /// Those.
    pub workflows: Vec<WorkflowSyncResult>,
    /// What is wrong with the others.
    pub errors: Vec<String>,
}

/// What is wrong with a pack's workflow files.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PackWorkflowValidationResponse {
    /// The pack.
    pub pack_ref: String,
    /// How many were looked at.
    pub validated_count: usize,
    /// How many of them have errors.
    pub error_count: usize,
    /// The errors by the workflow's ref.
    pub errors: BTreeMap<String, Vec<String>>,
}

/// One problem of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkflowProblem {
    /// Dotted path of the field, such as `tasks[2].next[0].do[1]`; empty for the workflow as a whole.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl From<&Problem> for WorkflowProblem {
    fn from(problem: &Problem) -> Self {
        Self { field: problem.field.clone(), message: problem.message.clone() }
    }
}

/// Whether a workflow can be run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WorkflowValidationResponse {
    /// The workflow.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Whether there are no errors.
    pub valid: bool,
    /// What keeps it from being run, or some task of it.
    pub errors: Vec<WorkflowProblem>,
    /// What its author should look at.
    pub warnings: Vec<WorkflowProblem>,
}
