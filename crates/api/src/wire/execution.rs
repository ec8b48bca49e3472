//! Executions.

use attune_domain::catalogue::Placement;
use attune_domain::execution::Execution;
use attune_ports::records::{Record, Unreadable};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where an execution stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ExecutionStatus {
    /// Asked for; not admitted yet, or waiting in line.
    Requested,
    /// Being placed.
    Scheduling,
    /// Waits for a runner.
    Scheduled,
    /// Runs.
    Running,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Told to stop.
    Canceling,
    /// Stopped.
    Cancelled,
    /// Nobody answered in time.
    Timeout,
    /// Its runner died.
    Abandoned,
}

/// Asks for an execution.
#[derive(Deserialize, ToSchema)]
pub struct ExecuteRequest {
    /// What to execute.
    pub action_ref: String,
    /// How.
    #[serde(flatten)]
    pub with: ExecuteActionRequest,
}

/// Asks for an execution of an action that the path names.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ExecuteActionRequest {
    /// Parameters, checked against the action's schema.
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
    /// Kept with the execution and inherited by its children; not exported to the process.
    pub env_vars: Option<BTreeMap<String, String>>,
    /// Scope of the process's token; the action's own where missing.
    pub permission_set_refs: Option<Vec<String>>,
    /// 0 goes first, 9 last.
    #[schema(maximum = 9)]
    pub priority: Option<u8>,
    /// `versions`, `days`, `hours` or `minutes`.
    pub artifact_retention_policy: Option<String>,
    /// How many of those.
    pub artifact_retention_limit: Option<i32>,
    /// Labels a worker must have.
    #[schema(value_type = Option<Object>)]
    pub worker_selector: Option<Value>,
    /// Taints it tolerates.
    #[schema(value_type = Option<Vec<Object>>)]
    pub worker_tolerations: Option<Value>,
    /// Preferences among workers.
    #[schema(value_type = Option<Object>)]
    pub worker_affinity: Option<Value>,
}

impl ExecuteActionRequest {
    /// What of it is kept and returned as it came.
    #[must_use]
    pub fn placement(&self) -> Placement {
        Placement {
            artifact_retention_policy: self.artifact_retention_policy.clone(),
            artifact_retention_limit: self.artifact_retention_limit,
            worker_selector: self.worker_selector.clone(),
            worker_tolerations: self.worker_tolerations.clone(),
            worker_affinity: self.worker_affinity.clone(),
            ..Placement::default()
        }
    }
}

/// An execution.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecutionResponse {
    /// Wire id.
    pub id: i64,
    /// The action's id at the time.
    pub action: Option<i64>,
    /// What runs.
    pub action_ref: String,
    /// Parameters as given, secrets marked; `null` where there are none.
    #[schema(value_type = Object)]
    pub config: Option<Value>,
    /// What came of it.
    #[schema(value_type = Object)]
    pub result: Option<Value>,
    /// Where it stands.
    #[schema(value_type = ExecutionStatus)]
    pub status: attune_domain::status::ExecutionStatus,
    /// In whose name it runs.
    pub executor: Option<i64>,
    /// The enforcement that asked for it.
    pub enforcement: Option<i64>,
    /// The workflow execution it belongs to.
    pub parent: Option<i64>,
    /// Always `null`: runners are not registered.
    pub worker: Option<i64>,
    /// The first attempt that this one repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_execution: Option<i64>,
    /// Scope of the process's token.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permission_set_refs: Vec<String>,
    /// `versions`, `days`, `hours` or `minutes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_retention_policy: Option<String>,
    /// How many of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_retention_limit: Option<i32>,
    /// As asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub worker_selector: Option<Value>,
    /// As asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub worker_tolerations: Option<Value>,
    /// As asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub worker_affinity: Option<Value>,
    /// The workflow task it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub workflow_task: Option<Value>,
    /// When a runner first had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl ExecutionResponse {
    /// An execution with its parameters and result, wherever those lay.
    #[must_use]
    pub fn new(execution: Execution, config: Option<Value>, result: Option<Value>) -> Self {
        let placement = execution.placement;
        Self {
            id: execution.id.get(),
            action: execution.action.map(|id| id.get()),
            action_ref: execution.action_ref.to_string(),
            config,
            result,
            status: execution.status,
            executor: execution.executor.map(|id| id.get()),
            enforcement: execution.enforcement.map(|id| id.get()),
            parent: execution.parent.map(|id| id.get()),
            worker: None,
            original_execution: execution.original_execution.map(|id| id.get()),
            permission_set_refs: execution.permission_set_refs,
            artifact_retention_policy: placement.artifact_retention_policy,
            artifact_retention_limit: placement.artifact_retention_limit,
            worker_selector: placement.worker_selector,
            worker_tolerations: placement.worker_tolerations,
            worker_affinity: placement.worker_affinity,
            workflow_task: execution.workflow_task,
            started_at: execution.started_at,
            created: execution.created,
            updated: execution.updated,
        }
    }
}

/// An execution in a list, copied from its record's text without reading what it means.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ExecutionSummary<'a> {
    /// Wire id.
    #[serde(borrow)]
    #[schema(value_type = i64)]
    id: &'a RawValue,
    /// What runs.
    #[serde(borrow)]
    #[schema(value_type = String)]
    action_ref: &'a RawValue,
    /// Where it stands.
    #[serde(borrow)]
    #[schema(value_type = ExecutionStatus)]
    status: &'a RawValue,
    /// The workflow execution it belongs to.
    #[serde(default, borrow)]
    #[schema(value_type = Option<i64>)]
    parent: Option<&'a RawValue>,
    /// The enforcement that asked for it.
    #[serde(default, borrow)]
    #[schema(value_type = Option<i64>)]
    enforcement: Option<&'a RawValue>,
    /// The rule of the enforcement.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>)]
    rule_ref: Option<&'a RawValue>,
    /// The trigger of its event.
    #[serde(default, borrow)]
    #[schema(value_type = Option<String>)]
    trigger_ref: Option<&'a RawValue>,
    /// The first attempt that this one repeats.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    original_execution: Option<&'a RawValue>,
    /// The workflow task it belongs to.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    workflow_task: Option<&'a RawValue>,
    /// When a runner first had it.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    started_at: Option<&'a RawValue>,
    /// When it was asked for.
    #[serde(borrow)]
    #[schema(value_type = DateTime<Utc>)]
    created: &'a RawValue,
    /// When it last changed.
    #[serde(borrow)]
    #[schema(value_type = DateTime<Utc>)]
    updated: &'a RawValue,
}

impl<'a> ExecutionSummary<'a> {
    /// Finds the fields in a record.
    ///
    /// # Errors
    /// [`Unreadable`] where the record holds no execution.
    pub fn of(record: &'a Record) -> Result<Self, Unreadable> {
        serde_json::from_slice(&record.body)
            .map_err(|source| Unreadable { key: record.key.clone(), source })
    }
}

/// How many executions stand where.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExecutionStats {
    /// All.
    pub total: u64,
    /// Ended well.
    pub completed: u64,
    /// Ended badly.
    pub failed: u64,
    /// Running.
    pub running: u64,
    /// Not running yet.
    pub pending: u64,
    /// Stopped, or being stopped.
    pub cancelled: u64,
    /// Nobody answered in time.
    pub timeout: u64,
    /// Their runner died.
    pub abandoned: u64,
}

/// What an execution printed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecutionLogs {
    /// The execution.
    pub execution: i64,
    /// Its standard output.
    pub stdout: LogText,
    /// Its standard error.
    pub stderr: LogText,
}

/// A part of what an execution printed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogText {
    /// The text; bytes that are no UTF-8 are replaced.
    pub content: String,
    /// Where it starts, in bytes.
    pub offset: u64,
    /// Where the next part starts, in bytes.
    pub next_offset: u64,
    /// Whether nothing follows: the execution is over and this is the end.
    pub complete: bool,
}
