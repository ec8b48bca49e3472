//! Actions: made, changed and removed.

use crate::definition::Stored;
use crate::draft::{Draft, settled};
use crate::error::{Error, Failure};
use crate::{check, links, packs, read, secrets, timers};
use attune_domain::catalogue::{Action, Pack, Placement, Rule, Workflow};
use attune_domain::id::ActionId;
use attune_domain::reference::ComponentRef;
use attune_domain::runtime::Runtime;
use attune_ports::Ports;
use attune_ports::records::Kind;
use serde_json::Value;

/// An action to be made.
#[derive(Clone, Debug)]
pub struct NewAction {
    /// Its name, not taken yet.
    pub reference: ComponentRef,
    /// The pack it belongs to.
    pub pack_ref: String,
    /// For people; 1 to 255 characters.
    pub label: String,
    /// For people.
    pub description: Option<String>,
    /// File under the pack's `actions/`, inline shell code, or a built-in's name.
    pub entrypoint: String,
    /// The runner's name; `None` means the shell.
    pub runtime_ref: Option<String>,
    /// Constraint on the interpreter's version.
    pub runtime_version_constraint: Option<String>,
    /// Parameters, flat or JSON Schema.
    pub param_schema: Option<Value>,
    /// Output, for redaction.
    pub out_schema: Option<Value>,
    /// Permission sets of the token that its process gets.
    pub default_execution_permission_set_refs: Vec<String>,
    /// Whether it talks to model-context servers.
    pub accesses_mcp: bool,
    /// Retention and placement.
    pub placement: Placement,
}

/// What to change about an action; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ActionChange {
    /// For people; 1 to 255 characters.
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Another entry point.
    pub entrypoint: Option<String>,
    /// Another runner.
    pub runtime_ref: Option<String>,
    /// Another version constraint; `Some(None)` clears it.
    pub runtime_version_constraint: Option<Option<String>>,
    /// Other parameters.
    pub param_schema: Option<Value>,
    /// Another output.
    pub out_schema: Option<Value>,
    /// Other permission sets.
    pub default_execution_permission_set_refs: Option<Vec<String>>,
    /// Whether it talks to model-context servers.
    pub accesses_mcp: Option<bool>,
    /// Other retention and placement, as a whole.
    pub placement: Option<Placement>,
}

/// Makes an action. Rules that named it before it existed fire from now on.
///
/// # Errors
/// [`Error::Conflict`] where the ref is taken, [`Error::NotFound`] for an unknown pack, [`Error::Invalid`]
/// for a wrong value.
pub async fn create(ports: &Ports, new: &NewAction) -> Result<Action, Error> {
    check::label(&new.label)?;
    check::entrypoint(&new.entrypoint)?;
    check::schema("param_schema", new.param_schema.as_ref())?;
    check::schema("out_schema", new.out_schema.as_ref())?;
    let action = settled(ports, || create_once(ports, new)).await?;
    welcome(ports, &action).await?;
    Ok(action)
}

async fn create_once(ports: &Ports, new: &NewAction) -> Result<Action, Failure> {
    if read::stored::<Action>(ports, new.reference.as_str()).await?.is_some() {
        return Err(Error::taken(Kind::Action, &new.reference).into());
    }
    let pack: Stored<Pack> = read::stored_or_missing(ports, &new.pack_ref).await?;
    let now = ports.clock.now();
    let runtime_ref =
        new.runtime_ref.clone().unwrap_or_else(|| Runtime::Shell.as_ref_str().to_owned());
    let action = Action {
        id: ActionId::new(ports.ids.next()),
        reference: new.reference.clone(),
        pack: pack.value.id,
        pack_ref: pack.value.reference.clone(),
        label: new.label.clone(),
        description: new.description.clone(),
        entrypoint: new.entrypoint.clone(),
        runtime: Runtime::from_name(&runtime_ref),
        runtime_ref: Some(runtime_ref),
        runtime_version_constraint: new.runtime_version_constraint.clone(),
        param_schema: new.param_schema.clone(),
        out_schema: new.out_schema.clone(),
        parameter_delivery: Default::default(),
        parameter_format: Default::default(),
        output_format: Default::default(),
        default_execution_permission_set_refs: new.default_execution_permission_set_refs.clone(),
        accesses_mcp: new.accesses_mcp,
        placement: new.placement.clone(),
        workflow: None,
        workflow_id: None,
        is_adhoc: true,
        created: now,
        updated: now,
    };
    let mut draft = Draft::new();
    draft.create(&action);
    packs::insist(&mut draft, &pack);
    draft.commit(ports).await?;
    Ok(action)
}

/// Links rules that name the action but do not know it yet, and seals what they show of its secret
/// parameters. Those have stood in their index for long; what it does not show yet is left to
/// [`links::reconcile`].
pub(crate) async fn welcome(ports: &Ports, action: &Action) -> Result<(), Error> {
    ports.records.settle().await?;
    let parameters = secrets::parameters(action);
    let astray =
        |rule: &Rule| rule.action != Some(action.id) || secrets::is_exposed(rule, &parameters);
    let found =
        read::rules_of_action(ports, action.reference.as_str(), &read::Part::ALL, astray).await?;
    links::refresh(ports, &links::refs(&found.items)).await
}

/// Changes an action, and the workflow that it executes accordingly.
///
/// # Errors
/// [`Error::NotFound`] where there is no such action, [`Error::Invalid`] for a wrong value, [`Error::Conflict`] where an
/// action that executes a workflow is to run something else.
pub async fn update(
    ports: &Ports,
    reference: &str,
    change: &ActionChange,
) -> Result<Action, Error> {
    if let Some(label) = &change.label {
        check::label(label)?;
    }
    check::schema("param_schema", change.param_schema.as_ref())?;
    check::schema("out_schema", change.out_schema.as_ref())?;
    let action = settled(ports, || update_once(ports, reference, change)).await?;
    if change.param_schema.is_some() {
        welcome(ports, &action).await?;
    }
    Ok(action)
}

async fn update_once(
    ports: &Ports,
    reference: &str,
    change: &ActionChange,
) -> Result<Action, Failure> {
    let before: Stored<Action> = read::stored_or_missing(ports, reference).await?;
    let mut action = before.value.clone();
    let ActionChange {
        label,
        description,
        entrypoint,
        runtime_ref,
        runtime_version_constraint,
        param_schema,
        out_schema,
        default_execution_permission_set_refs,
        accesses_mcp,
        placement,
    } = change.clone();
    action.label = label.unwrap_or(action.label);
    action.description = description.or(action.description);
    action.entrypoint = entrypoint.unwrap_or(action.entrypoint);
    if let Some(runtime_ref) = runtime_ref {
        action.runtime = Runtime::from_name(&runtime_ref);
        action.runtime_ref = Some(runtime_ref);
    }
    action.runtime_version_constraint =
        runtime_version_constraint.unwrap_or(action.runtime_version_constraint);
    action.param_schema = param_schema.or(action.param_schema);
    action.out_schema = out_schema.or(action.out_schema);
    action.default_execution_permission_set_refs = default_execution_permission_set_refs
        .unwrap_or(action.default_execution_permission_set_refs);
    action.accesses_mcp = accesses_mcp.unwrap_or(action.accesses_mcp);
    action.placement = placement.unwrap_or(action.placement);
    // An entry point that is as it was need not be one: an action that executes a workflow has none.
    if action.entrypoint != before.value.entrypoint {
        check::entrypoint(&action.entrypoint)?;
    }
    if action != before.value {
        action.updated = ports.clock.now();
        let mut draft = Draft::new();
        draft.replace(&action, before.version);
        if action.workflow.is_some() {
            follow(ports, &mut draft, &before.value, &action).await?;
        }
        draft.commit(ports).await?;
    }
    Ok(action)
}

/// Changes the workflow of an action as the action was changed.
async fn follow(
    ports: &Ports,
    draft: &mut Draft,
    old: &Action,
    new: &Action,
) -> Result<(), Failure> {
    let runs = |action: &Action| {
        let Action { entrypoint, runtime_ref, runtime_version_constraint, .. } = action;
        (entrypoint.clone(), runtime_ref.clone(), runtime_version_constraint.clone())
    };
    let reference = new.reference.as_str();
    if runs(old) != runs(new) {
        let text = format!(
            "Action '{reference}' executes a workflow: it has no entrypoint and no runtime of its own; \
             what it does is changed with the workflow's definition"
        );
        return Err(Error::Conflict(text).into());
    }
    let before: Option<Stored<Workflow>> = read::stored(ports, reference).await?;
    let Some(before) = before else { return Ok(()) };
    let mut workflow = before.value.clone();
    workflow.label.clone_from(&new.label);
    workflow.description.clone_from(&new.description);
    workflow.param_schema.clone_from(&new.param_schema);
    workflow.out_schema.clone_from(&new.out_schema);
    if workflow == before.value {
        draft.insist(reference, Some(&before));
    } else {
        workflow.updated = new.updated;
        draft.replace(&workflow, before.version);
    }
    Ok(())
}

/// Removes an action, with its workflow if it executes one. Its rules keep its ref and do not fire while it is missing.
///
/// # Errors
/// [`Error::NotFound`] where there is no such action.
pub async fn delete(ports: &Ports, reference: &str) -> Result<Action, Error> {
    let (action, rules) = settled(ports, || delete_once(ports, reference)).await?;
    for rule in &rules {
        timers::apply_rule(ports, rule).await;
    }
    let id = action.id;
    let rest = links::rules_where(ports, move |rule| rule.action == Some(id)).await?;
    links::refresh(ports, &rest).await?;
    Ok(action)
}

async fn delete_once(ports: &Ports, reference: &str) -> Result<(Action, Vec<Rule>), Failure> {
    let before: Stored<Action> = read::stored_or_missing(ports, reference).await?;
    let id = before.value.id;
    let rules = links::rules_where(ports, move |rule| rule.action == Some(id)).await?;
    let mut draft = Draft::new();
    draft.remove(&before);
    if before.value.workflow.is_some()
        && let Some(workflow) = read::stored::<Workflow>(ports, reference).await?
    {
        draft.remove(&workflow);
    }
    let rules = links::remove_linked(ports, draft, rules, |rule| {
        rule.action.take_if(|action| *action == id).is_some()
    })
    .await?;
    Ok((before.value, rules))
}
