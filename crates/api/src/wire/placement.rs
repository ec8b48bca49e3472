//! Retention and placement, as actions and sensors carry them.

use super::patch::{LogRetentionLimitPatch, LogRetentionPolicyPatch};
use attune_domain::catalogue::Placement;
use attune_domain::runtime::Runtime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What a retention limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RetentionPolicyType {
    /// The newest so many.
    Versions,
    /// So many days.
    Days,
    /// So many hours.
    Hours,
    /// So many minutes.
    Minutes,
}

impl RetentionPolicyType {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Versions => "versions",
            Self::Days => "days",
            Self::Hours => "hours",
            Self::Minutes => "minutes",
        }
    }
}

/// Retention and placement of something new.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct PlacementRequest {
    /// What the limit on logs counts.
    pub log_retention_policy: Option<RetentionPolicyType>,
    /// How many of those.
    pub log_retention_limit: Option<i32>,
    /// What the limit on artifacts counts.
    pub artifact_retention_policy: Option<RetentionPolicyType>,
    /// How many of those.
    pub artifact_retention_limit: Option<i32>,
    /// Labels a worker must have.
    #[schema(value_type = Option<Object>)]
    pub worker_selector: Option<Value>,
    /// Taints it tolerates.
    #[schema(value_type = Option<Vec<Object>>)]
    pub worker_tolerations: Option<Value>,
    /// Preferences among workers.
    #[schema(value_type = Option<Object>)]
    pub worker_affinity: Option<Value>,
    /// Runtime to version constraint.
    #[schema(value_type = Option<Object>)]
    pub required_worker_runtimes: Option<Value>,
}

/// Changes of retention and placement; `null` or missing, unchanged.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct PlacementChange {
    /// What the limit on logs counts.
    pub log_retention_policy: Option<LogRetentionPolicyPatch>,
    /// How many of those.
    pub log_retention_limit: Option<LogRetentionLimitPatch>,
    /// What the limit on artifacts counts.
    pub artifact_retention_policy: Option<LogRetentionPolicyPatch>,
    /// How many of those.
    pub artifact_retention_limit: Option<LogRetentionLimitPatch>,
    /// Labels a worker must have.
    #[schema(value_type = Option<Object>)]
    pub worker_selector: Option<Value>,
    /// Taints it tolerates.
    #[schema(value_type = Option<Vec<Object>>)]
    pub worker_tolerations: Option<Value>,
    /// Preferences among workers.
    #[schema(value_type = Option<Object>)]
    pub worker_affinity: Option<Value>,
    /// Runtime to version constraint.
    #[schema(value_type = Option<Object>)]
    pub required_worker_runtimes: Option<Value>,
}

fn word(policy: RetentionPolicyType) -> String {
    policy.as_str().to_owned()
}

impl From<PlacementRequest> for Placement {
    fn from(new: PlacementRequest) -> Self {
        Self {
            log_retention_policy: new.log_retention_policy.map(word),
            log_retention_limit: new.log_retention_limit,
            artifact_retention_policy: new.artifact_retention_policy.map(word),
            artifact_retention_limit: new.artifact_retention_limit,
            worker_selector: new.worker_selector,
            worker_tolerations: new.worker_tolerations,
            worker_affinity: new.worker_affinity,
            required_worker_runtimes: new.required_worker_runtimes,
        }
    }
}

impl PlacementChange {
    /// The placement after the change; `None` where nothing changes.
    #[must_use]
    pub fn after(self, before: &Placement) -> Option<Placement> {
        let mut after = before.clone();
        if let Some(patch) = self.log_retention_policy {
            after.log_retention_policy = patch.value().map(word);
        }
        if let Some(patch) = self.log_retention_limit {
            after.log_retention_limit = patch.value();
        }
        if let Some(patch) = self.artifact_retention_policy {
            after.artifact_retention_policy = patch.value().map(word);
        }
        if let Some(patch) = self.artifact_retention_limit {
            after.artifact_retention_limit = patch.value();
        }
        after.worker_selector = self.worker_selector.or(after.worker_selector);
        after.worker_tolerations = self.worker_tolerations.or(after.worker_tolerations);
        after.worker_affinity = self.worker_affinity.or(after.worker_affinity);
        after.required_worker_runtimes =
            self.required_worker_runtimes.or(after.required_worker_runtimes);
        (after != *before).then_some(after)
    }
}

/// Retention and placement of something that exists.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PlacementResponse {
    /// What the limit on logs counts.
    #[schema(value_type = Option<RetentionPolicyType>)]
    pub log_retention_policy: Option<String>,
    /// How many of those.
    pub log_retention_limit: Option<i32>,
    /// What the limit on artifacts counts.
    #[schema(value_type = Option<RetentionPolicyType>)]
    pub artifact_retention_policy: Option<String>,
    /// How many of those.
    pub artifact_retention_limit: Option<i32>,
    /// Labels a worker must have.
    #[schema(value_type = Object)]
    pub worker_selector: Value,
    /// Taints it tolerates.
    #[schema(value_type = Vec<Object>)]
    pub worker_tolerations: Value,
    /// Preferences among workers.
    #[schema(value_type = Object)]
    pub worker_affinity: Value,
}

impl From<Placement> for PlacementResponse {
    fn from(placement: Placement) -> Self {
        Self {
            log_retention_policy: placement.log_retention_policy,
            log_retention_limit: placement.log_retention_limit,
            artifact_retention_policy: placement.artifact_retention_policy,
            artifact_retention_limit: placement.artifact_retention_limit,
            worker_selector: placement.worker_selector.unwrap_or_else(|| json!({})),
            worker_tolerations: placement.worker_tolerations.unwrap_or_else(|| json!([])),
            worker_affinity: placement.worker_affinity.unwrap_or_else(|| json!({})),
        }
    }
}

/// Wire id of a built-in runtime: its place among them, from 1.
#[must_use]
pub fn runtime_id(runtime: Runtime) -> i64 {
    let place = Runtime::ALL.iter().position(|other| *other == runtime).unwrap_or_default();
    i64::try_from(place).map_or(0, |place| place + 1)
}

/// The built-in runtime of a wire id.
#[must_use]
pub fn runtime_of_id(id: i64) -> Option<Runtime> {
    Runtime::ALL.into_iter().find(|runtime| runtime_id(*runtime) == id)
}
