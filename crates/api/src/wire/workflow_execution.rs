//! Executions of workflows.

use super::execution::ExecutionResponse;
use attune_domain::workflow::Run;
use attune_domain::workflow::run::{self, Source, TaskState};
use attune_domain::workflow::standing::Progress;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// An execution of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowExecutionResponse {
    /// What every execution tells.
    #[serde(flatten)]
    pub execution: ExecutionResponse,
    /// How the workflow goes; `null` before it has begun.
    pub run: Option<WorkflowRun>,
}

/// How a workflow goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowRun {
    /// Whether it goes on.
    #[schema(value_type = WorkflowRunStatus)]
    pub status: run::Status,
    /// Digest of the definition that it started with.
    pub definition: String,
    /// Tasks entered so far, each visit counted.
    pub steps: u64,
    /// Tasks that failed without anything that follows dealing with it.
    pub failed_tasks: BTreeSet<String>,
    /// Why it has failed whatever its tasks say.
    pub fault: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
}

impl From<&Run> for WorkflowRun {
    fn from(run: &Run) -> Self {
        Self {
            status: run.status,
            definition: run.definition.clone(),
            steps: run.steps,
            failed_tasks: run.failed.clone(),
            fault: run.fault.clone(),
            started_at: run.started,
        }
    }
}

/// Whether a workflow goes on.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum WorkflowRunStatus {
    /// It goes on.
    Running,
    /// What runs ends; nothing new begins.
    Paused,
    /// What runs ends, and then it is over.
    Canceling,
    /// It is over.
    Over,
}

/// A task of a workflow's execution.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct WorkflowTaskResponse {
    /// Its name.
    pub name: String,
    /// What it executes; `null`, nothing, or several at once, which stand as tasks of their own below it.
    pub action_ref: Option<String>,
    /// The parallel task that it is a branch of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch_of: Option<String>,
    /// Where it stands.
    #[schema(value_type = WorkflowTaskStatus)]
    pub status: attune_domain::workflow::standing::Status,
    /// How often it was entered.
    pub visits: u32,
    /// Tries of its latest visit beyond the first.
    pub retries: u32,
    /// When its latest visit began.
    pub started_at: Option<DateTime<Utc>>,
    /// When its latest visit ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Its execution; of a task with several the latest ones. All are children of the workflow's execution.
    pub executions: Vec<i64>,
    /// How far it has come, where it has several executions.
    pub items: Option<WorkflowTaskItems>,
    /// Why it ended badly.
    pub error: Option<String>,
}

/// Where a task stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum WorkflowTaskStatus {
    /// It was not begun.
    Pending,
    /// It was begun and has not ended.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended badly.
    Failed,
    /// It ran out of time.
    TimedOut,
    /// Its condition did not hold.
    Skipped,
    /// It was stopped on request.
    Cancelled,
}

/// How far a task with several executions has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkflowTaskItems {
    /// Executions in all.
    pub total: u32,
    /// How many ended well.
    pub succeeded: u32,
    /// How many ended badly in the latest try.
    pub failed: u32,
    /// How many were stopped in the latest try.
    pub cancelled: u32,
    /// How many have not ended.
    pub running: u32,
}

impl From<Progress> for WorkflowTaskItems {
    fn from(progress: Progress) -> Self {
        let Progress { total, succeeded, failed, cancelled, running } = progress;
        Self { total, succeeded, failed, cancelled, running }
    }
}

/// What the expressions of a workflow's execution may read.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowContextResponse {
    /// Parameters as given, secrets marked.
    #[schema(value_type = Object)]
    pub parameters: Value,
    /// Variables.
    #[schema(value_type = Object)]
    pub vars: Value,
    /// Where the results of tasks are, by the task's name.
    pub results: BTreeMap<String, WorkflowResultReference>,
}

/// Where the result of a task is.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct WorkflowResultReference {
    /// It is that of this execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<i64>,
    /// It was gathered from this many executions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executions: Option<u32>,
    /// Nothing was executed, for this reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl WorkflowResultReference {
    /// Where the result of a task is that has ended; `None`, it has none.
    #[must_use]
    pub fn of(state: &TaskState) -> Option<Self> {
        state.outcome?;
        let nothing = Self { execution: None, executions: None, error: None };
        match &state.result {
            Source::Nothing => None,
            Source::Execution(id) => Some(Self { execution: Some(id.get()), ..nothing }),
            Source::NoItems => Some(Self { executions: Some(0), ..nothing }),
            Source::Gathered(_) => {
                let total = state.left.as_ref().map(|working| working.total);
                Some(Self { executions: total, ..nothing })
            }
            Source::Error(error) => Some(Self { error: Some(error.clone()), ..nothing }),
        }
    }
}

/// A drawing of a workflow's execution as JSON.
#[derive(ToSchema)]
pub struct WorkflowGraph {
    /// Its tasks: `name`, `kind`, `action`, `status`, `visits`, `join`, `branches` and `progress`.
    pub nodes: Vec<Map<String, Value>>,
    /// What leads from one to another: `from`, `to` or `command`, `label` and `taken`.
    pub edges: Vec<Map<String, Value>>,
}

/// What is to be done again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryWorkflowRequest {
    /// The task to start from; what failed and was not dealt with where missing.
    pub from_task: Option<String>,
    /// Parameters instead of the first ones; the same where missing.
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
}
