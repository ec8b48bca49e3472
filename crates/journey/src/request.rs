//! Request: somebody asks for an execution directly.

use crate::announce::{self, Announcement};
use crate::definitions::PreparedAction;
use crate::{definitions, layout, load, payload, secrets};
use attune_domain::catalogue::Placement;
use attune_domain::execution::{Execution, default_priority};
use attune_domain::id::{ExecutionId, IdentityId};
use attune_domain::reference::ComponentRef;
use attune_ports::records::{self, Commit, Kind, Record};
use attune_ports::{Ports, Unavailable};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// What to run.
    pub action_ref: ComponentRef,
    /// With what.
    pub parameters: Option<Map<String, Value>>,
    /// Stored and inherited by children.
    pub env_vars: BTreeMap<String, String>,
    /// Scope of the process's token; empty, as the action says.
    pub permission_set_refs: Vec<String>,
    /// Retention and placement.
    pub placement: Placement,
    /// In whose name.
    pub executor: Option<IdentityId>,
    /// The execution that asks.
    pub parent: Option<ExecutionId>,
    /// 0 goes first in a lane, 9 last; `None`, as the policy says.
    pub priority: Option<u8>,
    /// Identity of the request, where it has one: a second with the same is the first.
    pub idempotency: Option<String>,
}

/// Why an execution was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such action.
    #[error("Action '{0}' not found")]
    UnknownAction(ComponentRef),
    /// The parameters do not fit the action's schema.
    #[error("Invalid parameters for action '{action}': {}", violations.join("; "))]
    Invalid {
        /// The action.
        action: ComponentRef,
        /// What is wrong, one text for each place.
        violations: Vec<String>,
    },
    /// It does not fit into a record.
    #[error("the request is too large")]
    TooLarge,
    /// Something did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Stores an execution as requested, and announces it. Not durable yet: settle before answering.
///
/// # Errors
/// See [`Error`]; nothing was stored.
pub async fn execution(ports: &Ports, new: NewExecution) -> Result<Execution, Error> {
    let prepared = definitions::action(ports, &new.action_ref)
        .await?
        .ok_or_else(|| Error::UnknownAction(new.action_ref.clone()))?;
    check(&prepared, new.parameters.as_ref())?;
    let mut id = ExecutionId::new(ports.ids.next());
    loop {
        let execution = build(ports, &prepared, &new, id).await?;
        let due = announce::overdue_at(execution.created, execution.created);
        let record = layout::execution_record(&execution, Some(due));
        layout::check_asked(&record).map_err(|_| Error::TooLarge)?;
        let mut commit = Commit::new().create(record);
        if let Some(cause) = &new.idempotency {
            let mark = Record::new(Kind::Marker, layout::cause(cause), &id)
                .until(Some(execution.created + announce::CAUSES_KEPT));
            commit = commit.create(mark);
        }
        match ports.records.commit(commit).await {
            Ok(()) => {
                announce::send(ports, [Announcement::requested(&execution)]).await?;
                return Ok(execution);
            }
            Err(records::Error::Stale(_)) => {
                if let Some(known) = known(ports, new.idempotency.as_deref()).await? {
                    return Ok(known);
                }
                // The id was taken by another cause: draw again.
                id = ExecutionId::new(ports.ids.next());
            }
            Err(records::Error::Unavailable(error)) => return Err(error.into()),
            Err(records::Error::TooLarge(_) | records::Error::Repeated(_)) => {
                return Err(Error::TooLarge);
            }
        }
    }
}

/// Checks parameters against an action's schema, with its defaults in place.
///
/// # Errors
/// [`Error::Invalid`] with all that is wrong.
pub fn check(
    prepared: &PreparedAction,
    parameters: Option<&Map<String, Value>>,
) -> Result<(), Error> {
    let mut whole = parameters.cloned().unwrap_or_default();
    // A default stands in for what is required: it will be there when the action runs.
    prepared.parameters.defaults(&mut whole);
    prepared.parameters.validate(&Value::Object(whole)).map_err(|violations| Error::Invalid {
        action: prepared.action.reference.clone(),
        violations: violations.iter().map(ToString::to_string).collect(),
    })
}

async fn build(
    ports: &Ports,
    prepared: &PreparedAction,
    new: &NewExecution,
    id: ExecutionId,
) -> Result<Execution, Unavailable> {
    let now = ports.clock.now();
    let mut config = new.parameters.clone().map(Value::Object);
    let mut sealed = None;
    if let Some(config) = &mut config {
        let context = secrets::of_execution(id);
        sealed = secrets::take(&*ports.vault, &context, Some(prepared), config).await?;
    }
    let config = match config {
        Some(value) => {
            Some(payload::stash(&*ports.blobs, &format!("executions/{id}.config"), value).await?)
        }
        None => None,
    };
    let sets = &new.permission_set_refs;
    let permission_set_refs = if sets.is_empty() {
        prepared.action.default_execution_permission_set_refs.clone()
    } else {
        sets.clone()
    };
    Ok(Execution {
        action: Some(prepared.action.id),
        runtime: prepared.action.runtime,
        config,
        secrets: sealed,
        env_vars: new.env_vars.clone(),
        permission_set_refs,
        executor: new.executor,
        parent: new.parent,
        placement: new.placement.clone(),
        priority: new.priority.unwrap_or_else(default_priority).min(9),
        ..Execution::new(id, prepared.action.reference.clone(), now)
    })
}

/// The execution that this request made before.
async fn known(ports: &Ports, cause: Option<&str>) -> Result<Option<Execution>, Unavailable> {
    let Some(cause) = cause else { return Ok(None) };
    let Some(mark) = ports.records.get(&layout::cause(cause)).await? else { return Ok(None) };
    let id: ExecutionId = mark.decode().map_err(|e| Unavailable::new("records", e.source))?;
    load::execution(ports, id).await
}
