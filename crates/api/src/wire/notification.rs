//! What streams tell about a change. Times end `+00:00` here, as clients of the notifier expect.

use attune_domain::Timestamp;
use attune_domain::inquiry;
use attune_domain::status::ExecutionStatus;
use attune_ports::{Change, Record, records::Kind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An execution was made, or its status changed.
#[derive(Debug, Serialize)]
pub struct ExecutionChange {
    entity_type: &'static str,
    entity_id: i64,
    /// Wire id of the execution.
    pub id: i64,
    action_id: Option<i64>,
    /// What runs.
    pub action_ref: String,
    status: ExecutionStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_status: Option<ExecutionStatus>,
    enforcement: Option<i64>,
    rule_ref: Option<String>,
    trigger_ref: Option<String>,
    parent: Option<i64>,
    /// In whose name it runs; not told.
    #[serde(skip)]
    pub executor: Option<i64>,
    started_at: Option<String>,
    workflow_task: Option<Value>,
    created: String,
    updated: String,
}

#[derive(Deserialize)]
struct Seen {
    id: i64,
    action: Option<i64>,
    action_ref: String,
    status: ExecutionStatus,
    enforcement: Option<i64>,
    rule_ref: Option<String>,
    trigger_ref: Option<String>,
    parent: Option<i64>,
    executor: Option<i64>,
    started_at: Option<Timestamp>,
    #[serde(default)]
    workflow_task: Option<Value>,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Deserialize)]
struct Before {
    status: ExecutionStatus,
}

impl ExecutionChange {
    /// What there is to tell of a change; `None` where it is about something else, or changed neither the
    /// existence nor the status of an execution.
    #[must_use]
    pub fn of(change: &Change) -> Option<Self> {
        if change.kind != Kind::Execution {
            return None;
        }
        let now: Seen = serde_json::from_slice(change.new.as_ref()?).ok()?;
        let before = change.old.as_ref().and_then(|old| serde_json::from_slice::<Before>(old).ok());
        let old_status = before.map(|before| before.status);
        (old_status != Some(now.status)).then(|| Self::from(now, old_status))
    }

    /// How an execution stands, for who missed how it came to that; `None` where the record is none.
    #[must_use]
    pub fn present(record: &Record) -> Option<Self> {
        let now = serde_json::from_slice(&record.body).ok()?;
        (record.kind == Kind::Execution).then(|| Self::from(now, None))
    }

    fn from(now: Seen, old_status: Option<ExecutionStatus>) -> Self {
        Self {
            entity_type: "execution",
            entity_id: now.id,
            id: now.id,
            action_id: now.action,
            action_ref: now.action_ref,
            status: now.status,
            old_status,
            enforcement: now.enforcement,
            rule_ref: now.rule_ref,
            trigger_ref: now.trigger_ref,
            parent: now.parent,
            executor: now.executor,
            started_at: now.started_at.map(|at| at.to_rfc3339()),
            workflow_task: now.workflow_task,
            created: now.created.to_rfc3339(),
            updated: now.updated.to_rfc3339(),
        }
    }
}

/// An inquiry was made or answered, or timed out, or was withdrawn.
#[derive(Debug, Serialize)]
pub struct InquiryChange {
    /// `inquiry_created`, `inquiry_responded`, `inquiry_timeout` or `inquiry_cancelled`.
    pub notification_type: &'static str,
    entity_type: &'static str,
    entity_id: i64,
    /// Wire id of the inquiry.
    pub id: i64,
    /// The execution that asks.
    pub execution: i64,
    status: inquiry::Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated: Option<String>,
    /// As it is now, for who decides whom to tell; not told.
    #[serde(skip)]
    pub inquiry: inquiry::Inquiry,
}

impl InquiryChange {
    /// What there is to tell of a change; `None` where it is about something else, or changed neither the
    /// existence nor the status of an inquiry.
    #[must_use]
    pub fn of(change: &Change) -> Option<Self> {
        #[derive(Deserialize)]
        struct Before {
            status: inquiry::Status,
        }
        if change.kind != Kind::Inquiry {
            return None;
        }
        let now = serde_json::from_slice::<inquiry::Inquiry>(change.new.as_ref()?).ok()?;
        let before = change.old.as_ref().and_then(|old| serde_json::from_slice::<Before>(old).ok());
        (before.map(|before| before.status) != Some(now.status)).then(|| Self::present(now))
    }

    /// How an inquiry stands.
    #[must_use]
    pub fn present(inquiry: inquiry::Inquiry) -> Self {
        use inquiry::Status as S;
        let status = inquiry.status;
        let notification_type = match status {
            S::Pending => "inquiry_created",
            S::Responded => "inquiry_responded",
            S::Timeout => "inquiry_timeout",
            S::Cancelled => "inquiry_cancelled",
        };
        let told = |at: Timestamp, told: bool| told.then(|| at.to_rfc3339());
        Self {
            notification_type,
            entity_type: "inquiry",
            entity_id: inquiry.id.get(),
            id: inquiry.id.get(),
            execution: inquiry.execution.get(),
            status,
            timeout_at: told(inquiry.timeout_at, matches!(status, S::Pending | S::Timeout)),
            created: told(inquiry.created, status == S::Pending),
            updated: told(inquiry.updated, status != S::Pending),
            inquiry,
        }
    }
}
