//! A workflow of a pack's files, stored together with the action that executes it.

use super::{Origin, Run, Sources, component};
use crate::definition::Stored;
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{actions, check, read, workflows};
use attune_domain::catalogue::{Action, Pack, Workflow};
use attune_domain::id::WorkflowId;
use attune_packs::{ActionDefinition, WorkflowDefinition, WorkflowFiles};
use attune_ports::Ports;

/// Stores a workflow and its action as the files have them.
pub(super) async fn store(
    action_file: &ActionDefinition,
    file: &WorkflowDefinition,
    run: &Run<'_>,
) -> Result<Action, Failure> {
    let ports = run.ports;
    check::schema("parameters", file.parameters.as_ref())?;
    check::schema("output", file.output.as_ref())?;
    let graph = workflows::keep(ports, &file.graph).await?;
    let name = file.reference.as_str();
    let before: Option<Stored<Workflow>> = read::stored(ports, name).await?;
    let action_before: Option<Stored<Action>> = read::stored(ports, name).await?;
    let old = before.as_ref().map(|before| &before.value);
    let now = ports.clock.now();
    let mut workflow = Workflow {
        id: old.map_or_else(|| WorkflowId::new(ports.ids.next()), |old| old.id),
        reference: file.reference.clone(),
        pack: run.pack.id,
        pack_ref: run.pack.reference.clone(),
        label: file.label.clone(),
        description: file.description.clone(),
        version: file.version.clone(),
        param_schema: file.parameters.clone(),
        out_schema: file.output.clone(),
        definition: graph.payload,
        digest: graph.digest,
        tags: file.tags.clone(),
        is_adhoc: false,
        created: old.map_or(now, |old| old.created),
        updated: old.map_or(now, |old| old.updated),
    };
    let mut action = action(action_file, file, &workflow, action_before.as_ref(), run)?;
    let mut draft = Draft::new();
    if old != Some(&workflow) {
        workflow.updated = now;
        draft.store(before.as_ref(), &workflow);
    }
    if action_before.as_ref().map(|before| &before.value) != Some(&action) {
        action.updated = now;
        draft.store(action_before.as_ref(), &action);
    }
    // Neither is changed while somebody removes the other.
    draft.insist(name, before.as_ref());
    draft.insist(name, action_before.as_ref());
    draft.commit(ports).await?;
    Ok(action)
}

/// What became of a workflow when the files of its pack were read again.
#[derive(Clone, Debug, PartialEq)]
pub struct Synced {
    /// The workflow as stored.
    pub workflow: Workflow,
    /// Whether it is new.
    pub created: bool,
}

/// Stores the workflows of a pack's files again; the rest of the pack stays as it is, and so do workflows whose files
/// are gone or wrong. Answers what is stored, and for each ref that is not, why.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Unreadable`] or [`Error::Contended`].
pub async fn sync_workflows(
    ports: &Ports,
    pack: &Pack,
    files: &WorkflowFiles,
) -> Result<(Vec<Synced>, Vec<(String, Error)>), Error> {
    let run = Run {
        ports,
        pack: pack.clone(),
        origin: Origin::Registration { force: true },
        known: Sources::default(),
        found: Sources::default(),
        warnings: Vec::new(),
    };
    let (mut synced, mut refused) = (Vec::new(), Vec::new());
    for (action, file) in &files.workflows {
        let name = file.reference.as_str();
        let created = read::get::<Workflow>(ports, name).await?.is_none();
        let run = &run;
        let stored = match settled(ports, || store(action, file, run)).await {
            Ok(action) => actions::welcome(ports, &action).await,
            Err(error) => Err(error),
        };
        match stored {
            Ok(()) => {
                synced.push(Synced { workflow: read::require(ports, name).await?, created });
            }
            Err(error) if error.is_lasting() => refused.push((name.to_owned(), error)),
            Err(error) => return Err(error),
        }
    }
    Ok((synced, refused))
}

fn action(
    action_file: &ActionDefinition,
    file: &WorkflowDefinition,
    workflow: &Workflow,
    before: Option<&Stored<Action>>,
    run: &Run<'_>,
) -> Result<Action, Error> {
    let mut action = component::action(action_file, before.map(|before| &before.value), run)?;
    action.param_schema.clone_from(&file.parameters);
    action.out_schema.clone_from(&file.output);
    action.workflow = Some(workflow.digest.clone());
    action.workflow_id = Some(workflow.id);
    Ok(action)
}
