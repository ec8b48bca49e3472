//! Concluding: an answer, a deadline or a withdrawal ends an inquiry, and with it the execution that waits.

use crate::announce::{self, Announcement};
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{layout, load, payload, subject};
use attune_domain::Timestamp;
use attune_domain::execution::Execution;
use attune_domain::id::{IdentityId, InquiryId};
use attune_domain::inquiry::{Inquiry, Link, Refusal, Status, outcome};
use attune_domain::payload::Payload;
use attune_ports::records::{Commit, Expect};
use attune_ports::{Ports, Unavailable};
use serde_json::Value;

/// Why an inquiry is as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("Inquiry '{0}' not found")]
    NotFound(InquiryId),
    /// It cannot be done.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Answers an inquiry, `by` somebody or by a link. Whether they may is the caller's business.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn respond(
    ports: &Ports,
    id: InquiryId,
    response: &Value,
    by: Option<IdentityId>,
) -> Result<Inquiry, Error> {
    change(ports, id, |inquiry, now| inquiry.respond(response.clone(), by, now)).await
}

/// Withdraws an inquiry, and cancels the execution that waits for it.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn cancel(ports: &Ports, id: InquiryId) -> Result<Inquiry, Error> {
    change(ports, id, Inquiry::cancel).await
}

/// Ends an inquiry whose deadline has passed; leaves every other as it is.
///
/// # Errors
/// [`Error::NotFound`] or [`Error::Unavailable`].
pub async fn expire(ports: &Ports, id: InquiryId) -> Result<Inquiry, Error> {
    change(ports, id, |inquiry, now| {
        inquiry.expire(now);
        Ok(())
    })
    .await
}

/// Says who alone may answer a pending inquiry; `None`, whoever has the permission.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn assign(
    ports: &Ports,
    id: InquiryId,
    to: Option<IdentityId>,
) -> Result<Inquiry, Error> {
    change(ports, id, |inquiry, now| {
        inquiry.insist_open(now)?;
        inquiry.assigned_to = to;
        inquiry.updated = now;
        Ok(())
    })
    .await
}

/// Notes an approval link of a pending inquiry.
///
/// # Errors
/// See [`Error`]; nothing was changed.
pub async fn give_out(ports: &Ports, id: InquiryId, link: &Link) -> Result<Inquiry, Error> {
    change(ports, id, |inquiry, now| inquiry.give_out(link.clone(), now)).await
}

/// Looks at an inquiry whose deadline has come, or soon will: ends it, or sends the message for that moment.
///
/// # Errors
/// [`Unavailable`] where something does not answer; the message is to come again.
pub async fn deadline(ports: &Ports, id: InquiryId) -> Result<(), Unavailable> {
    let Some(inquiry) = load::inquiry(ports, id).await? else { return Ok(()) };
    let now = ports.clock.now();
    if inquiry.status != Status::Pending {
        return Ok(());
    }
    if !inquiry.is_late(now) {
        return announce::send(ports, Announcement::deadline(&inquiry, now)).await;
    }
    match expire(ports, id).await {
        Ok(_) | Err(Error::NotFound(_) | Error::Refused(_)) => Ok(()),
        Err(Error::Unavailable(error)) => Err(error),
    }
}

/// Removes an inquiry. The execution that waits for it is cancelled; one that goes on by itself may ask again.
///
/// # Errors
/// [`Error::NotFound`] or [`Error::Unavailable`]; nothing was changed.
pub async fn delete(ports: &Ports, id: InquiryId) -> Result<(), Error> {
    let mut attempts = Attempts::default();
    loop {
        let Versioned { body: inquiry, version, .. } = inquiry_versioned(ports, id).await?;
        let now = ports.clock.now();
        let mut commit = Commit::new().delete(layout::inquiry(id), Expect::Version(version));
        let mut ended: Option<Ended> = None;
        if let Some(asking) = asking(ports, &inquiry).await? {
            let (mut execution, due) = (asking.body, asking.due);
            let waits = execution.waits_for() == Some(id);
            let mut blobs = None;
            if waits {
                let withdrawn = Inquiry { status: Status::Cancelled, ..inquiry };
                blobs = end(ports, &mut execution, &withdrawn, now).await?;
            }
            execution.asked = None;
            let due = if waits { subject::due(&execution, now) } else { due };
            commit = commit.replace(layout::execution_record(&execution, due), asking.version);
            ended = waits.then_some(Ended { execution, blobs });
        }
        match ports.records.commit(commit).await {
            Ok(()) => {
                if let Some(Ended { execution, blobs }) = ended {
                    announce::send(ports, Announcement::completed(&execution)).await?;
                    forget(ports, blobs.and_then(|blobs| blobs.old)).await;
                }
                return Ok(());
            }
            Err(error) => {
                forget(ports, ended.and_then(|ended| ended.blobs?.new)).await;
                attempts.again(ports, error).await?;
            }
        }
    }
}

/// Adds to `commit`: what `execution` asked and nobody has answered is withdrawn. An execution that waits for it is
/// cancelled by that; to be stored in the same commit.
pub(crate) async fn withdraw(
    ports: &Ports,
    commit: Commit,
    execution: &mut Execution,
    now: Timestamp,
) -> Result<Commit, Unavailable> {
    let Some(asked) = execution.asked else { return Ok(commit) };
    let key = layout::inquiry(asked.inquiry);
    let Some(loaded) = load::versioned::<Inquiry>(ports, &key).await? else { return Ok(commit) };
    let mut inquiry = loaded.body;
    if inquiry.status != Status::Pending || inquiry.cancel(now).is_err() {
        return Ok(commit);
    }
    if execution.waits_for().is_some() {
        end(ports, execution, &inquiry, now).await?;
    }
    Ok(commit.replace(layout::inquiry_record(&inquiry), loaded.version))
}

/// Changes an inquiry, and ends the execution that waits for it where it has ended by that.
async fn change(
    ports: &Ports,
    id: InquiryId,
    change: impl Fn(&mut Inquiry, Timestamp) -> Result<(), Refusal>,
) -> Result<Inquiry, Error> {
    let mut attempts = Attempts::default();
    loop {
        let Versioned { body: before, version, .. } = inquiry_versioned(ports, id).await?;
        let now = ports.clock.now();
        let mut inquiry = before.clone();
        change(&mut inquiry, now)?;
        let mut ended: Option<Ended> = None;
        let mut commit = Commit::new();
        if inquiry != before {
            commit = commit.replace(layout::inquiry_record(&inquiry), version);
        }
        // Also where it had ended before: perhaps that was not told.
        if inquiry.status != Status::Pending
            && let Some(asking) = asking(ports, &inquiry).await?
        {
            let mut execution = asking.body;
            let mut blobs = None;
            if execution.waits_for() == Some(id) {
                blobs = end(ports, &mut execution, &inquiry, now).await?;
                let due = subject::due(&execution, now);
                commit = commit.replace(layout::execution_record(&execution, due), asking.version);
            }
            ended = Some(Ended { execution, blobs });
        }
        let written = match commit.writes.is_empty() {
            true => Ok(()),
            false => ports.records.commit(commit).await,
        };
        match written {
            Ok(()) => {
                if let Some(Ended { execution, blobs }) = ended {
                    announce::send(ports, Announcement::completed(&execution)).await?;
                    forget(ports, blobs.and_then(|blobs| blobs.old)).await;
                }
                return Ok(inquiry);
            }
            Err(error) => {
                forget(ports, ended.and_then(|ended| ended.blobs?.new)).await;
                attempts.again(ports, error).await?;
            }
        }
    }
}

struct Ended {
    execution: Execution,
    blobs: Option<Blobs>,
}

/// Where large results lay, and lie.
struct Blobs {
    old: Option<String>,
    new: Option<String>,
}

/// Ends an execution as its inquiry has ended.
async fn end(
    ports: &Ports,
    execution: &mut Execution,
    inquiry: &Inquiry,
    now: Timestamp,
) -> Result<Option<Blobs>, Unavailable> {
    let before = match &execution.result {
        Some(result) => Some(payload::fetch(&*ports.blobs, result).await?),
        None => None,
    };
    let Some((status, result)) = outcome::of(inquiry, before) else { return Ok(None) };
    if execution.become_(status, now).is_err() {
        return Ok(None);
    }
    // A name of its own: two who answer at once must not overwrite each other's.
    let name = format!("executions/{}.{}.{}", execution.id, execution.attempt, ports.ids.next());
    let result = payload::stash(&*ports.blobs, &name, result).await?;
    let new = blob_of(&result);
    let old = execution.result.replace(result).as_ref().and_then(blob_of);
    Ok(Some(Blobs { old, new }))
}

fn blob_of(payload: &Payload) -> Option<String> {
    match payload {
        Payload::Blob { name, .. } => Some(name.clone()),
        Payload::Inline(_) => None,
    }
}

/// Removes a blob that nothing names any more; where that fails, it takes up space and no more.
async fn forget(ports: &Ports, blob: Option<String>) {
    if let Some(name) = blob
        && let Err(error) = ports.blobs.delete(&name).await
    {
        tracing::warn!(blob = name, %error, "a result that is no longer needed was not removed");
    }
}

async fn inquiry_versioned(ports: &Ports, id: InquiryId) -> Result<Versioned<Inquiry>, Error> {
    load::versioned(ports, &layout::inquiry(id)).await?.ok_or(Error::NotFound(id))
}

/// The execution that asks, as long as it is this inquiry that it asks.
async fn asking(
    ports: &Ports,
    inquiry: &Inquiry,
) -> Result<Option<Versioned<Execution>>, Unavailable> {
    let found = load::execution_versioned(ports, inquiry.execution).await?;
    Ok(found.filter(|loaded| loaded.body.asked.is_some_and(|asked| asked.inquiry == inquiry.id)))
}
