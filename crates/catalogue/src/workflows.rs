//! Workflows: made, changed and removed together with the actions that execute them.
//!
//! A workflow and its action have the same ref and are written in one commit. The graph lies in a blob named by its
//! digest from before that commit on, and stays: runs go on with the graph that they started with. What a list shows
//! of it is in the record as well, unless it is large.

use crate::definition::Stored;
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{actions, check, packs, read};
use attune_domain::catalogue::{Action, Pack, Placement, Workflow};
use attune_domain::id::{ActionId, WorkflowId};
use attune_domain::payload::{INLINE_BYTES, Payload};
use attune_domain::reference::ComponentRef;
use attune_domain::workflow::{Definition, Problem, digest};
use attune_ports::records::Kind;
use attune_ports::{Ports, Unavailable};
use serde_json::Value;

/// Bytes of a graph as JSON, at most.
const MAX_GRAPH: usize = 1 << 20;

/// A workflow to be made.
#[derive(Clone, Debug)]
pub struct NewWorkflow {
    /// Its name, which neither a workflow nor an action has yet; of its pack.
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people; 1 to 255 characters.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// 1 to 50 characters.
    pub version: String,
    /// Parameters, flat or JSON Schema.
    pub param_schema: Option<Value>,
    /// Output, flat or JSON Schema.
    pub out_schema: Option<Value>,
    /// The graph, as its file would have it.
    pub definition: Value,
    /// Search words.
    pub tags: Vec<String>,
}

/// What to change about a workflow; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct WorkflowChange {
    /// For people; 1 to 255 characters.
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// 1 to 50 characters.
    pub version: Option<String>,
    /// Other parameters.
    pub param_schema: Option<Value>,
    /// Another output.
    pub out_schema: Option<Value>,
    /// Another graph. Runs that have begun go on with the old one.
    pub definition: Option<Value>,
    /// Other search words.
    pub tags: Option<Vec<String>>,
}

/// A graph that is kept under its digest.
pub(crate) struct Graph {
    pub(crate) digest: String,
    pub(crate) payload: Payload,
}

/// Reads a graph and says what is wrong or doubtful about it; `parameters` is the schema of its action.
///
/// # Errors
/// [`Error::Invalid`] with all errors, each with its field below `definition`.
pub fn check(
    graph: &Value,
    parameters: Option<&Value>,
) -> Result<(Definition, Vec<Problem>), Error> {
    let (definition, mut problems) = Definition::check(graph, parameters);
    if let Some(definition) = definition {
        return Ok((definition, problems));
    }
    problems.retain(Problem::is_error);
    let told = problems.iter().map(|problem| {
        let dot = if problem.field.is_empty() { ": " } else { "." };
        format!("definition{dot}{problem}")
    });
    Err(Error::Invalid(told.collect::<Vec<_>>().join("; ")))
}

/// Keeps a graph under its digest.
pub(crate) async fn keep(ports: &Ports, graph: &Value) -> Result<Graph, Error> {
    let text = digest::canonical(graph);
    if text.len() > MAX_GRAPH {
        return Err(Error::Invalid(format!("definition: larger than {MAX_GRAPH} bytes")));
    }
    let digest = digest::of(graph);
    let (name, bytes) = (digest::blob(&digest), text.len());
    // What is there under this name is this graph already; putting it again changes nothing.
    ports.blobs.put(&name, text.into()).await?;
    let payload = if bytes <= INLINE_BYTES {
        Payload::Inline(graph.clone())
    } else {
        Payload::Blob { name, bytes: bytes as u64 }
    };
    Ok(Graph { digest, payload })
}

/// The graph of a workflow, wherever it lies.
///
/// # Errors
/// [`Unavailable`] where its blob is missing or unreadable.
pub async fn graph(ports: &Ports, workflow: &Workflow) -> Result<Value, Unavailable> {
    let name = match &workflow.definition {
        Payload::Inline(graph) => return Ok(graph.clone()),
        Payload::Blob { name, .. } => name,
    };
    let bytes = ports.blobs.get(name).await?;
    let bytes = bytes.ok_or_else(|| Unavailable::new("blobs", format!("{name} is missing")))?;
    serde_json::from_slice(&bytes).map_err(|error| Unavailable::new("blobs", error))
}

/// Makes a workflow and the action that executes it.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, [`Error::NotFound`] for an unknown pack, [`Error::Invalid`] for a wrong
/// value or graph.
pub async fn create(ports: &Ports, new: &NewWorkflow) -> Result<Workflow, Error> {
    check::label(&new.label)?;
    check::workflow_version(&new.version)?;
    check::schema("param_schema", new.param_schema.as_ref())?;
    check::schema("out_schema", new.out_schema.as_ref())?;
    if new.reference.pack() != new.pack_ref {
        let text = format!("ref: '{}' is not of pack '{}'", new.reference, new.pack_ref);
        return Err(Error::Invalid(text));
    }
    check(&new.definition, new.param_schema.as_ref())?;
    let graph = keep(ports, &new.definition).await?;
    let (workflow, action) = settled(ports, || create_once(ports, new, &graph)).await?;
    actions::welcome(ports, &action).await?;
    Ok(workflow)
}

async fn create_once(
    ports: &Ports,
    new: &NewWorkflow,
    graph: &Graph,
) -> Result<(Workflow, Action), Failure> {
    let name = new.reference.as_str();
    if read::stored::<Workflow>(ports, name).await?.is_some() {
        return Err(Error::taken(Kind::Workflow, name).into());
    }
    if read::stored::<Action>(ports, name).await?.is_some() {
        return Err(Error::taken(Kind::Action, name).into());
    }
    let pack: Stored<Pack> = read::stored_or_missing(ports, &new.pack_ref).await?;
    let now = ports.clock.now();
    let workflow = Workflow {
        id: WorkflowId::new(ports.ids.next()),
        reference: new.reference.clone(),
        pack: pack.value.id,
        pack_ref: pack.value.reference.clone(),
        label: new.label.clone(),
        description: new.description.clone(),
        version: new.version.clone(),
        param_schema: new.param_schema.clone(),
        out_schema: new.out_schema.clone(),
        definition: graph.payload.clone(),
        digest: graph.digest.clone(),
        tags: new.tags.clone(),
        is_adhoc: true,
        created: now,
        updated: now,
    };
    let action = companion(&workflow, ActionId::new(ports.ids.next()));
    let mut draft = Draft::new();
    draft.create(&workflow);
    draft.create(&action);
    packs::insist(&mut draft, &pack);
    draft.commit(ports).await?;
    Ok((workflow, action))
}

/// The action that executes a workflow made over the API.
fn companion(workflow: &Workflow, id: ActionId) -> Action {
    Action {
        id,
        reference: workflow.reference.clone(),
        pack: workflow.pack,
        pack_ref: workflow.pack_ref.clone(),
        label: workflow.label.clone(),
        description: workflow.description.clone(),
        entrypoint: String::new(),
        runtime: None,
        runtime_ref: None,
        runtime_version_constraint: None,
        param_schema: workflow.param_schema.clone(),
        out_schema: workflow.out_schema.clone(),
        parameter_delivery: Default::default(),
        parameter_format: Default::default(),
        output_format: Default::default(),
        default_execution_permission_set_refs: Vec::new(),
        accesses_mcp: false,
        placement: Placement::default(),
        workflow: Some(workflow.digest.clone()),
        workflow_id: Some(workflow.id),
        is_adhoc: workflow.is_adhoc,
        created: workflow.created,
        updated: workflow.updated,
    }
}

/// Changes a workflow, and its action accordingly.
///
/// # Errors
/// [`Error::NotFound`] where there is no such workflow, [`Error::Invalid`] for a wrong value or graph.
pub async fn update(
    ports: &Ports,
    reference: &str,
    change: &WorkflowChange,
) -> Result<Workflow, Error> {
    if let Some(label) = &change.label {
        check::label(label)?;
    }
    if let Some(version) = &change.version {
        check::workflow_version(version)?;
    }
    check::schema("param_schema", change.param_schema.as_ref())?;
    check::schema("out_schema", change.out_schema.as_ref())?;
    let graph = match &change.definition {
        Some(definition) => {
            check(definition, change.param_schema.as_ref())?;
            Some(keep(ports, definition).await?)
        }
        None => None,
    };
    let (workflow, action) =
        settled(ports, || update_once(ports, reference, change, graph.as_ref())).await?;
    actions::welcome(ports, &action).await?;
    Ok(workflow)
}

async fn update_once(
    ports: &Ports,
    reference: &str,
    change: &WorkflowChange,
    graph: Option<&Graph>,
) -> Result<(Workflow, Action), Failure> {
    let before: Stored<Workflow> = read::stored_or_missing(ports, reference).await?;
    let action_before: Option<Stored<Action>> = read::stored(ports, reference).await?;
    let mut workflow = before.value.clone();
    let WorkflowChange { label, description, version, param_schema, out_schema, tags, .. } =
        change.clone();
    workflow.label = label.unwrap_or(workflow.label);
    workflow.description = description.or(workflow.description);
    workflow.version = version.unwrap_or(workflow.version);
    workflow.param_schema = param_schema.or(workflow.param_schema);
    workflow.out_schema = out_schema.or(workflow.out_schema);
    workflow.tags = tags.unwrap_or(workflow.tags);
    if let Some(graph) = graph {
        workflow.definition = graph.payload.clone();
        workflow.digest.clone_from(&graph.digest);
    }
    let fresh = || companion(&workflow, ActionId::new(ports.ids.next()));
    let mut action = action_before.as_ref().map_or_else(fresh, |before| before.value.clone());
    action.label.clone_from(&workflow.label);
    action.description.clone_from(&workflow.description);
    action.param_schema.clone_from(&workflow.param_schema);
    action.out_schema.clone_from(&workflow.out_schema);
    action.workflow = Some(workflow.digest.clone());
    action.workflow_id = Some(workflow.id);
    let now = ports.clock.now();
    let mut draft = Draft::new();
    if workflow != before.value {
        workflow.updated = now;
        draft.replace(&workflow, before.version);
    }
    if action_before.as_ref().map(|before| &before.value) != Some(&action) {
        action.updated = now;
        draft.store(action_before.as_ref(), &action);
    }
    // Neither is changed while somebody removes the other.
    draft.insist(reference, Some(&before));
    draft.insist(reference, action_before.as_ref());
    draft.commit(ports).await?;
    Ok((workflow, action))
}

/// Removes a workflow and its action. Rules keep its ref and do not fire while it is missing; runs that have begun
/// go on.
///
/// # Errors
/// [`Error::NotFound`] where there is no such workflow.
pub async fn delete(ports: &Ports, reference: &str) -> Result<Workflow, Error> {
    let workflow: Workflow = read::require(ports, reference).await?;
    // The action takes the workflow along.
    packs::gone(actions::delete(ports, reference).await)?;
    packs::gone(delete_alone(ports, reference).await)?;
    Ok(workflow)
}

/// Removes a workflow that has no action any more, or whose action is something else now.
pub(crate) async fn delete_alone(ports: &Ports, reference: &str) -> Result<Workflow, Error> {
    settled(ports, || delete_once(ports, reference)).await
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<Workflow, Failure> {
    let before: Stored<Workflow> = read::stored_or_missing(ports, reference).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    draft.commit(ports).await?;
    Ok(before.value)
}
