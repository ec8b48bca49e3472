//! Workflows. What reads them from a pack's files is in `files`.

mod files;
mod validation;

use crate::access::grants::check_delegation;
use crate::access::{Action, Resource};
use crate::auth::Caller;
use crate::envelope::{ApiResponse, PaginatedResponse, SuccessResponse};
use crate::error::ErrorResponse;
use crate::extract::{Json, OptionalJson, Path, Query};
use crate::idempotency::Cause;
use crate::paging::Paging;
use crate::routes::definitions::{changeable, component_ref, exists, list_where, planned, visible};
use crate::routes::executions::request::{Requested, ask};
use crate::routes::table::{Table, routes};
use crate::wire::execution::{ExecuteActionRequest, ExecutionResponse};
use crate::wire::workflow::{
    CreateWorkflowRequest, SaveWorkflowFileRequest, UpdateWorkflowRequest, WorkflowResponse,
    WorkflowSummary,
};
use crate::{Context, Error};
use attune_catalogue::workflows::{self, NewWorkflow, WorkflowChange};
use attune_domain::catalogue::{Pack, Workflow};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

/// Rights in workflows are those in the actions that execute them.
const RESOURCE: Resource = Resource::Actions;

pub(crate) fn router() -> Table {
    Table::new()
        .routes(routes!(list_workflows, create_workflow))
        .routes(routes!(get_workflow, update_workflow, delete_workflow))
        .routes(routes!(execute_workflow))
        .routes(routes!(list_workflows_by_pack))
        .routes(routes!(save_workflow_file))
        .routes(routes!(update_workflow_file))
        .merge(validation::router())
        .merge(files::router())
}

/// What narrows a list of workflows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct WorkflowFilter {
    /// Search words, joined by commas; only workflows that have at least one of them.
    tags: Option<String>,
    /// Text that stands in the ref, label or description.
    search: Option<String>,
    /// Only workflows of this pack.
    pack_ref: Option<String>,
}

impl WorkflowFilter {
    fn accepts(&self, workflow: &Workflow) -> bool {
        let tags: Vec<&str> = self.tags.iter().flat_map(|tags| tags.split(',')).collect();
        let mut tags = tags.into_iter().map(str::trim).filter(|tag| !tag.is_empty()).peekable();
        let search = self.search.as_deref().unwrap_or_default().to_lowercase();
        let description = workflow.description.as_deref().unwrap_or_default();
        let text =
            format!("{} {} {description}", workflow.reference, workflow.label).to_lowercase();
        (tags.peek().is_none() || tags.any(|tag| workflow.tags.iter().any(|own| own == tag)))
            && text.contains(search.trim())
            && self.pack_ref.as_deref().is_none_or(|pack| pack == workflow.pack_ref.as_str())
    }
}

/// Workflows, by ref.
#[utoipa::path(
    get, path = "/api/v1/workflows", tag = "workflows", security(("bearer_auth" = [])),
    params(Paging, WorkflowFilter),
    responses((status = 200, body = PaginatedResponse<WorkflowSummary>), (status = 403, body = ErrorResponse))
)]
async fn list_workflows(
    State(context): State<Context>,
    caller: Caller,
    paging: Paging,
    Query(filter): Query<WorkflowFilter>,
) -> Result<Response, Error> {
    let fits = |workflow: &Workflow| filter.accepts(workflow);
    list_where(&context, &caller, RESOURCE, &paging, fits, WorkflowSummary::from).await
}

/// Workflows of a pack, by ref.
#[utoipa::path(
    get, path = "/api/v1/packs/{pack_ref}/workflows", tag = "workflows", security(("bearer_auth" = [])),
    params(("pack_ref" = String, Path, description = "The pack's ref"), Paging),
    responses((status = 200, body = PaginatedResponse<WorkflowSummary>), (status = 404, body = ErrorResponse))
)]
async fn list_workflows_by_pack(
    State(context): State<Context>,
    caller: Caller,
    Path(pack_ref): Path<String>,
    paging: Paging,
) -> Result<Response, Error> {
    exists::<Pack>(&context, &pack_ref).await?;
    let fits = |workflow: &Workflow| workflow.pack_ref.as_str() == pack_ref;
    list_where(&context, &caller, RESOURCE, &paging, fits, WorkflowSummary::from).await
}

async fn respond(
    context: &Context,
    workflow: Workflow,
) -> Result<ApiResponse<WorkflowResponse>, Error> {
    let graph = workflows::graph(&context.ports, &workflow).await?;
    Ok(ApiResponse::of(WorkflowResponse::of(workflow, graph)))
}

/// A workflow with its graph.
#[utoipa::path(
    get, path = "/api/v1/workflows/{ref}", tag = "workflows", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = ApiResponse<WorkflowResponse>), (status = 404, body = ErrorResponse))
)]
async fn get_workflow(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<ApiResponse<WorkflowResponse>, Error> {
    let workflow = visible::<Workflow>(&context, &caller, RESOURCE, &reference).await?;
    respond(&context, workflow).await
}

/// Insists that the caller may pass on the permission sets that a graph's tasks name. A graph with mistakes is
/// refused.
async fn check_graph(
    context: &Context,
    caller: &Caller,
    graph: &Value,
    parameters: Option<&Value>,
) -> Result<(), Error> {
    let (definition, _) = workflows::check(graph, parameters)?;
    let sets: Vec<String> = definition.permission_set_refs().map(str::to_owned).collect();
    check_delegation(&context.ports, caller.grants(), &sets).await
}

async fn create(
    context: &Context,
    caller: &Caller,
    request: CreateWorkflowRequest,
) -> Result<Workflow, Error> {
    let planned = planned(&request.reference, Some(&request.pack_ref));
    caller.require_on(RESOURCE, Action::Create, planned)?;
    check_graph(context, caller, &request.definition, request.param_schema.as_ref()).await?;
    let new = NewWorkflow {
        reference: component_ref(&request.reference)?,
        pack_ref: request.pack_ref,
        label: request.label,
        description: request.description,
        version: request.version,
        param_schema: request.param_schema,
        out_schema: request.out_schema,
        definition: request.definition,
        tags: request.tags.unwrap_or_default(),
    };
    Ok(workflows::create(&context.ports, &new).await?)
}

async fn update(
    context: &Context,
    caller: &Caller,
    reference: &str,
    change: &WorkflowChange,
) -> Result<Workflow, Error> {
    changeable::<Workflow>(context, caller, RESOURCE, Action::Update, reference).await?;
    if let Some(graph) = &change.definition {
        check_graph(context, caller, graph, change.param_schema.as_ref()).await?;
    }
    Ok(workflows::update(&context.ports, reference, change).await?)
}

/// Make a workflow, and the action of the same ref that executes it.
#[utoipa::path(
    post, path = "/api/v1/workflows", tag = "workflows", security(("bearer_auth" = [])),
    request_body = CreateWorkflowRequest,
    responses(
        (status = 201, body = ApiResponse<WorkflowResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such pack"),
        (status = 409, body = ErrorResponse, description = "The ref is taken by a workflow or an action"),
        (status = 422, body = ErrorResponse, description = "The graph has mistakes; all of them are told")
    )
)]
async fn create_workflow(
    State(context): State<Context>,
    caller: Caller,
    Json(request): Json<CreateWorkflowRequest>,
) -> Result<(StatusCode, ApiResponse<WorkflowResponse>), Error> {
    let workflow = create(&context, &caller, request).await?;
    Ok(respond(&context, workflow).await?.saying("Workflow created successfully").created())
}

/// Change a workflow. Runs that have begun go on with the graph they started with.
#[utoipa::path(
    put, path = "/api/v1/workflows/{ref}", tag = "workflows", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = UpdateWorkflowRequest,
    responses(
        (status = 200, body = ApiResponse<WorkflowResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_workflow(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<UpdateWorkflowRequest>,
) -> Result<ApiResponse<WorkflowResponse>, Error> {
    let workflow = update(&context, &caller, &reference, &request.into()).await?;
    Ok(respond(&context, workflow).await?.saying("Workflow updated successfully"))
}

/// Remove a workflow and its action. Runs that have begun go on.
#[utoipa::path(
    delete, path = "/api/v1/workflows/{ref}", tag = "workflows", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    responses((status = 200, body = SuccessResponse), (status = 404, body = ErrorResponse))
)]
async fn delete_workflow(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
) -> Result<SuccessResponse, Error> {
    changeable::<Workflow>(&context, &caller, RESOURCE, Action::Delete, &reference).await?;
    workflows::delete(&context.ports, &reference).await?;
    Ok(SuccessResponse::saying(format!("Workflow '{reference}' deleted successfully")))
}

/// Execute a workflow.
#[utoipa::path(
    post, path = "/api/v1/workflows/{ref}/execute", tag = "workflows", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = Option<ExecuteActionRequest>,
    responses(
        (status = 201, body = ApiResponse<ExecutionResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse, description = "Parameters against the workflow's schema")
    )
)]
async fn execute_workflow(
    State(context): State<Context>,
    caller: Caller,
    cause: Cause,
    Path(reference): Path<String>,
    OptionalJson(body): OptionalJson<ExecuteActionRequest>,
) -> Requested {
    caller.require_some(RESOURCE, Action::Execute)?;
    exists::<Workflow>(&context, &reference).await?;
    ask(&context, &caller, cause, &reference, body).await
}

/// Save a workflow from an editor: as `POST /workflows`, with the ref made of pack and name.
#[utoipa::path(
    post, path = "/api/v1/packs/{pack_ref}/workflow-files", tag = "workflows",
    security(("bearer_auth" = [])),
    params(("pack_ref" = String, Path, description = "The pack's ref")),
    request_body = SaveWorkflowFileRequest,
    responses(
        (status = 201, body = ApiResponse<WorkflowResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse, description = "No such pack"),
        (status = 409, body = ErrorResponse, description = "The ref is taken by a workflow or an action"),
        (status = 422, body = ErrorResponse)
    )
)]
async fn save_workflow_file(
    State(context): State<Context>,
    caller: Caller,
    Path(pack_ref): Path<String>,
    Json(request): Json<SaveWorkflowFileRequest>,
) -> Result<(StatusCode, ApiResponse<WorkflowResponse>), Error> {
    if request.pack_ref != pack_ref {
        let text = format!("pack_ref: the path names pack '{pack_ref}'");
        return Err(Error::Invalid(text));
    }
    let request = CreateWorkflowRequest {
        reference: format!("{pack_ref}.{}", request.name),
        pack_ref,
        label: request.label,
        description: request.description,
        version: request.version,
        param_schema: request.param_schema,
        out_schema: request.out_schema,
        definition: request.definition,
        tags: request.tags,
    };
    let workflow = create(&context, &caller, request).await?;
    Ok(respond(&context, workflow).await?.saying("Workflow saved successfully").created())
}

/// Save a workflow that is there from an editor.
#[utoipa::path(
    put, path = "/api/v1/workflows/{ref}/file", tag = "workflows", security(("bearer_auth" = [])),
    params(("ref" = String, Path, description = "Its ref")),
    request_body = SaveWorkflowFileRequest,
    responses(
        (status = 200, body = ApiResponse<WorkflowResponse>),
        (status = 403, body = ErrorResponse),
        (status = 404, body = ErrorResponse),
        (status = 422, body = ErrorResponse)
    )
)]
async fn update_workflow_file(
    State(context): State<Context>,
    caller: Caller,
    Path(reference): Path<String>,
    Json(request): Json<SaveWorkflowFileRequest>,
) -> Result<ApiResponse<WorkflowResponse>, Error> {
    if format!("{}.{}", request.pack_ref, request.name) != reference {
        let text = format!("name: a workflow keeps its ref, which is '{reference}'");
        return Err(Error::Invalid(text));
    }
    let change = WorkflowChange {
        label: Some(request.label),
        description: request.description,
        version: Some(request.version),
        param_schema: request.param_schema,
        out_schema: request.out_schema,
        definition: Some(request.definition),
        tags: request.tags,
    };
    let workflow = update(&context, &caller, &reference, &change).await?;
    Ok(respond(&context, workflow).await?.saying("Workflow saved successfully"))
}
