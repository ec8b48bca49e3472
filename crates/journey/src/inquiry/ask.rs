//! Asking: where a question comes from, and how its execution begins to wait.

use crate::announce::{self, Announcement};
use crate::definitions::PreparedAction;
use crate::load::Versioned;
use crate::retry::Attempts;
use crate::{layout, load, payload, subject};
use attune_catalogue::layout as definitions;
use attune_domain::Timestamp;
use attune_domain::catalogue::Action;
use attune_domain::execution::{Asked, Execution};
use attune_domain::id::{ExecutionId, IdentityId, InquiryId};
use attune_domain::inquiry::{Inquiry, Person, Question, Status, outcome};
use attune_domain::runtime::Runtime;
use attune_domain::status::ExecutionStatus;
use attune_ports::records::{self, Commit};
use attune_ports::runner::Outcome;
use attune_ports::{Ports, Unavailable};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The built-in that asks people.
const ASK: &str = "core.ask";

/// An inquiry to be made for an execution that goes on by itself.
#[derive(Clone, Debug)]
pub struct NewInquiry {
    /// Who asks.
    pub execution: ExecutionId,
    /// What.
    pub question: Question,
    /// From when on it is too late; `None`, after as long as the question or `patience` says.
    pub timeout_at: Option<Timestamp>,
    /// How long there is time where nobody says.
    pub patience: Duration,
}

/// Why a question was not asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such execution.
    #[error("Execution '{0}' not found")]
    NoExecution(ExecutionId),
    /// The execution is over, or about to be.
    #[error("The execution is {0} and cannot ask any more")]
    Ended(ExecutionStatus),
    /// It asks one already.
    #[error("Inquiry '{0}' of this execution exists already")]
    Asked(InquiryId),
    /// The deadline has passed.
    #[error("timeout_at: expected a moment in the future")]
    Past,
    /// There is nobody of that name.
    #[error("assigned_to: there is no such identity")]
    Nobody,
    /// Something did not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Whether an action is a question instead of something that runs.
pub(crate) fn is_asked_by(action: &Action) -> bool {
    action.runtime == Some(Runtime::Native)
        && (action.entrypoint == ASK || action.reference.as_str() == ASK)
}

/// The identity that an author means; `None` where there is none.
///
/// # Errors
/// [`Unavailable`] where records cannot be read.
pub async fn person(ports: &Ports, person: &Person) -> Result<Option<IdentityId>, Unavailable> {
    let id = match person {
        Person::Id(id) => *id,
        Person::Login(login) => {
            let Some(found) = ports.records.get(&definitions::login(login)).await? else {
                return Ok(None);
            };
            found.decode().map_err(|e| Unavailable::new("records", e.source))?
        }
    };
    Ok(ports.records.get(&definitions::identity(id.get())).await?.map(|_| id))
}

/// Asks what the parameters of a scheduled execution say, instead of running anything: the execution runs from now
/// on until somebody answers. What cannot be asked fails.
pub(crate) async fn ask(
    ports: &Ports,
    patience: Duration,
    loaded: Versioned<Execution>,
    prepared: &PreparedAction,
) -> Result<(), records::Error> {
    let mut execution = loaded.body;
    let mut parameters = match &execution.config {
        Some(config) => match payload::fetch(&*ports.blobs, config).await? {
            Value::Object(map) => map,
            _ => Map::new(),
        },
        None => Map::new(),
    };
    prepared.parameters.defaults(&mut parameters);
    let now = ports.clock.now();
    execution.started_at.get_or_insert(now);
    execution.updated = now;
    let mut announcements = Vec::new();
    let commit = match put(ports, patience, &execution, &Value::Object(parameters)).await? {
        Ok(inquiry) => {
            let commit = wait(Commit::new(), &mut execution, &inquiry, now);
            execution.status = ExecutionStatus::Running;
            execution.result = Some(outcome::pending(None, inquiry.id).into());
            announcements.extend(Announcement::waiting(&execution));
            announcements.extend(Announcement::deadline(&inquiry, now));
            commit
        }
        Err(why) => {
            execution.status = ExecutionStatus::Failed;
            execution.result = Some(json!({"succeeded": false, "error": why}).into());
            announcements.extend(Announcement::completed(&execution));
            Commit::new()
        }
    };
    let record = layout::execution_record(&execution, subject::due(&execution, now));
    ports.records.commit(commit.replace(record, loaded.version)).await?;
    Ok(announce::send(ports, announcements).await?)
}

/// Takes the question out of what a run came to, where it asks one and is to be trusted: the inquiry to wait for,
/// whose execution has the outcome's result meanwhile. One that cannot be asked is a failure, since what comes
/// after it counts on the answer.
pub(crate) async fn in_outcome(
    ports: &Ports,
    patience: Duration,
    execution: &Execution,
    outcome: &mut Outcome,
) -> Result<Option<Inquiry>, Unavailable> {
    if outcome.status != ExecutionStatus::Completed {
        return Ok(None);
    }
    let Some(question) = outcome::take_question(&mut outcome.result) else { return Ok(None) };
    match put(ports, patience, execution, &question).await? {
        Ok(inquiry) => {
            let result = std::mem::take(&mut outcome.result);
            outcome.result = outcome::pending(Some(result), inquiry.id);
            Ok(Some(inquiry))
        }
        Err(why) => {
            outcome.status = ExecutionStatus::Failed;
            outcome.result["succeeded"] = json!(false);
            outcome.result["error"] = json!(format!("{}: {why}", outcome::ASKS));
            Ok(None)
        }
    }
}

/// The result of an execution that asked and may not wait.
pub(crate) fn unasked() -> Value {
    json!({
        "succeeded": false,
        "error": "The result asks a question, but the execution is being cancelled or has asked before",
    })
}

/// Lets an execution wait for an inquiry, which is made in the same commit.
pub(crate) fn wait(
    commit: Commit,
    execution: &mut Execution,
    inquiry: &Inquiry,
    now: Timestamp,
) -> Commit {
    execution.asked = Some(Asked { inquiry: inquiry.id, ends: true });
    execution.updated = now;
    commit.create(layout::inquiry_record(inquiry))
}

/// Makes an inquiry for an execution that goes on by itself. Not durable yet: settle before answering.
///
/// # Errors
/// See [`AskError`]; nothing was stored.
pub async fn create(ports: &Ports, new: NewInquiry) -> Result<Inquiry, AskError> {
    let mut attempts = Attempts::default();
    let assigned_to = match &new.question.assigned_to {
        Some(assignee) => Some(person(ports, assignee).await?.ok_or(AskError::Nobody)?),
        None => None,
    };
    loop {
        let loaded = load::execution_versioned(ports, new.execution).await?;
        let loaded = loaded.ok_or(AskError::NoExecution(new.execution))?;
        let mut execution = loaded.body;
        if execution.status.is_terminal() || execution.status == ExecutionStatus::Canceling {
            return Err(AskError::Ended(execution.status));
        }
        if let Some(asked) = execution.asked {
            return Err(AskError::Asked(asked.inquiry));
        }
        let now = ports.clock.now();
        let mut inquiry = made(ports, &execution, &new.question, assigned_to, new.patience, now);
        if let Some(timeout_at) = new.timeout_at {
            inquiry.timeout_at = timeout_at;
        }
        if inquiry.is_late(now) {
            return Err(AskError::Past);
        }
        execution.asked = Some(Asked { inquiry: inquiry.id, ends: false });
        let commit = Commit::new()
            .create(layout::inquiry_record(&inquiry))
            .replace(layout::execution_record(&execution, loaded.due), loaded.version);
        match ports.records.commit(commit).await {
            Ok(()) => {
                announce::send(ports, Announcement::deadline(&inquiry, now)).await?;
                return Ok(inquiry);
            }
            Err(error) => attempts.again(ports, error).await?,
        }
    }
}

/// The inquiry of a question that an execution puts, or what is wrong with the question.
async fn put(
    ports: &Ports,
    patience: Duration,
    execution: &Execution,
    question: &Value,
) -> Result<Result<Inquiry, String>, Unavailable> {
    let question = match Question::read(question) {
        Ok(question) => question,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let assigned_to = match &question.assigned_to {
        None => None,
        Some(assignee) => match person(ports, assignee).await? {
            Some(id) => Some(id),
            None => return Ok(Err(AskError::Nobody.to_string())),
        },
    };
    let patience = task_timeout(execution).unwrap_or(patience);
    Ok(Ok(made(ports, execution, &question, assigned_to, patience, ports.clock.now())))
}

/// The time that the workflow task of an execution has.
fn task_timeout(execution: &Execution) -> Option<Duration> {
    let task = execution.workflow_task.as_ref()?;
    task.get("timeout_seconds")?.as_u64().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

fn made(
    ports: &Ports,
    execution: &Execution,
    question: &Question,
    assigned_to: Option<IdentityId>,
    patience: Duration,
    now: Timestamp,
) -> Inquiry {
    let patience = || TimeDelta::from_std(patience).unwrap_or(TimeDelta::MAX);
    let timeout_at = now.checked_add_signed(question.timeout.unwrap_or_else(patience));
    Inquiry {
        id: InquiryId::new(ports.ids.next()),
        execution: execution.id,
        action_ref: execution.action_ref.clone(),
        executor: execution.executor,
        prompt: question.prompt.clone(),
        response_schema: question.response_schema.clone(),
        assigned_to,
        status: Status::Pending,
        response: None,
        timeout_at: timeout_at.unwrap_or(Timestamp::MAX_UTC),
        links: vec![],
        created: now,
        updated: now,
        responded_at: None,
        responded_by: None,
    }
}
