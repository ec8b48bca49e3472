//! Questions to people: an execution asks, somebody answers, or the time for it runs out.
//!
//! A [`Question`] is what an author writes, an [`Inquiry`] what is stored of it. Every inquiry has a deadline, so
//! that nothing waits for ever, and ends once: [`Inquiry::respond`], [`Inquiry::expire`] and [`Inquiry::cancel`]
//! refuse what comes second. [`outcome`] says what the asking execution's result looks like, [`form`] how the
//! question is put to somebody who has nothing but a browser.

pub mod form;
pub mod outcome;
mod question;
#[cfg(test)]
mod tests;

pub use question::{Error, Person, Question};

use crate::Timestamp;
use crate::id::{ExecutionId, IdentityId, InquiryId};
use crate::reference::ComponentRef;
use crate::schema::{Schema, Violation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Time for an answer where nobody says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(30 * 86_400);
/// Largest answer, in bytes of JSON.
pub const MAX_RESPONSE_BYTES: usize = 64 * 1024;
/// Approval links of one inquiry that work at a time; a further one takes the place of the oldest.
pub const MAX_LINKS: usize = 16;

/// Where an inquiry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has answered yet.
    Pending,
    /// Somebody has.
    Responded,
    /// Nobody did in time.
    Timeout,
    /// No answer is wanted any more.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Responded, Self::Timeout, Self::Cancelled];

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Responded => "responded",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No inquiry status has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown inquiry status '{0}'")]
pub struct UnknownStatus(pub String);

impl FromStr for Status {
    type Err = UnknownStatus;
    /// Reads the word in any case; `canceled` with one l is `cancelled`, too.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let lower = text.to_ascii_lowercase();
        let word = if lower == "canceled" { "cancelled" } else { lower.as_str() };
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// A question to people, from being asked to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inquiry {
    /// Wire id.
    pub id: InquiryId,
    /// Who asks.
    pub execution: ExecutionId,
    /// The asking execution's action.
    pub action_ref: ComponentRef,
    /// In whose name that runs.
    pub executor: Option<IdentityId>,
    /// The question, 1 to 10000 characters.
    pub prompt: String,
    /// What an answer looks like, flat or JSON Schema; `None`, anything is one.
    pub response_schema: Option<Value>,
    /// The only one who may answer; `None`, whoever has the permission.
    pub assigned_to: Option<IdentityId>,
    /// Where it stands.
    pub status: Status,
    /// The answer.
    pub response: Option<Value>,
    /// From then on it is too late.
    pub timeout_at: Timestamp,
    /// Approval links that were given out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// When it was asked.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When it was answered.
    pub responded_at: Option<Timestamp>,
    /// Who answered; `None` where it was by a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responded_by: Option<IdentityId>,
}

/// An approval link that was given out. Of its token only the digest is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// SHA-256 of the token, in hexadecimal.
    pub digest: String,
    /// From then on it does not work.
    pub expires_at: Timestamp,
    /// Who asked for it.
    pub made_by: Option<IdentityId>,
}

/// Why an inquiry cannot be answered, or ended otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("Inquiry is not pending: its status is '{0}'")]
    Over(Status),
    /// Its deadline has passed.
    #[error("Inquiry has timed out")]
    Expired,
    /// The answer is not what the schema asks for.
    #[error("The response does not fit the response schema: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unfit(Vec<Violation>),
    /// The answer is over [`MAX_RESPONSE_BYTES`].
    #[error("The response is too large: more than {MAX_RESPONSE_BYTES} bytes of JSON")]
    TooLarge,
}

/// Why somebody may not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The execution that asks would answer itself.
    #[error(
        "An execution may not answer its own inquiry or one of its ancestors' (privilege loop)"
    )]
    Loop,
    /// It is another's to answer.
    #[error("Inquiry is assigned to somebody else")]
    Assigned,
    /// It is nobody's in particular, and permission is missing.
    #[error("Insufficient permissions: inquiries:respond")]
    Permission,
}

/// Somebody who wants to answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answerer<'a> {
    /// Their identity.
    pub identity: Option<IdentityId>,
    /// The execution that answers and its ancestors, where it is one.
    pub lineage: &'a [ExecutionId],
    /// Whether they have permission to answer inquiries that nobody is assigned to.
    pub permitted: bool,
}

impl Inquiry {
    /// Whether somebody may answer it. Who is assigned needs no permission besides; who is not may not answer,
    /// whatever their permissions.
    ///
    /// # Errors
    /// [`Denial`].
    pub fn admits(&self, who: &Answerer<'_>) -> Result<(), Denial> {
        if who.lineage.contains(&self.execution) {
            return Err(Denial::Loop);
        }
        match self.assigned_to {
            Some(assignee) if who.identity == Some(assignee) => Ok(()),
            Some(_) => Err(Denial::Assigned),
            None if who.permitted => Ok(()),
            None => Err(Denial::Permission),
        }
    }

    /// Whether its deadline has passed.
    #[must_use]
    pub fn is_late(&self, now: Timestamp) -> bool {
        self.timeout_at <= now
    }

    /// Whether an answer still counts.
    ///
    /// # Errors
    /// [`Refusal::Over`] or [`Refusal::Expired`].
    pub fn insist_open(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.status {
            Status::Pending if self.is_late(now) => Err(Refusal::Expired),
            Status::Pending => Ok(()),
            over => Err(Refusal::Over(over)),
        }
    }

    /// Answers it.
    ///
    /// # Errors
    /// [`Refusal`]; it is unchanged.
    pub fn respond(
        &mut self,
        response: Value,
        by: Option<IdentityId>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.insist_open(now)?;
        if response.to_string().len() > MAX_RESPONSE_BYTES {
            return Err(Refusal::TooLarge);
        }
        // It was checked when the question was asked.
        let schema = Schema::parse(self.response_schema.as_ref()).unwrap_or(Schema::any());
        schema.validate_rendered(&response).map_err(Refusal::Unfit)?;
        self.end(Status::Responded, now);
        self.response = Some(response);
        self.responded_at = Some(now);
        self.responded_by = by;
        Ok(())
    }

    /// Ends it because nobody answered in time; answers whether that is so.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let late = self.status == Status::Pending && self.is_late(now);
        if late {
            self.end(Status::Timeout, now);
        }
        late
    }

    /// Withdraws it.
    ///
    /// # Errors
    /// [`Refusal::Over`] where it has ended otherwise; cancelling twice is harmless.
    pub fn cancel(&mut self, now: Timestamp) -> Result<(), Refusal> {
        match self.status {
            Status::Pending => self.end(Status::Cancelled, now),
            Status::Cancelled => {}
            over => return Err(Refusal::Over(over)),
        }
        Ok(())
    }

    /// Notes a link that is given out.
    ///
    /// # Errors
    /// [`Refusal::Over`] or [`Refusal::Expired`]: there is nothing to approve any more.
    pub fn give_out(&mut self, link: Link, now: Timestamp) -> Result<(), Refusal> {
        self.insist_open(now)?;
        self.links.retain(|other| other.expires_at > now);
        if self.links.len() >= MAX_LINKS {
            self.links.remove(0);
        }
        self.links.push(link);
        self.updated = now;
        Ok(())
    }

    /// The link whose token has this digest.
    #[must_use]
    pub fn link(&self, digest: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.digest == digest)
    }

    fn end(&mut self, status: Status, now: Timestamp) {
        self.status = status;
        self.updated = now;
    }
}
