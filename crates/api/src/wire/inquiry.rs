//! Inquiries.

use attune_domain::inquiry::{Inquiry, Status};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Where an inquiry stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum InquiryStatus {
    /// Nobody has answered yet.
    Pending,
    /// Somebody has.
    Responded,
    /// Nobody did in time.
    Timeout,
    /// No answer is wanted any more.
    Cancelled,
}

/// Asks people on behalf of an execution.
#[derive(Deserialize, ToSchema)]
pub struct CreateInquiryRequest {
    /// The execution that asks.
    pub execution: i64,
    /// The question, 1 to 10000 characters.
    #[schema(min_length = 1, max_length = 10_000)]
    pub prompt: String,
    /// What an answer looks like; without, anything is one.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub response_schema: Option<Value>,
    /// The only one who may answer.
    #[serde(default)]
    pub assigned_to: Option<i64>,
    /// From then on it is too late; without, after as long as the server's settings say.
    #[serde(default)]
    pub timeout_at: Option<DateTime<Utc>>,
}

/// Changes an inquiry; what is null or missing stays.
#[derive(Deserialize, ToSchema)]
pub struct UpdateInquiryRequest {
    /// Where it is to stand: `responded` with a response, or `cancelled`.
    #[serde(default)]
    #[schema(value_type = Option<InquiryStatus>)]
    pub status: Option<String>,
    /// The answer.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub response: Option<Value>,
    /// The only one who may answer.
    #[serde(default)]
    pub assigned_to: Option<i64>,
}

/// Answers an inquiry.
#[derive(Deserialize, ToSchema)]
pub struct InquiryRespondRequest {
    /// The answer, as the inquiry's `response_schema` describes it.
    #[schema(value_type = Object)]
    pub response: Value,
}

/// An inquiry.
#[derive(Debug, Serialize, ToSchema)]
pub struct InquiryResponse {
    /// Wire id.
    pub id: i64,
    /// The execution that asks.
    pub execution: i64,
    /// The question.
    pub prompt: String,
    /// What an answer looks like.
    #[schema(value_type = Option<Object>)]
    pub response_schema: Option<Value>,
    /// The only one who may answer.
    pub assigned_to: Option<i64>,
    /// Where it stands.
    #[schema(value_type = InquiryStatus)]
    pub status: Status,
    /// The answer.
    #[schema(value_type = Option<Object>)]
    pub response: Option<Value>,
    /// From then on it is too late.
    pub timeout_at: Option<DateTime<Utc>>,
    /// When it was answered.
    pub responded_at: Option<DateTime<Utc>>,
    /// Who answered; null where it was by an approval link.
    pub responded_by: Option<i64>,
    /// When it was asked.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Inquiry> for InquiryResponse {
    fn from(inquiry: Inquiry) -> Self {
        Self {
            id: inquiry.id.get(),
            execution: inquiry.execution.get(),
            prompt: inquiry.prompt,
            response_schema: inquiry.response_schema,
            assigned_to: inquiry.assigned_to.map(|id| id.get()),
            status: inquiry.status,
            response: inquiry.response,
            timeout_at: Some(inquiry.timeout_at),
            responded_at: inquiry.responded_at,
            responded_by: inquiry.responded_by.map(|id| id.get()),
            created: inquiry.created,
            updated: inquiry.updated,
        }
    }
}

/// An inquiry in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct InquirySummary {
    /// Wire id.
    pub id: i64,
    /// The execution that asks.
    pub execution: i64,
    /// The question.
    pub prompt: String,
    /// The only one who may answer.
    pub assigned_to: Option<i64>,
    /// Where it stands.
    #[schema(value_type = InquiryStatus)]
    pub status: Status,
    /// Whether it was answered.
    pub has_response: bool,
    /// From then on it is too late.
    pub timeout_at: Option<DateTime<Utc>>,
    /// When it was asked.
    pub created: DateTime<Utc>,
}

impl From<Inquiry> for InquirySummary {
    fn from(inquiry: Inquiry) -> Self {
        Self {
            id: inquiry.id.get(),
            execution: inquiry.execution.get(),
            prompt: inquiry.prompt,
            assigned_to: inquiry.assigned_to.map(|id| id.get()),
            status: inquiry.status,
            has_response: inquiry.response.is_some(),
            timeout_at: Some(inquiry.timeout_at),
            created: inquiry.created,
        }
    }
}

/// Asks for an approval link.
#[derive(Default, Deserialize, ToSchema)]
pub struct ApprovalLinkRequest {
    /// When it ends, at the latest; without, with the inquiry.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// An approval link. Whoever has it may answer, once: it is told this one time and kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalLinkResponse {
    /// The address.
    pub url: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}
