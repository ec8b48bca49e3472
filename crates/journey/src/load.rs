//! Reads domain records.

use crate::layout;
use attune_catalogue::layout as definitions;
use attune_domain::Timestamp;
use attune_domain::admission::{Lane, LaneKey};
use attune_domain::enforcement::Enforcement;
use attune_domain::event::Event;
use attune_domain::execution::Execution;
use attune_domain::id::{EnforcementId, EventId, ExecutionId, InquiryId};
use attune_domain::inquiry::Inquiry;
use attune_ports::records::Kind;
use attune_ports::{Key, Ports, Unavailable};
use serde::de::DeserializeOwned;

/// A record's body with the version it has.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    /// The body.
    pub body: T,
    /// For the condition of the commit that replaces it; 0, there is none yet.
    pub version: u64,
    /// Where it stands in the due index.
    pub due: Option<Timestamp>,
}

/// Reads the record at `key`.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn versioned<T: DeserializeOwned>(
    ports: &Ports,
    key: &Key,
) -> Result<Option<Versioned<T>>, Unavailable> {
    let Some(record) = ports.records.get(key).await? else { return Ok(None) };
    let body = record.decode().map_err(|e| Unavailable::new("records", e.source))?;
    Ok(Some(Versioned { body, version: record.version, due: layout::due_of(&record) }))
}

async fn body<T: DeserializeOwned>(ports: &Ports, key: &Key) -> Result<Option<T>, Unavailable> {
    Ok(versioned(ports, key).await?.map(|versioned| versioned.body))
}

/// Reads an event.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn event(ports: &Ports, id: EventId) -> Result<Option<Event>, Unavailable> {
    body(ports, &layout::event(id)).await
}

/// Reads an enforcement.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn enforcement(
    ports: &Ports,
    id: EnforcementId,
) -> Result<Option<Enforcement>, Unavailable> {
    body(ports, &layout::enforcement(id)).await
}

/// Reads an execution.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn execution(ports: &Ports, id: ExecutionId) -> Result<Option<Execution>, Unavailable> {
    body(ports, &layout::execution(id)).await
}

/// Reads an execution for changing it.
pub(crate) async fn execution_versioned(
    ports: &Ports,
    id: ExecutionId,
) -> Result<Option<Versioned<Execution>>, Unavailable> {
    versioned(ports, &layout::execution(id)).await
}

/// Reads an inquiry.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn inquiry(ports: &Ports, id: InquiryId) -> Result<Option<Inquiry>, Unavailable> {
    body(ports, &layout::inquiry(id)).await
}

/// Reads a lane for changing it.
pub(crate) async fn lane(
    ports: &Ports,
    key: &LaneKey,
) -> Result<Option<Versioned<Lane>>, Unavailable> {
    versioned(ports, &layout::lane(key)).await
}

/// Reads a definition by its ref.
///
/// # Errors
/// [`Unavailable`] where it cannot be read.
pub async fn definition<T: DeserializeOwned>(
    ports: &Ports,
    kind: Kind,
    reference: &str,
) -> Result<Option<T>, Unavailable> {
    body(ports, &definitions::definition(kind, reference)).await
}
