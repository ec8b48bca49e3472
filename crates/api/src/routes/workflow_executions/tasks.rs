//! The tasks of a workflow's execution.

use super::Found;
use crate::auth::Caller;
use crate::envelope::ApiResponse;
use crate::error::ErrorResponse;
use crate::extract::Path;
use crate::routes::fetched;
use crate::routes::table::{Table, routes};
use crate::wire::workflow_execution::WorkflowTaskResponse;
use crate::{Context, Error};
use attune_domain::execution::Execution;
use attune_domain::id::ExecutionId;
use attune_domain::workflow::definition::{Definition, Task, Work};
use attune_domain::workflow::run::{Phase, Run, Source, TaskState, Thread};
use attune_domain::workflow::standing::Status;
use attune_journey::layout;
use attune_ports::Ports;
use attune_ports::records::{Index, Query as Range};
use axum::extract::State;
use serde_json::Value;
use std::collections::BTreeMap;

/// Children looked at for tasks that have several, at most: the newest.
const CHILDREN: usize = 200;
/// Failed executions asked for their errors, at most.
const ERRORS: usize = 100;

pub(crate) fn router() -> Table {
    Table::new().routes(routes!(list_workflow_execution_tasks))
}

/// List the tasks of a workflow's execution, in the order of its definition.
#[utoipa::path(
    get, path = "/api/v1/workflow-executions/{id}/tasks", tag = "workflow-executions",
    security(("bearer_auth" = [])), params(("id" = i64, Path)),
    responses(
        (status = 200, body = ApiResponse<Vec<WorkflowTaskResponse>>),
        (status = 401), (status = 403, body = ErrorResponse), (status = 404, body = ErrorResponse)
    )
)]
async fn list_workflow_execution_tasks(
    State(context): State<Context>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<ApiResponse<Vec<WorkflowTaskResponse>>, Error> {
    let ports = &context.ports;
    let found = Found::readable(&context, &caller, id).await?;
    let definition = found.definition(ports).await?;
    let mut tasks = tasks(&definition, found.run.as_ref());
    if tasks.iter().any(|task| task.items.is_some()) {
        add_children(ports, found.execution.id, &mut tasks).await?;
    }
    add_errors(ports, &mut tasks).await?;
    Ok(ApiResponse::of(tasks))
}

/// What the run itself knows of its tasks; branches stand behind the task that they belong to.
fn tasks(definition: &Definition, run: Option<&Run>) -> Vec<WorkflowTaskResponse> {
    let mut tasks = Vec::new();
    for task in &definition.tasks {
        tasks.push(task_of(task, run));
        if let Work::Parallel(branches) = &task.work {
            for branch in branches {
                let status = run.map(|run| run.standing_of_branch(&task.name, &branch.name));
                let action = branch.call.action.to_string();
                let branch_of = Some(task.name.clone());
                let status = status.unwrap_or(Status::Pending);
                let state = run.and_then(|run| run.tasks.get(&branch.name));
                tasks.push(row(&branch.name, Some(action), branch_of, status, state));
            }
        }
    }
    tasks
}

fn task_of(task: &Task, run: Option<&Run>) -> WorkflowTaskResponse {
    let action = match &task.work {
        Work::Action(call) => Some(call.action.to_string()),
        Work::Nothing | Work::Parallel(_) => None,
    };
    let status = run.map_or(Status::Pending, |run| run.standing(&task.name));
    let state = run.and_then(|run| run.tasks.get(&task.name));
    let mut row = row(&task.name, action, None, status, state);
    if let Some(run) = run {
        row.items = run.progress(&task.name).map(Into::into);
        if row.executions.is_empty() {
            let current = run.threads_at(&task.name).filter_map(child);
            row.executions = current.map(ExecutionId::get).collect();
        }
        if let Some(items) = row.items
            && matches!(row.status, Status::Failed | Status::TimedOut)
        {
            row.error = Some(format!("{} of {} executions failed", items.failed, items.total));
        }
    }
    row
}

fn row(
    name: &str,
    action_ref: Option<String>,
    branch_of: Option<String>,
    status: Status,
    state: Option<&TaskState>,
) -> WorkflowTaskResponse {
    let result = state.map(|state| &state.result);
    WorkflowTaskResponse {
        name: name.to_owned(),
        action_ref,
        branch_of,
        status,
        visits: state.map_or(0, |state| state.visits),
        retries: state.map_or(0, |state| state.retries),
        started_at: state.and_then(|state| state.started),
        ended_at: state.and_then(|state| state.ended),
        executions: match result {
            Some(Source::Execution(id)) => vec![id.get()],
            _ => vec![],
        },
        items: None,
        error: match result {
            Some(Source::Error(error)) => Some(error.clone()),
            _ => None,
        },
    }
}

/// The execution that a thread waits for, or has waited for before it tries again.
fn child(thread: &Thread) -> Option<ExecutionId> {
    match &thread.phase {
        Phase::Working(working) => working.child,
        Phase::Retrying { working, .. } => working.original,
        _ => None,
    }
}

/// Adds the executions of tasks that have several, oldest first.
async fn add_children(
    ports: &Ports,
    of: ExecutionId,
    tasks: &mut [WorkflowTaskResponse],
) -> Result<(), Error> {
    let newest = Range::index(Index::Of, layout::children_of(of), CHILDREN).descending();
    let mut by_name: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for record in ports.records.query(&newest).await?.records.iter().rev() {
        let child: Execution = record.decode()?;
        let name = child.workflow_task.as_ref().and_then(|task| task["task_name"].as_str());
        if let Some(name) = name {
            by_name.entry(name.to_owned()).or_default().push(child.id.get());
        }
    }
    for task in tasks {
        if let Some(ids) = by_name.remove(&task.name).filter(|_| task.executions.is_empty()) {
            task.executions = ids;
        }
    }
    Ok(())
}

/// Adds what executions say that failed.
async fn add_errors(ports: &Ports, tasks: &mut [WorkflowTaskResponse]) -> Result<(), Error> {
    let failed = |task: &&mut WorkflowTaskResponse| {
        task.error.is_none()
            && task.items.is_none()
            && matches!(task.status, Status::Failed | Status::TimedOut)
            && !task.executions.is_empty()
    };
    let mut failed: Vec<_> = tasks.iter_mut().filter(failed).take(ERRORS).collect();
    let key = |id: i64| layout::execution(ExecutionId::new(id));
    let keys: Vec<_> =
        failed.iter().filter_map(|task| Some(key(*task.executions.last()?))).collect();
    let records = ports.records.get_all(&keys).await?;
    for (task, record) in failed.iter_mut().zip(records) {
        let Some(record) = record else { continue };
        let execution: Execution = record.decode()?;
        let result = fetched(ports, execution.result.as_ref()).await?.unwrap_or_default();
        task.error = Some(match &result["error"] {
            Value::String(error) => error.clone(),
            _ => format!("its execution is {}", execution.status),
        });
    }
    Ok(())
}
