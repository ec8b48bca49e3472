//! Policies. The fields that people write are [`attune_catalogue::PolicyDocument`]'s; the schemas here
//! describe them.

use attune_catalogue::PolicyDocument;
use attune_domain::policy::Policy;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A policy to be made: who may run how many of what at once, and how often.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreatePolicyRequest {
    /// `pack.name`.
    #[serde(rename = "ref")]
    #[schema(example = "core.one_at_a_time")]
    pub reference: String,
    /// What it says: a [`PolicyDocument`], still to be read.
    #[serde(flatten)]
    #[schema(value_type = PolicySettings)]
    pub settings: Map<String, Value>,
}

/// What a policy says. In changes, a missing field is unchanged and `null` clears.
#[derive(Clone, Debug, ToSchema)]
pub struct PolicySettings {
    /// For people.
    pub description: Option<String>,
    /// What it covers; if missing, what the next three fields suggest, else `global`.
    pub scope: Option<PolicyScope>,
    /// The pack it covers.
    pub pack_ref: Option<String>,
    /// The action it covers.
    pub action_ref: Option<String>,
    /// The identity it covers.
    pub identity: Option<i64>,
    /// What becomes of an execution that finds no slot.
    pub method: Option<PolicyMethod>,
    /// Executions at once; `null`, any number.
    #[schema(minimum = 1)]
    pub threshold: Option<u32>,
    /// Starts over time.
    pub rate_limit: Option<PolicyRateLimit>,
    /// Dotted paths of parameters that group executions.
    pub parameters: Option<Vec<String>>,
    /// Dotted path of the parameter that gives the priority, 0 first and 9 last.
    pub priority_parameter: Option<String>,
    /// How many may wait; `null`, any number.
    pub max_waiting: Option<u32>,
    /// How long one may wait, in seconds; `null`, for ever.
    pub wait_timeout_seconds: Option<u64>,
    /// When the limits hold; empty, always.
    pub windows: Option<Vec<PolicyWindow>>,
    /// How often an execution is given to a runner when runners die under it.
    #[schema(minimum = 1, maximum = 100)]
    pub max_attempts: Option<u32>,
    /// Whether it is in force; `true` if missing.
    pub enabled: Option<bool>,
}

/// What a policy may cover. The narrowest wins.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum PolicyScope {
    /// One action.
    Action,
    /// A pack's actions, together.
    Pack,
    /// What runs in one identity's name, together.
    Identity,
    /// Everything, together.
    Global,
}

/// What becomes of an execution that finds no slot.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum PolicyMethod {
    /// It waits in line.
    Enqueue,
    /// It is cancelled.
    Cancel,
}

/// A rate limit.
#[derive(Clone, Debug, ToSchema)]
pub struct PolicyRateLimit {
    /// Starts per period.
    #[schema(minimum = 1)]
    pub limit: u32,
    /// The period, in seconds.
    #[schema(minimum = 1)]
    pub per_seconds: u32,
    /// Starts at once after a pause; `limit` if missing.
    #[schema(minimum = 1)]
    pub burst: Option<u32>,
}

/// A time of the week.
#[derive(Clone, Debug, ToSchema)]
pub struct PolicyWindow {
    /// `mon` to `sun`; none, every day.
    pub days: Vec<String>,
    /// `HH:MM`, local time.
    pub from: String,
    /// `HH:MM`, local time; not after `from`, on the next day.
    pub to: String,
    /// IANA time zone; `UTC` if missing.
    pub timezone: Option<String>,
}

/// A policy.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicyResponse {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// What it says.
    #[serde(flatten)]
    #[schema(value_type = PolicySettings)]
    pub settings: PolicyDocument,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl From<Policy> for PolicyResponse {
    fn from(policy: Policy) -> Self {
        Self {
            id: policy.id.get(),
            reference: policy.reference.to_string(),
            settings: PolicyDocument::of(&policy),
            created: policy.created,
            updated: policy.updated,
        }
    }
}
