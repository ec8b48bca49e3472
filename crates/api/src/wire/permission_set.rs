//! Permission sets.

use attune_catalogue::PermissionSet;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A permission set.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PermissionSetSummary {
    /// Wire id.
    pub id: i64,
    /// Its name.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its pack.
    pub pack_ref: Option<String>,
    /// For people.
    pub label: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// What it allows.
    #[schema(value_type = Vec<Object>)]
    pub grants: Value,
    /// Roles that it is given to.
    #[schema(value_type = Vec<Object>)]
    pub roles: [(); 0],
}

impl From<PermissionSet> for PermissionSetSummary {
    fn from(set: PermissionSet) -> Self {
        Self {
            id: set.id,
            reference: set.reference.to_string(),
            pack_ref: set.pack_ref.map(|pack| pack.to_string()),
            label: set.label,
            description: set.description,
            grants: set.grants,
            roles: [],
        }
    }
}
